"""A workflow that an operator pauses and unpauses, and the histories that this leaves for both SDKs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from both_ways import replay_both_ways
from stage import MINUTE, MS, Stage

from outlast import activity, workflow
from outlast.api.enums import v1 as e
from outlast.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    PauseWorkflowExecutionRequest,
    UnpauseWorkflowExecutionRequest,
)
from outlast.client import WorkflowQueryRejectedError
from outlast.service import RPCError, RPCStatusCode

pytestmark = pytest.mark.our_server(reason="Temporal's dev server has pauses of workflows switched off")


@activity.defn
async def double(number: int) -> int:
    return 2 * number


gate = asyncio.Event()


@activity.defn
async def held(number: int) -> int:
    await gate.wait()
    return number


@workflow.defn
class Adding:
    """Adds up what it is sent, each doubled by an activity, until a zero comes."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.total = 0

    @workflow.signal
    def add(self, number: int) -> None:
        self.sent.append(number)

    @workflow.query
    def sum(self) -> int:
        return self.total

    @workflow.update
    async def plus(self, number: int) -> int:
        self.total += number
        return self.total

    @workflow.run
    async def run(self) -> int:
        while True:
            await workflow.wait_condition(lambda: bool(self.sent))
            number = self.sent.pop(0)
            if not number:
                return self.total
            self.total += await workflow.execute_activity(double, number, start_to_close_timeout=MINUTE)


@workflow.defn
class Holding:
    @workflow.run
    async def run(self) -> int:
        local = await workflow.execute_local_activity(double, 1, start_to_close_timeout=MINUTE)
        return local + await workflow.execute_activity(held, 3, start_to_close_timeout=MINUTE)


async def pause(stage: Stage, handle: Any) -> None:
    request = PauseWorkflowExecutionRequest(
        namespace="default", workflow_id=handle.id, identity="operator", reason="bad key", request_id=handle.id
    )
    await stage.client.workflow_service.pause_workflow_execution(request)


async def unpause(stage: Stage, handle: Any) -> None:
    request = UnpauseWorkflowExecutionRequest(namespace="default", workflow_id=handle.id, identity="operator")
    await stage.client.workflow_service.unpause_workflow_execution(request)


async def describe(stage: Stage, handle: Any) -> Any:
    """The description as it came: Temporal's SDK of this version cannot read the status."""
    request = DescribeWorkflowExecutionRequest(namespace="default")
    request.execution.workflow_id = handle.id
    return await stage.client.workflow_service.describe_workflow_execution(request)


async def test_what_comes_while_it_is_paused_waits_for_the_end_of_the_pause(stage: Stage) -> None:
    async with stage.worker(Adding, activities=[double]):
        handle = await stage.start(Adding.run)
        await handle.signal(Adding.add, 1)

        async def added() -> bool:
            return bool(await handle.query(Adding.sum) == 2)

        await stage.until(added)
        assert await handle.execute_update(Adding.plus, 10) == 12
        await pause(stage, handle)
        described = await describe(stage, handle)
        assert described.workflow_execution_info.status == e.WORKFLOW_EXECUTION_STATUS_PAUSED
        info = described.workflow_extended_info.pause_info
        assert (info.identity, info.reason) == ("operator", "bad key")
        await handle.signal(Adding.add, 2)
        with pytest.raises(RPCError) as refused:
            await handle.execute_update(Adding.plus, 100)
        assert refused.value.status == RPCStatusCode.FAILED_PRECONDITION
        assert (await stage.names(handle))[-1] == "WorkflowExecutionSignaled"
        await unpause(stage, handle)
        await handle.signal(Adding.add, 0)
        assert await handle.result() == 16
    await replay_both_ways(stage, handle, __file__, "Adding")


async def test_a_workflow_that_is_paused_before_any_worker_saw_it(stage: Stage) -> None:
    handle = await stage.start(Adding.run)
    await pause(stage, handle)
    async with stage.worker(Adding, activities=[double]):
        await handle.signal(Adding.add, 3)
        await handle.signal(Adding.add, 0)
        assert (await stage.names(handle))[2:4] == ["WorkflowTaskFailed", "WorkflowExecutionPaused"]
        await unpause(stage, handle)
        assert await handle.result() == 6
    await replay_both_ways(stage, handle, __file__, "Adding")


@pytest.mark.ways("embedded", "grpc", reason="Temporal's SDK of this version cannot read the status PAUSED")
async def test_our_client_names_the_status(stage: Stage) -> None:
    async with stage.worker(Adding, activities=[double]):
        handle = await stage.start(Adding.run)
        assert await handle.query(Adding.sum) == 0
        await pause(stage, handle)
        assert (await handle.describe()).status == stage.sdk("client").WorkflowExecutionStatus["PAUSED"]
        with pytest.raises(WorkflowQueryRejectedError) as rejected:
            await handle.query(Adding.sum)
        assert rejected.value.status == stage.sdk("client").WorkflowExecutionStatus["PAUSED"]
        found = [one.status.name async for one in stage.client.list_workflows(f"WorkflowId = '{handle.id}'")]
        assert found == ["PAUSED"]
        await unpause(stage, handle)
        assert await handle.query(Adding.sum) == 0
        await handle.terminate()


async def test_an_activity_that_runs_finishes_while_the_workflow_is_paused(stage: Stage) -> None:
    gate.clear()
    async with stage.worker(Holding, activities=[double, held], max_heartbeat_throttle_interval=50 * MS):
        handle = await stage.start(Holding.run)

        async def begun() -> bool:
            pending = (await describe(stage, handle)).pending_activities
            return bool(pending) and pending[0].state == e.PENDING_ACTIVITY_STATE_STARTED

        await stage.until(begun)
        await pause(stage, handle)
        gate.set()
        await stage.until_event(handle, "ActivityTaskCompleted")
        assert (await describe(stage, handle)).workflow_execution_info.status == e.WORKFLOW_EXECUTION_STATUS_PAUSED
        await unpause(stage, handle)
        assert await handle.result() == 5
    await replay_both_ways(stage, handle, __file__, "Holding")
