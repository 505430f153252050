"""Updates: validators, handlers, stages, ids, closing runs, failing tasks, and update-with-start."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from both_ways import replay_both_ways
from stage import MINUTE, Stage

from outlast import activity, workflow
from outlast.client import (
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from outlast.common import RawValue
from outlast.exceptions import ApplicationError
from outlast.service import RPCError, RPCStatusCode

EMPTY_TASK = ["WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"]
BEGUN = ["WorkflowExecutionStarted", *EMPTY_TASK]
ACCEPTED, COMPLETED = "WorkflowExecutionUpdateAccepted", "WorkflowExecutionUpdateCompleted"

task_failures: dict[str, int] = {}
"""How often each workflow's update has failed its workflow task so far."""


@activity.defn
async def price(item: str) -> int:
    return len(item)


@workflow.defn
class Cart:
    """A cart that is filled by updates."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.closed = False
        self.gate = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.closed)
        return self.items

    @workflow.signal
    def open_gate(self) -> None:
        self.gate = True

    @workflow.signal
    def close(self) -> None:
        self.closed = True

    @workflow.query
    def content(self) -> list[str]:
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
    async def add_priced(self, item: str) -> int:
        cost = await workflow.execute_activity(price, item, schedule_to_close_timeout=MINUTE)
        self.items.append(item)
        return cost

    @workflow.update
    async def add_later(self, item: str) -> str:
        await workflow.wait_condition(lambda: self.gate)
        self.items.append(item)
        info = workflow.current_update_info()
        assert info is not None
        return f"{info.id}: {info.name}"

    @workflow.update
    async def decline(self, reason: str) -> None:
        raise ApplicationError(reason, 7, type="Declined")

    @workflow.update
    def add_and_close(self, item: str) -> str:
        self.items.append(item)
        self.closed = True
        return "closed"

    @workflow.update
    def trip(self, times: int) -> str:
        key = workflow.info().workflow_id
        if not workflow.unsafe.is_replaying() and task_failures.get(key, 0) < times:
            task_failures[key] = task_failures.get(key, 0) + 1
            raise RuntimeError("this fails the workflow task")
        return "recovered"

    @workflow.update(dynamic=True)
    async def anything(self, name: str, args: Sequence[RawValue]) -> str:
        return f"{name} with {workflow.payload_converter().from_payload(args[0].payload, str)}"


async def test_an_update_is_accepted_and_completed_in_one_task(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run)
        await stage.until_event(handle, "WorkflowTaskCompleted")
        assert await handle.execute_update(Cart.add, "tea", id="first") == 1
        assert await handle.execute_update("add", "milk", result_type=int) == 2
        await handle.signal(Cart.close)
        assert await handle.result() == ["tea", "milk"]
    one = [*EMPTY_TASK, ACCEPTED, COMPLETED]
    assert (await stage.names(handle))[:14] == [*BEGUN, *one, *one]
    accepted = (await stage.attributes(handle, ACCEPTED))[0]
    completed = (await stage.attributes(handle, COMPLETED))[0]
    assert accepted.protocol_instance_id == "first"
    assert accepted.accepted_request_message_id == "first/request"
    assert accepted.accepted_request_sequencing_event_id == 5
    assert accepted.accepted_request.input.name == "add"
    assert (completed.meta.update_id, completed.accepted_event_id) == ("first", 8)


async def test_a_rejected_update_leaves_no_trace(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run)
        await stage.until_event(handle, "WorkflowTaskCompleted")
        for _ in range(3):
            with pytest.raises(WorkflowUpdateFailedError) as rejected:
                await handle.execute_update(Cart.add, "", id="nameless")
            assert isinstance(rejected.value.cause, ApplicationError)
            assert (rejected.value.cause.message, rejected.value.cause.type) == ("an item needs a name", "ValueError")
        assert await stage.names(handle) == BEGUN
        with pytest.raises(RPCError) as unknown:
            await handle.get_update_handle("nameless").result()
        assert unknown.value.status == RPCStatusCode.NOT_FOUND
        # The worker's cache went back to before the dropped tasks, and goes on from there.
        assert await handle.execute_update(Cart.add, "tea") == 1
        await handle.signal(Cart.close)
        assert await handle.result() == ["tea"]
    assert (await stage.names(handle))[4:9] == [*EMPTY_TASK, ACCEPTED, COMPLETED]


async def test_rejections_between_other_events(stage: Stage) -> None:
    async with stage.worker(Cart, activities=[price]):
        handle = await stage.start(Cart.run)
        for item in ("tea", "", "milk", "", ""):
            if item:
                assert await handle.execute_update(Cart.add_priced, item) == len(item)
            else:
                with pytest.raises(WorkflowUpdateFailedError):
                    await handle.execute_update(Cart.add, item)
            await handle.signal(Cart.open_gate)
            await handle.query(Cart.content)
        await handle.signal(Cart.close)
        assert await handle.result() == ["tea", "milk"]
    assert (await stage.names(handle)).count(ACCEPTED) == 2


async def test_an_update_before_the_first_task_rides_on_it(stage: Stage) -> None:
    handle = await stage.start(Cart.run)
    sent = asyncio.create_task(handle.execute_update(Cart.add, "tea"))
    async with stage.worker(Cart):
        assert await sent == 1
    assert (await stage.names(handle))[:6] == [*BEGUN, ACCEPTED, COMPLETED]


async def test_an_update_wakes_a_run_that_waits_for_its_start_delay(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run, start_delay=timedelta(hours=1))
        assert await handle.execute_update(Cart.add, "tea") == 1
    assert (await stage.names(handle))[:6] == [*BEGUN, ACCEPTED, COMPLETED]


async def test_handlers_that_wait_are_accepted_first(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run)
        updates = [
            await handle.start_update(
                Cart.add_later, f"item {number}", id=f"u{number}", wait_for_stage=WorkflowUpdateStage.ACCEPTED
            )
            for number in range(4)
        ]
        assert await handle.query(Cart.content) == []
        await handle.signal(Cart.open_gate)
        assert [await update.result() for update in updates] == [f"u{number}: add_later" for number in range(4)]
        assert await handle.get_update_handle_for(Cart.add_later, "u2").result() == "u2: add_later"


async def test_one_update_id_is_one_update(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run)
        results = await asyncio.gather(*(handle.execute_update(Cart.add, "tea", id="same") for _ in range(5)))
        assert results == [1] * 5
        assert await handle.execute_update(Cart.add, "", id="same") == 1
        await handle.signal(Cart.close)
        assert await handle.result() == ["tea"]
        assert await handle.execute_update(Cart.add, "late", id="same") == 1
        assert await handle.get_update_handle("same", result_type=int).result() == 1
        with pytest.raises(RPCError, match="already completed") as closed:
            await handle.execute_update(Cart.add, "late")
        assert closed.value.status == RPCStatusCode.NOT_FOUND


async def test_many_updates_at_once(stage: Stage) -> None:
    async with stage.worker(Cart, activities=[price]):
        handle = await stage.start(Cart.run)
        items = [f"item {number}" for number in range(9)]
        costs = await asyncio.gather(*(handle.execute_update(Cart.add_priced, item) for item in items))
        assert costs == [len(item) for item in items]
        assert sorted(await handle.query(Cart.content)) == items


async def test_a_failed_handler_and_an_unknown_one(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run)
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(Cart.decline, "no stock")
        cause = failed.value.cause
        assert isinstance(cause, ApplicationError)
        assert (cause.message, cause.type, list(cause.details)) == ("no stock", "Declined", [7])
        assert await handle.execute_update("unheard_of", "x", result_type=str) == "unheard_of with x"
    outcome = (await stage.attributes(handle, COMPLETED))[0].outcome
    assert outcome.failure.application_failure_info.type == "Declined"


async def test_an_update_without_a_handler_is_rejected(stage: Stage) -> None:
    async with stage.worker(Patient):
        handle = await stage.start(Patient.run)
        with pytest.raises(WorkflowUpdateFailedError) as rejected:
            await handle.execute_update("unheard_of", "x")
        assert isinstance(rejected.value.cause, ApplicationError)
        assert rejected.value.cause.message == (
            "Update handler for 'unheard_of' expected but not found, and there is no dynamic handler. "
            "known updates: [finish]"
        )


async def test_more_updates_than_may_be_in_flight_are_sent_again(stage: Stage) -> None:
    async with stage.worker(Cart, activities=[price]):
        handle = await stage.start(Cart.run)
        costs = await asyncio.gather(*(handle.execute_update(Cart.add_priced, "x" * n) for n in range(14)))
        assert costs == list(range(14))


async def test_a_handler_that_breaks_the_task_is_tried_again(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run)
        assert await handle.execute_update(Cart.trip, 1) == "recovered"
        await stage.until_event(handle, COMPLETED)
    assert (await stage.names(handle)).count("WorkflowTaskFailed") == 1


async def test_an_update_that_closes_its_run_is_answered(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run)
        assert await handle.execute_update(Cart.add_and_close, "tea") == "closed"
        assert await handle.result() == ["tea"]
    assert (await stage.names(handle))[-3:] == [ACCEPTED, COMPLETED, "WorkflowExecutionCompleted"]


async def test_an_accepted_update_fails_when_its_run_is_terminated(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run)
        update = await handle.start_update(Cart.add_later, "tea", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await handle.terminate()
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await update.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "AcceptedUpdateCompletedWorkflow"


async def test_a_waiting_update_ends_with_its_run(stage: Stage) -> None:
    handle = await stage.start(Cart.run)
    sent = asyncio.create_task(handle.execute_update(Cart.add, "tea", id="u"))

    async def waits() -> bool:
        polled = await poll_update(stage, handle, "u")
        return polled is not None and polled.stage == WorkflowUpdateStage.ADMITTED

    await stage.until(waits)
    await handle.terminate()
    with pytest.raises(RPCError, match="aborted by closing workflow") as aborted:
        await sent
    assert aborted.value.status == RPCStatusCode.NOT_FOUND


async def poll_update(stage: Stage, handle: Any, update_id: str) -> Any:
    """How far an update has come, without waiting; None when it is not known."""
    api = stage.sdk("api.workflowservice.v1")
    request = api.PollWorkflowExecutionUpdateRequest(
        namespace="default",
        update_ref={"workflow_execution": {"workflow_id": handle.id}, "update_id": update_id},
    )
    try:
        return await stage.client.workflow_service.poll_workflow_execution_update(request)
    except stage.sdk("service").RPCError:
        return None


async def test_a_call_can_end_before_its_update_does(stage: Stage) -> None:
    async with stage.worker(Cart):
        handle = await stage.start(Cart.run)
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await handle.execute_update(Cart.add_later, "tea", id="slow", rpc_timeout=timedelta(milliseconds=300))
        await handle.signal(Cart.open_gate)
        assert await handle.get_update_handle("slow", result_type=str).result() == "slow: add_later"


@workflow.defn
class Patient:
    """Waits for its handlers before it returns."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.done)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return workflow.info().get_current_history_length()

    @workflow.update
    async def finish(self) -> int:
        self.done = True
        await workflow.sleep(0.001)
        return workflow.info().get_current_history_length()


async def test_a_run_waits_for_its_handlers(stage: Stage) -> None:
    async with stage.worker(Patient):
        handle = await stage.start(Patient.run)
        length = await handle.execute_update(Patient.finish)
        assert await handle.result() == length > 0


@workflow.defn
class Hasty:
    """Returns while a handler is still at work."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.done)

    @workflow.update
    async def linger(self) -> None:
        self.done = True
        await workflow.sleep(MINUTE)

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def linger_on(self) -> None:
        self.done = True
        await workflow.sleep(MINUTE)


@pytest.mark.parametrize(("update", "warned"), [("linger", True), ("linger_on", False)])
async def test_an_unfinished_handler_warns_and_its_update_fails(stage: Stage, update: str, warned: bool) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with stage.worker(Hasty):
            handle = await stage.start(Hasty.run)
            with pytest.raises(WorkflowUpdateFailedError) as failed:
                await handle.execute_update(update)
            await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "AcceptedUpdateCompletedWorkflow"
    unfinished = [one for one in caught if issubclass(one.category, workflow.UnfinishedUpdateHandlersWarning)]
    assert bool(unfinished) is warned


async def test_histories_with_updates_replay_both_ways(stage: Stage) -> None:
    handle = await stage.start(Cart.run)
    first = asyncio.create_task(handle.execute_update(Cart.add, "before the first task"))
    async with stage.worker(Cart, activities=[price]):
        await first
        later = [
            await handle.start_update(Cart.add_later, item, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
            for item in ("later", "latest")
        ]
        priced = asyncio.gather(*(handle.execute_update(Cart.add_priced, item) for item in ("tea", "milk")))
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Cart.add, "")
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Cart.decline, "no")
        await handle.signal(Cart.open_gate)
        await priced
        for update in later:
            await update.result()
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Cart.add, "")
        assert await handle.execute_update(Cart.trip, 1) == "recovered"
        await handle.execute_update(Cart.add_and_close, "last")
        assert len(await handle.result()) == 6
    await replay_both_ways(stage, handle, __file__, "Cart")


async def test_a_worker_that_forgets_its_runs_replays_updates(stage: Stage) -> None:
    async with stage.worker(Cart, activities=[price], max_cached_workflows=0):
        handle = await stage.start(Cart.run)
        for number, item in enumerate(("tea", "", "milk"), 1):
            if item:
                assert await handle.execute_update(Cart.add_priced, item) == len(item)
            else:
                with pytest.raises(WorkflowUpdateFailedError):
                    await handle.execute_update(Cart.add, item)
            assert len(await handle.query(Cart.content)) == (number + 1) // 2
    await replay_both_ways(stage, handle, __file__, "Cart")
