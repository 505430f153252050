"""Test workflows and activities: the production engine in this process, with a clock that jumps."""

from __future__ import annotations

from ._activity import ActivityEnvironment
from ._environment import WorkflowEnvironment
from ._failures import WorkflowTaskFailedError
from ._mocks import ActivityMock
from ._stuck import StuckError

__all__ = [
    "ActivityEnvironment",
    "ActivityMock",
    "StuckError",
    "WorkflowEnvironment",
    "WorkflowTaskFailedError",
]
