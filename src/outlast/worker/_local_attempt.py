"""One attempt of a local activity: like any attempt, but nothing of it goes over the wire.

Rule: what workflow code gave is not encoded yet, and what the activity gives is encoded with the workflow task's
completion; heartbeats mean nothing; time is kept by whoever runs it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from outlast.activity._context import CompleteAsyncError
from outlast.activity._info import ActivityCancellationDetails
from outlast.api.common.v1 import Payload
from outlast.api.failure.v1 import Failure
from outlast.api.workflowservice.v1 import PollActivityTaskQueueResponse
from outlast.exceptions import ApplicationError, CancelledError
from outlast.replay import LocalTask
from outlast.vocab.times import duration, timestamp

from ._attempt import Attempt
from ._attempt_outcome import Outcome, outcome_of

if TYPE_CHECKING:
    from ._activity_tasks import ActivityTasks

TIMED_OUT = ActivityCancellationDetails(timed_out=True)


class LocalAttempt(Attempt):
    """One attempt inside a workflow task."""

    __slots__ = ()

    is_local = True

    async def outcome(self) -> Payload | Failure:
        """Run it, and say how it ended."""
        try:
            return (await self.result())[0]
        except CompleteAsyncError:
            error: BaseException = ApplicationError(
                f"Local activity {self.task.activity_type.name} raised CompleteAsyncError: the result of a local "
                "activity belongs to its workflow task; run it as an activity instead",
                non_retryable=True,
            )
        except (GeneratorExit, KeyboardInterrupt):
            raise
        except BaseException as raised:
            error = raised
        kind, error = outcome_of(error, self.cancellation)
        if kind is not Outcome.FAILED:
            error = CancelledError("Cancelled")
        failure = Failure()
        try:
            self.converter.failure_converter.to_failure(error, self.converter.payload_converter, failure)
        except Exception as broken:
            failure = Failure(message=f"Failed building exception result: {broken}")
            failure.application_failure_info.SetInParent()
        return failure

    def _watch(self) -> None:
        """Nothing: the deadlines of local activities have no grace."""

    async def _decoded(self, payloads: Sequence[Payload], hints: Any) -> Sequence[Any]:
        return self.converter.payload_converter.from_payloads(payloads, hints)

    async def _headers(self) -> Mapping[str, Payload]:
        return self.task.header.fields

    def _record(self, details: Sequence[Payload]) -> None:
        """Nothing: nobody could read a heartbeat."""


def local_attempt(worker: ActivityTasks, task: LocalTask, number: int, scheduled_at: int) -> LocalAttempt:
    """Attempt ``number`` of a local activity; ``scheduled_at`` in ns since the epoch."""
    described = PollActivityTaskQueueResponse(
        workflow_namespace=worker.settings.namespace,
        activity_id=task.activity_id,
        scheduled_time=timestamp(task.original_scheduled_at),
        current_attempt_scheduled_time=timestamp(scheduled_at),
        started_time=timestamp(time.time_ns()),
        attempt=number,
        # Nobody reports with it; activities in processes are told apart by it.
        task_token=f"{task.run_id}/{task.seq}/{number}".encode(),
        retry_policy=task.retry_policy,
    )
    described.activity_type.name = task.activity_type
    described.workflow_type.name = task.workflow_type
    described.workflow_execution.workflow_id = task.workflow_id
    described.workflow_execution.run_id = task.run_id
    described.input.payloads.extend(task.input)
    for key, payload in task.headers.items():
        described.header.fields[key].CopyFrom(payload)
    if task.schedule_to_close_ns:
        described.schedule_to_close_timeout.CopyFrom(duration(task.schedule_to_close_ns))
    if task.start_to_close_ns:
        described.start_to_close_timeout.CopyFrom(duration(task.start_to_close_ns))
    return LocalAttempt(worker, described)
