"""The worker's own metrics, for operators: names and labels are those of Temporal's SDKs.

Rule: nothing is measured that nobody records. A worker whose runtime has no metrics has None in this place, and what
would have been told costs one comparison.

Source: sdk-core ``telemetry/metrics.rs``.
"""

from __future__ import annotations

import time
from datetime import timedelta

from outlast.api.enums.v1 import (
    COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
    COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
    COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
    WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
)
from outlast.api.workflowservice.v1 import (
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
)
from outlast.runtime._runtime import SdkMeter
from outlast.vocab.times import from_timestamp

_CLOSED_BY = {
    COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: "workflow_completed",
    COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: "workflow_failed",
    COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: "workflow_canceled",
    COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: "workflow_continue_as_new",
}


class WorkerMetrics:
    """The metrics of one worker."""

    def __init__(self, meter: SdkMeter, namespace: str, task_queue: str) -> None:
        self._meter = meter
        self._labels = {"namespace": namespace, "task_queue": task_queue}

    # -- workflow tasks -------------------------------------------------------------------------------------------

    def on_workflow_task(self, task: PollWorkflowTaskQueueResponse, *, cached: bool) -> None:
        """A workflow task was taken up; ``cached`` when its run was in memory."""
        labels = self._of_workflow(task.workflow_type.name)
        # A run's first task misses nothing.
        if cached or task.previous_started_event_id:
            self._meter.counter("sticky_cache_hit" if cached else "sticky_cache_miss").add(1, labels)
        waited = from_timestamp(task.started_time) - from_timestamp(task.scheduled_time)
        self._took("workflow_task_schedule_to_start_latency", waited, self._labels)

    def on_completed(
        self, task: PollWorkflowTaskQueueResponse, answer: RespondWorkflowTaskCompletedRequest, began: int, run_at: int
    ) -> None:
        """The server took a completion.

        Args:
            began: monotonic ns at which the task was taken up.
            run_at: ns since the epoch at which the run started.
        """
        labels = self._of_workflow(task.workflow_type.name)
        self._took("workflow_task_execution_latency", time.monotonic_ns() - began, labels)
        closed_by = _CLOSED_BY.get(answer.commands[-1].command_type) if answer.commands else None
        if closed_by is not None:
            self._meter.counter(closed_by).add(1, labels)
            self._took("workflow_endtoend_latency", time.time_ns() - run_at, labels)

    def on_replayed(self, task: PollWorkflowTaskQueueResponse, began: int) -> None:
        """A run that was not in memory stands where it stood; its task was taken up at ``began`` in monotonic ns."""
        labels = self._of_workflow(task.workflow_type.name)
        self._took("workflow_task_replay_latency", time.monotonic_ns() - began, labels)

    def on_failed(self, task: PollWorkflowTaskQueueResponse, answer: RespondWorkflowTaskFailedRequest) -> None:
        """A workflow task failed."""
        diverged = answer.cause == WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
        reason = "NonDeterminismError" if diverged else "WorkflowError"
        labels = self._of_workflow(task.workflow_type.name)
        self._meter.counter("workflow_task_execution_failed").add(1, {**labels, "failure_reason": reason})

    def on_cache(self, runs: int) -> None:
        """So many runs are in memory."""
        self._meter.gauge("sticky_cache_size").set(runs, self._labels)

    # -- activities -----------------------------------------------------------------------------------------------

    def on_attempt(self, task: PollActivityTaskQueueResponse) -> None:
        """An attempt begins."""
        waited = from_timestamp(task.started_time) - from_timestamp(task.current_attempt_scheduled_time)
        self._took("activity_schedule_to_start_latency", waited, self._labels)

    def on_attempt_ended(
        self, task: PollActivityTaskQueueResponse, began: int, *, failed: bool, succeeded: bool
    ) -> None:
        """An attempt has ended, one way, the other, or neither; ``began`` in monotonic ns."""
        labels = {**self._of_workflow(task.workflow_type.name), "activity_type": task.activity_type.name}
        self._took("activity_execution_latency", time.monotonic_ns() - began, labels)
        if failed:
            self._meter.counter("activity_execution_failed").add(1, {**labels, "failure_reason": "ActivityError"})
        if succeeded:
            whole = time.time_ns() - from_timestamp(task.scheduled_time)
            self._took("activity_succeed_endtoend_latency", whole, labels)

    # -- polls ----------------------------------------------------------------------------------------------------

    def on_polls(self, poller_type: str, number: int) -> None:
        """So many polls of a kind are open."""
        self._meter.gauge("num_pollers").set(number, {**self._labels, "poller_type": poller_type})

    # -- slots ----------------------------------------------------------------------------------------------------

    def on_slots(self, worker_type: str, used: int, total: int) -> None:
        """So many of a kind's slots have work."""
        labels = {**self._labels, "worker_type": worker_type}
        self._meter.gauge("worker_task_slots_used").set(used, labels)
        self._meter.gauge("worker_task_slots_available").set(max(0, total - used), labels)

    def _of_workflow(self, workflow_type: str) -> dict[str, str]:
        return {**self._labels, "workflow_type": workflow_type}

    def _took(self, name: str, ns: int, labels: dict[str, str]) -> None:
        self._meter.latency(name).record(timedelta(microseconds=max(0, ns) / 1000), labels)
