"""Workers and task queues as operators see them."""

from __future__ import annotations

import pytest
from stage import Stage

import outlast.api.enums.v1 as enums
from outlast import activity, workflow
from outlast.api.taskqueue.v1 import TaskQueue
from outlast.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkerRequest, ListWorkersRequest


@activity.defn
async def work() -> str:
    return "done"


@workflow.defn
class Idle:
    """Waits for ever."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


async def test_a_task_queue_shows_its_pollers_and_its_backlog(stage: Stage) -> None:
    service, queue = stage.client.workflow_service, TaskQueue(name=stage.queue)
    asked = DescribeTaskQueueRequest(namespace="default", task_queue=queue, report_stats=True)
    handle = await stage.start(Idle.run)
    described = await service.describe_task_queue(asked)
    assert described.stats.approximate_backlog_count == 1 and not described.pollers
    async with stage.worker(Idle, activities=[work], identity="the-worker"):
        await stage.until_event(handle, "WorkflowTaskCompleted")

        async def served() -> bool:
            described = await service.describe_task_queue(asked)
            assert [poller.identity for poller in described.pollers] == ["the-worker"]
            stats = described.stats
            return bool(stats.approximate_backlog_count == 0 and stats.tasks_dispatch_rate > 0)

        assert await stage.shortly(served)
        asked.task_queue_type = enums.TASK_QUEUE_TYPE_ACTIVITY

        async def polled() -> bool:
            return [each.identity for each in (await service.describe_task_queue(asked)).pollers] == ["the-worker"]

        await stage.until(polled)
    await handle.terminate()


@pytest.mark.ways("embedded", "grpc", reason="temporalio's first heartbeat comes after its interval, a minute")
async def test_a_worker_shows_itself_from_its_start_to_its_end(stage: Stage) -> None:
    service = stage.client.workflow_service
    request = ListWorkersRequest(namespace="default", query=f"TaskQueue = '{stage.queue}' AND Status = 'Running'")

    async def listed() -> bool:
        return len((await service.list_workers(request)).workers) == 1

    async with stage.worker(Idle, activities=[work], max_concurrent_activities=7):
        await stage.until(listed)
        (shown,) = (await service.list_workers(request)).workers
        assert (shown.sdk_name, shown.task_queue) == ("outlast-python", stage.queue) and shown.host_name
        described = await service.describe_worker(
            DescribeWorkerRequest(namespace="default", worker_instance_key=shown.worker_instance_key)
        )
        heartbeat = described.worker_info.worker_heartbeat
        slots = heartbeat.activity_task_slots_info
        assert slots.current_available_slots + slots.current_used_slots == 7
        assert heartbeat.HasField("workflow_task_slots_info") and heartbeat.start_time.seconds
    assert not (await service.list_workers(request)).workers
    request.query = f"TaskQueue = '{stage.queue}' AND Status = 'ShuttingDown'"
    assert len((await service.list_workers(request)).workers) == 1
