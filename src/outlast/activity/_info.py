"""What an activity can learn about its attempt and about its cancellation: values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from outlast.common import Priority, RetryPolicy


@dataclass(frozen=True)
class Info:
    """The running attempt. Built by the worker; fields may be added.

    The four fields that begin with ``workflow_`` are None for an activity that no workflow started, and
    ``activity_run_id`` is None for one that a workflow did start. ``retry_policy`` is the one that the server applies,
    None when it did not say. ``heartbeat_details`` are those of the last heartbeat of an earlier attempt.
    ``workflow_namespace`` is an older name of ``namespace``.
    """

    activity_id: str
    activity_type: str
    attempt: int
    current_attempt_scheduled_time: datetime
    heartbeat_details: Sequence[Any]
    heartbeat_timeout: timedelta | None
    is_local: bool
    namespace: str
    schedule_to_close_timeout: timedelta | None
    scheduled_time: datetime
    start_to_close_timeout: timedelta | None
    started_time: datetime
    task_queue: str
    task_token: bytes
    workflow_id: str | None
    workflow_namespace: str | None
    workflow_run_id: str | None
    workflow_type: str | None
    priority: Priority
    retry_policy: RetryPolicy | None
    activity_run_id: str | None = None

    @property
    def in_workflow(self) -> bool:
        """Whether a workflow started this activity."""
        return self.workflow_id is not None

    def _logger_details(self) -> Mapping[str, Any]:
        return {
            "activity_id": self.activity_id,
            "activity_type": self.activity_type,
            "attempt": self.attempt,
            "namespace": self.namespace,
            "task_queue": self.task_queue,
            "workflow_id": self.workflow_id,
            "workflow_run_id": self.workflow_run_id,
            "workflow_type": self.workflow_type,
        }


@dataclass(frozen=True)
class ActivityCancellationDetails:
    """Why an attempt is cancelled; several reasons can be true at once.

    Attributes:
        not_found: the server no longer knows the attempt: it timed out, or the workflow is closed.
        cancel_requested: the workflow, or a client, asked for it.
        paused: the activity was paused.
        reset: the activity was reset.
        timed_out: the worker saw a timeout pass before the server said so.
        worker_shutdown: the worker stops, and its grace period is over.
    """

    not_found: bool = False
    cancel_requested: bool = False
    paused: bool = False
    reset: bool = False
    timed_out: bool = False
    worker_shutdown: bool = False
