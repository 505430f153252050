"""Test workflows and activities: the production engine in this process, with a clock that jumps."""

from __future__ import annotations

from ._activity import ActivityEnvironment
from ._crash import crash_after_every_event
from ._environment import WorkflowEnvironment
from ._failures import WorkflowTaskFailedError
from ._golden import histories_in, replay_histories
from ._mocks import ActivityMock
from ._stuck import StuckError

__all__ = [
    "ActivityEnvironment",
    "ActivityMock",
    "StuckError",
    "WorkflowEnvironment",
    "WorkflowTaskFailedError",
    "crash_after_every_event",
    "histories_in",
    "replay_histories",
]
