"""Update-with-start: every conflict policy, one answer per update id, and which half failed."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage

from outlast import workflow
from outlast.client import WithStartWorkflowOperation, WorkflowUpdateFailedError
from outlast.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from outlast.exceptions import WorkflowAlreadyStartedError
from outlast.service import RPCError, RPCStatusCode

BEGUN = ["WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"]
ACCEPTED, COMPLETED = "WorkflowExecutionUpdateAccepted", "WorkflowExecutionUpdateCompleted"


@workflow.defn
class Cart:
    """A cart that is filled by updates."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.closed = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.closed)
        return self.items

    @workflow.update
    def add(self, item: str) -> int:
        self.items.append(item)
        return len(self.items)

    @add.validator
    def check_add(self, item: str) -> None:
        if not item:
            raise ValueError("an item needs a name")

    @workflow.update
    def add_and_close(self, item: str) -> str:
        self.items.append(item)
        self.closed = True
        return "closed"


def cart(stage: Stage, policy: WorkflowIDConflictPolicy, workflow_id: str, **options: Any) -> Any:
    return WithStartWorkflowOperation(
        Cart.run, id=workflow_id, task_queue=stage.queue, id_conflict_policy=policy, **options
    )


async def with_start(stage: Stage, operation: Any, *args: Any, update: Any = Cart.add, **options: Any) -> Any:
    return await stage.client.execute_update_with_start_workflow(
        update, *args, start_workflow_operation=operation, **options
    )


async def test_update_with_start_starts_once_and_updates_twice(stage: Stage) -> None:
    workflow_id = stage.id()
    async with stage.worker(Cart):
        first = cart(stage, WorkflowIDConflictPolicy.USE_EXISTING, workflow_id)
        assert await with_start(stage, first, "tea") == 1
        second = cart(stage, WorkflowIDConflictPolicy.USE_EXISTING, workflow_id)
        assert await with_start(stage, second, "milk") == 2
        handle = await first.workflow_handle()
        assert handle.result_run_id == (await second.workflow_handle()).result_run_id
    assert (await stage.names(handle))[:6] == [*BEGUN, ACCEPTED, COMPLETED]


async def test_update_with_start_refused_by_the_conflict_policy(stage: Stage) -> None:
    handle = await stage.start(Cart.run)
    operation = cart(stage, WorkflowIDConflictPolicy.FAIL, handle.id)
    with pytest.raises(WorkflowAlreadyStartedError):
        await with_start(stage, operation, "tea")
    with pytest.raises(WorkflowAlreadyStartedError):
        await operation.workflow_handle()


async def test_update_with_start_in_place_of_the_open_run(stage: Stage) -> None:
    handle = await stage.start(Cart.run)
    async with stage.worker(Cart):
        operation = cart(stage, WorkflowIDConflictPolicy.TERMINATE_EXISTING, handle.id)
        assert await with_start(stage, operation, "tea") == 1
        assert (await operation.workflow_handle()).result_run_id != handle.result_run_id
    assert (await stage.names(handle, handle.result_run_id))[-1] == "WorkflowExecutionTerminated"


async def test_update_with_start_after_the_run(stage: Stage) -> None:
    workflow_id = stage.id()
    async with stage.worker(Cart):
        first = cart(stage, WorkflowIDConflictPolicy.FAIL, workflow_id)
        assert await with_start(stage, first, "tea", update=Cart.add_and_close, id="u") == "closed"
        await (await first.workflow_handle()).result()
        again = cart(stage, WorkflowIDConflictPolicy.FAIL, workflow_id)
        assert await with_start(stage, again, "tea", update=Cart.add_and_close, id="u") == "closed"
        refused = cart(
            stage,
            WorkflowIDConflictPolicy.FAIL,
            workflow_id,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        with pytest.raises(WorkflowAlreadyStartedError):
            await with_start(stage, refused, "tea", id="v")
        other = cart(stage, WorkflowIDConflictPolicy.FAIL, workflow_id)
        assert await with_start(stage, other, "milk", id="v") == 1
        run_ids = {(await one.workflow_handle()).result_run_id for one in (first, again, other)}
        assert len(run_ids) == 2


async def test_update_with_start_whose_update_is_rejected_has_started(stage: Stage) -> None:
    async with stage.worker(Cart):
        operation = cart(stage, WorkflowIDConflictPolicy.FAIL, stage.id())
        with pytest.raises(WorkflowUpdateFailedError, match="update failed"):
            await with_start(stage, operation, "")
        handle = await operation.workflow_handle()
    assert (await stage.names(handle))[:4] == BEGUN


async def test_update_with_start_takes_no_cron(stage: Stage) -> None:
    operation = cart(stage, WorkflowIDConflictPolicy.FAIL, stage.id(), cron_schedule="* * * * *")
    words = stage.says("cron_schedule", "CronSchedule")
    with pytest.raises(RPCError, match=words) as refused:
        await with_start(stage, operation, "tea")
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT
    with pytest.raises(RPCError, match=words):
        await operation.workflow_handle()
