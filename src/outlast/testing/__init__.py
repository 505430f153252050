"""Test workflows and activities: the production engine in this process, with a clock that jumps."""

from __future__ import annotations

from ._environment import WorkflowEnvironment
from ._failures import WorkflowTaskFailedError
from ._stuck import StuckError

__all__ = ["StuckError", "WorkflowEnvironment", "WorkflowTaskFailedError"]
