"""Operators and activities: what running code is told of a pause and a reset, and what comes after it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stage import MINUTE, MS, SECOND, Stage

from outlast import activity, workflow
from outlast.api.activity.v1 import ActivityOptions
from outlast.api.batch.v1 import BatchOperationTermination
from outlast.api.common.v1 import WorkflowExecution
from outlast.api.enums import v1 as e
from outlast.api.workflowservice.v1 import (
    DescribeBatchOperationRequest,
    ListBatchOperationsRequest,
    PauseActivityRequest,
    ResetActivityRequest,
    StartBatchOperationRequest,
    UnpauseActivityRequest,
    UpdateActivityOptionsRequest,
)
from outlast.client import WorkflowExecutionStatus

OFTEN = {"max_heartbeat_throttle_interval": 50 * MS}
"""Heartbeats go out often, while their timeout leaves a slow machine its time."""


@activity.defn
async def watch() -> list[str]:
    """Heartbeats until it is cancelled; answers the reasons."""
    try:
        while True:
            activity.heartbeat("alive")
            await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        assert details is not None
        return [name for name in ("paused", "reset", "cancel_requested", "timed_out") if getattr(details, name)]


@activity.defn
async def obey() -> list[Any]:
    """The first attempt heartbeats until it is cancelled, and fails of it; a later one answers what it was left."""
    info = activity.info()
    while not info.heartbeat_details:
        activity.heartbeat("last words")
        await asyncio.sleep(0.01)
    return [info.attempt, *info.heartbeat_details]


@workflow.defn
class Operated:
    @workflow.run
    async def run(self, name: str, queue: str | None) -> Any:
        return await workflow.execute_activity(
            name, task_queue=queue, start_to_close_timeout=MINUTE, heartbeat_timeout=10 * SECOND
        )


def names(stage: Stage, handle: Any) -> dict[str, Any]:
    """The one pending activity of a run."""
    return {
        "namespace": "default",
        "execution": WorkflowExecution(workflow_id=handle.id),
        "identity": "operator",
        "id": "1",
    }


async def pending(handle: Any) -> Any:
    found = (await handle.describe()).raw_description.pending_activities
    return found[0] if found else None


async def running(stage: Stage, handle: Any) -> None:
    async def beats() -> bool:
        activity = await pending(handle)
        return activity is not None and activity.HasField("heartbeat_details")

    await stage.until(beats)


@pytest.mark.parametrize("reason", ["paused", "reset"])
async def test_code_is_told_why_it_is_to_stop(stage: Stage, reason: str) -> None:
    service = stage.client.workflow_service
    async with stage.worker(Operated, activities=[watch], **OFTEN):
        handle = await stage.start(Operated.run, "watch", None)
        await running(stage, handle)
        if reason == "paused":
            await service.pause_activity(PauseActivityRequest(reason="bad key", **names(stage, handle)))
        else:
            await service.reset_activity(ResetActivityRequest(**names(stage, handle)))
        assert await handle.result() == [reason]


async def test_a_paused_activity_goes_on_with_its_next_attempt_when_it_is_unpaused(stage: Stage) -> None:
    service = stage.client.workflow_service
    async with stage.worker(Operated, activities=[obey], **OFTEN):
        handle = await stage.start(Operated.run, "obey", None)
        await running(stage, handle)
        await service.pause_activity(PauseActivityRequest(reason="bad key", **names(stage, handle)))

        async def stopped() -> bool:
            return bool((await pending(handle)).state == e.PENDING_ACTIVITY_STATE_PAUSED)

        await stage.until(stopped)
        shown = await pending(handle)
        assert (shown.attempt, shown.last_failure.application_failure_info.type) == (2, "ActivityPause")
        assert shown.pause_info.manual.reason == "bad key"
        await service.unpause_activity(UnpauseActivityRequest(**names(stage, handle)))
        assert await handle.result() == [2, "last words"]


async def test_an_activity_in_a_queue_without_workers_is_moved_to_one_with_some(stage: Stage) -> None:
    async with stage.worker(Operated, activities=[watch, obey], **OFTEN):
        handle = await stage.start(Operated.run, "obey", "nobody")
        await stage.until_event(handle, "ActivityTaskScheduled")
        request = UpdateActivityOptionsRequest(**names(stage, handle))
        request.activity_options.CopyFrom(ActivityOptions(task_queue={"name": stage.queue}))  # type: ignore[arg-type]
        request.update_mask.paths.append("task_queue.name")
        changed = await stage.client.workflow_service.update_activity_options(request)
        assert changed.activity_options.task_queue.name == stage.queue
        await running(stage, handle)
        await stage.client.workflow_service.reset_activity(ResetActivityRequest(**names(stage, handle)))
        # Temporal's server counts the attempt that was under way as the first one.
        assert await handle.result() == [2 if stage.oracle else 1, "last words"]


async def test_a_batch_terminates_what_the_query_finds(stage: Stage) -> None:
    service = stage.client.workflow_service
    handles = [await stage.start(Operated.run, "watch", None) for _ in range(5)]
    job_id = stage.id()
    await service.start_batch_operation(
        StartBatchOperationRequest(
            namespace="default",
            job_id=job_id,
            reason="enough",
            visibility_query=f"TaskQueue = '{stage.queue}' AND ExecutionStatus = 'Running'",
            termination_operation=BatchOperationTermination(identity="operator"),
        )
    )

    async def done() -> Any:
        asked = DescribeBatchOperationRequest(namespace="default", job_id=job_id)
        job = await service.describe_batch_operation(asked)
        return job if job.state == e.BATCH_OPERATION_STATE_COMPLETED else None

    job = await stage.until(done)
    assert (job.total_operation_count, job.complete_operation_count, job.failure_operation_count) == (5, 5, 0)
    for handle in handles:
        assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED
    listed = await service.list_batch_operations(ListBatchOperationsRequest(namespace="default"))
    assert job_id in [each.job_id for each in listed.operation_info]
