"""What every command's decision is given beside the state, and how it refuses."""

from __future__ import annotations

import msgspec

from outlast.api.history.v1 import HistoryEvent


class CommandContext(msgspec.Struct, frozen=True):
    """The circumstances of one command.

    ``completed_event_id`` is the id of the WorkflowTaskCompleted event. ``first_event`` is the run's
    WorkflowExecutionStarted event, given when a command may start a next run. ``eager_activities`` says whether the
    caller takes activities inline. ``process`` is the engine process when its own worker calls, "" for a remote one.
    """

    now: int
    completed_event_id: int
    identity: str
    first_event: HistoryEvent | None = None
    eager_activities: bool = False
    process: str = ""


class BadCommand(Exception):
    """The workflow's fault: the workflow task fails with ``cause`` (WORKFLOW_TASK_FAILED_CAUSE_*) and this message."""

    def __init__(self, cause: int, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
