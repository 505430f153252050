"""Chains of runs: cron, continue-as-new, retry, reset and deletion, as both SDKs see them."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from stage import MINUTE, Stage

from outlast import activity, workflow
from outlast.api.common.v1 import WorkflowExecution
from outlast.api.enums.v1 import RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL
from outlast.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from outlast.client import WorkflowContinuedAsNewError, WorkflowExecutionStatus, WorkflowFailureError
from outlast.common import RetryPolicy
from outlast.exceptions import ApplicationError
from outlast.service import RPCError, RPCStatusCode
from outlast.worker import Replayer


@activity.defn
async def price(order: str) -> int:
    return len(order)


@workflow.defn
class Every:
    """A cron that counts its runs by its last result, and fails in its second."""

    @workflow.run
    async def run(self) -> int:
        count = workflow.get_last_completion_result(int) if workflow.has_last_completion_result() else 0
        failed = workflow.get_last_failure()
        if count == 1 and failed is None:
            raise ApplicationError("in the second run")
        return (count or 0) + (10 if failed else 1)


@workflow.defn
class Count:
    """Continues as new down to zero; its last run fails once, and is retried."""

    @workflow.run
    async def run(self, left: int) -> str:
        info = workflow.info()
        if left:
            assert info.get_current_history_length() > 0 and not info.is_continue_as_new_suggested()
            workflow.continue_as_new(left - 1)
        if info.attempt == 1:
            raise ApplicationError("first attempt")
        assert info.first_execution_run_id != info.run_id
        return f"{info.attempt} {workflow.memo_value('who', type_hint=str)}"


@workflow.defn
class Order:
    """Prices an order, and waits to be told twice."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @workflow.run
    async def run(self, order: str) -> dict[str, Any]:
        first = workflow.random().random()
        cost = await workflow.execute_activity(price, order, start_to_close_timeout=MINUTE)
        await workflow.wait_condition(lambda: len(self.told) >= 2)
        await workflow.sleep(0.01)
        return {"cost": cost, "told": self.told, "first": first, "last": workflow.random().random()}

    @workflow.signal
    async def tell(self, word: str) -> None:
        self.told.append(word)


async def reset(stage: Stage, handle: Any, point: int, **fields: Any) -> str:
    answer = await stage.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
            reason="again",
            request_id=stage.id(),
            workflow_task_finish_event_id=point,
            **fields,
        )
    )
    return str(answer.run_id)


async def replay(stage: Stage, handle: Any, *workflows: type) -> None:
    """The history replays in the SDK that is on the stage."""
    options = {} if stage.ours else {"workflow_runner": stage.sdk("worker").UnsandboxedWorkflowRunner()}
    await Replayer(workflows=list(workflows), **options).replay_workflow(await handle.fetch_history())


async def test_a_cron_hands_results_and_failures_on(stage: Stage) -> None:
    async with stage.worker(Every):
        handle = await stage.start(Every.run, cron_schedule="@every 1s")
        run_id, results = handle.first_execution_run_id, []
        for _ in range(3):
            with contextlib.suppress(WorkflowFailureError, WorkflowContinuedAsNewError):
                await stage.client.get_workflow_handle(handle.id, run_id=run_id).result(follow_runs=False)
            last = (await stage.events(handle, run_id))[-1]
            succeeded, failed = (
                last.workflow_execution_completed_event_attributes,
                last.workflow_execution_failed_event_attributes,
            )
            results.append(failed.failure.message or int(succeeded.result.payloads[0].data))
            run_id = succeeded.new_execution_run_id or failed.new_execution_run_id
        await handle.cancel()
    assert results == [1, "in the second run", 11]
    started = (await stage.attributes(handle, "WorkflowExecutionStarted", run_id))[0]
    assert started.cron_schedule == "@every 1s" and started.attempt == 1


async def test_a_bad_cron_is_refused(stage: Stage) -> None:
    with pytest.raises(RPCError, match=stage.says("cron_schedule '61 ", "CronSchedule")) as refused:
        await stage.start(Every.run, cron_schedule="61 * * * *")
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT


async def test_results_are_followed_over_continue_as_new_and_retry(stage: Stage) -> None:
    policy = RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=2)
    async with stage.worker(Count):
        handle = await stage.start(Count.run, 1, retry_policy=policy, memo={"who": "bob"})
        assert await handle.result() == "2 bob"
        first = stage.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        assert (await first.describe()).status == WorkflowExecutionStatus.CONTINUED_AS_NEW
    started = (await stage.attributes(handle, "WorkflowExecutionStarted"))[0]
    assert started.first_execution_run_id == handle.first_execution_run_id
    assert started.continued_failure.message == "first attempt" and started.attempt == 2


async def told_twice(stage: Stage) -> tuple[Any, dict[str, Any]]:
    """A closed order, whose signals came after its first workflow task; its handle and result."""
    handle = await stage.start(Order.run, "abc")
    await stage.until_event(handle, "ActivityTaskCompleted")
    await handle.signal(Order.tell, "one")
    await handle.signal(Order.tell, "two")
    return handle, await handle.result()


async def test_a_reset_run_does_its_work_again_and_hears_the_signals(stage: Stage) -> None:
    async with stage.worker(Order, activities=[price]):
        handle, before = await told_twice(stage)
        new = await reset(stage, handle, 4)
        again = stage.client.get_workflow_handle(handle.id, run_id=new)
        after = await again.result()
    assert after["told"] == ["one", "two"] and after["cost"] == before["cost"] == 3
    assert after["first"] != before["first"]
    names = await stage.names(handle, new)
    assert names[3] == "WorkflowTaskFailed" and names.count("ActivityTaskScheduled") == 1
    await replay(stage, again, Order)


async def test_random_numbers_differ_after_the_reset_and_not_before(stage: Stage) -> None:
    async with stage.worker(Order, activities=[price]):
        handle, before = await told_twice(stage)
        (timer,) = await stage.attributes(handle, "TimerStarted")
        new = await reset(stage, handle, timer.workflow_task_completed_event_id)
        again = stage.client.get_workflow_handle(handle.id, run_id=new)
        after = await again.result()
    assert after["first"] == before["first"] and after["last"] != before["last"]
    await replay(stage, again, Order)


async def test_signals_can_be_left_out_of_a_reset(stage: Stage) -> None:
    async with stage.worker(Order, activities=[price]):
        handle, _ = await told_twice(stage)
        new = await reset(stage, handle, 4, reset_reapply_exclude_types=[RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL])
        again = stage.client.get_workflow_handle(handle.id, run_id=new)
        await again.signal(Order.tell, "three")
        await again.signal(Order.tell, "four")
        assert (await again.result())["told"] == ["three", "four"]


async def test_a_deleted_workflow_is_gone(stage: Stage) -> None:
    async with stage.worker(Order, activities=[price]):
        handle = await stage.start(Order.run, "abc")
        await stage.client.workflow_service.delete_workflow_execution(
            DeleteWorkflowExecutionRequest(
                namespace="default", workflow_execution=WorkflowExecution(workflow_id=handle.id)
            )
        )
        with pytest.raises(RPCError) as gone:
            await handle.describe()
        assert gone.value.status == RPCStatusCode.NOT_FOUND
