"""Signals and queries: order, unknown names, dynamic handlers, closed runs, reject conditions, failures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hand import Hand
from stage import Stage

from outlast import workflow
from outlast.api.enums import v1 as e
from outlast.client import WorkflowQueryFailedError, WorkflowQueryRejectedError
from outlast.common import QueryRejectCondition, RawValue
from outlast.service import RPCError, RPCStatusCode


@workflow.defn
class Ledger:
    """Notes what it is told until it is told to stop."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.stopped = False

    @workflow.run
    async def run(self) -> list[Any]:
        await workflow.wait_condition(lambda: self.stopped)
        return self.entries

    @workflow.signal
    def note(self, entry: Any) -> None:
        self.entries.append(entry)

    @workflow.signal(name="slow-note")
    async def note_slowly(self, entry: Any) -> None:
        await asyncio.sleep(0.001)
        self.entries.append(f"slowly {entry}")

    @workflow.signal(dynamic=True)
    async def anything(self, name: str, args: Sequence[RawValue]) -> None:
        self.entries.append([name, len(args)])

    @workflow.signal
    async def stop(self) -> None:
        self.stopped = True

    @workflow.query
    def count(self) -> int:
        return len(self.entries)

    @workflow.query(name="entry-at")
    def entry_at(self, index: int) -> Any:
        return self.entries[index]

    @workflow.query
    def schedules(self) -> str:
        """Does what a query may not."""
        workflow.start_activity("anything", start_to_close_timeout=timedelta(seconds=1))
        return "scheduled"


@workflow.defn
class Late:
    """Has its handler only later: what came before waits for it."""

    @workflow.run
    async def run(self) -> list[str]:
        heard: list[str] = []
        await asyncio.sleep(0.005)
        workflow.set_signal_handler("word", heard.append)
        await workflow.wait_condition(lambda: len(heard) == 2)
        return heard


async def test_signals_arrive_in_order_and_unknown_ones_go_to_the_dynamic_handler(stage: Stage) -> None:
    handle = await stage.start(Ledger.run)
    for number in range(5):
        await handle.signal(Ledger.note, number)
    await handle.signal("who knows", args=[1, 2])
    async with stage.worker(Ledger):
        await handle.signal("slow-note", "x")

        async def noted() -> bool:
            return bool(await handle.query(Ledger.count) == 7)

        await stage.until(noted)
        await handle.signal(Ledger.stop)
        assert await handle.result() == [0, 1, 2, 3, 4, ["who knows", 2], "slowly x"]
    signaled = await stage.attributes(handle, "WorkflowExecutionSignaled")
    assert [one.signal_name for one in signaled] == ["note"] * 5 + ["who knows", "slow-note", "stop"]


async def test_a_signal_waits_for_its_handler(stage: Stage) -> None:
    async with stage.worker(Late):
        handle = await stage.start(Late.run)
        await handle.signal("word", "early")
        await stage.until_event(handle, "TimerFired")
        await handle.signal("word", "late")
        assert await handle.result() == ["early", "late"]


async def test_a_signal_is_deduplicated_by_its_request_id(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    request = hand.api.SignalWorkflowExecutionRequest(
        namespace="default", workflow_execution={"workflow_id": handle.id}, signal_name="pay", request_id="only once"
    )
    for _ in range(3):
        await hand.service.signal_workflow_execution(request)
    assert (await stage.names(handle)).count("WorkflowExecutionSignaled") == 1


async def test_closed_and_unknown_runs_take_no_signal(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    await hand.turn(hand.complete_workflow())
    with pytest.raises(RPCError) as closed:
        await handle.signal("too late")
    assert closed.value.status is RPCStatusCode.NOT_FOUND
    nowhere = stage.client.get_workflow_handle(stage.id())
    for call in (nowhere.signal("hello"), nowhere.cancel(), nowhere.terminate(), nowhere.describe()):
        with pytest.raises(RPCError) as unknown:
            await call
        assert unknown.value.status is RPCStatusCode.NOT_FOUND
        assert nowhere.id in str(unknown.value)


async def test_a_query_sees_every_signal_before_it(stage: Stage) -> None:
    async with stage.worker(Ledger):
        handle = await stage.start(Ledger.run)
        for number in range(10):
            await handle.signal(Ledger.note, number)
            assert await handle.query(Ledger.count) == number + 1
        assert await handle.query("entry-at", 3) == 3
        await handle.signal(Ledger.stop)
        await handle.result()
        # A closed run answers too, from its history.
        assert await handle.query(Ledger.count) == 10
    async with stage.worker(Ledger, max_cached_workflows=0):
        assert await handle.query("entry-at", 9) == 9


async def test_queries_leave_no_history(stage: Stage) -> None:
    async with stage.worker(Ledger):
        handle = await stage.start(Ledger.run)
        await handle.query(Ledger.count)
        before = await stage.names(handle)
        await asyncio.gather(*(handle.query(Ledger.count) for _ in range(5)))
        assert await stage.names(handle) == before


async def test_queries_that_fail(stage: Stage) -> None:
    async with stage.worker(Ledger):
        handle = await stage.start(Ledger.run)
        with pytest.raises(WorkflowQueryFailedError, match="nothing like it"):
            await handle.query("nothing like it")
        with pytest.raises(WorkflowQueryFailedError, match="list index out of range"):
            await handle.query("entry-at", 7)
        with pytest.raises(WorkflowQueryFailedError):
            await handle.query(Ledger.schedules)
        assert await handle.query(Ledger.count) == 0
    assert "WorkflowTaskFailed" not in await stage.names(handle)


async def test_reject_conditions(stage: Stage) -> None:
    async with stage.worker(Ledger):
        handle = await stage.start(Ledger.run)
        for condition in QueryRejectCondition:
            assert await handle.query(Ledger.count, reject_condition=condition) == 0
        await handle.signal(Ledger.stop)
        await handle.result()
        with pytest.raises(WorkflowQueryRejectedError) as rejected:
            await handle.query(Ledger.count, reject_condition=QueryRejectCondition.NOT_OPEN)
        assert rejected.value.status is not None and rejected.value.status.name == "COMPLETED"
        clean = QueryRejectCondition.NOT_COMPLETED_CLEANLY
        assert await handle.query(Ledger.count, reject_condition=clean) == 0
        ended = await stage.start(Ledger.run)
        await ended.query(Ledger.count)
        await ended.terminate()
        with pytest.raises(WorkflowQueryRejectedError) as rejected:
            await ended.query(Ledger.count, reject_condition=clean)
        assert rejected.value.status is not None and rejected.value.status.name == "TERMINATED"


async def test_the_stack_trace_query(stage: Stage) -> None:
    async with stage.worker(Ledger):
        handle = await stage.start(Ledger.run)
        trace = await handle.query("__stack_trace")
    assert "Stack for" in trace
    # Temporal's own trace ends at its wrapper; ours goes on to the line that waits.
    assert not stage.ours or "await workflow.wait_condition(lambda: self.stopped)" in trace


async def test_a_query_without_a_worker_says_so(stage: Stage) -> None:
    handle = await stage.start(Ledger.run)
    with pytest.raises(RPCError) as waiting:
        await handle.query(Ledger.count, rpc_timeout=timedelta(seconds=1.1))
    # Whose patience ends first, the client's or the server's, is open.
    late = (RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
    assert waiting.value.status in late


async def test_a_query_attached_to_a_task_is_answered_with_its_completion(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    await hand.turn()
    await handle.signal("first")
    asking = asyncio.create_task(handle.query("status"))
    task = await stage.until(lambda: _with_query(hand))
    ((query_id, query),) = task.queries.items()
    assert query.query_type == "status"
    answer = {"payloads": [{"metadata": {"encoding": b"json/plain"}, "data": b'"fine"'}]}
    result = stage.sdk("api.query.v1").WorkflowQueryResult(result_type=e.QUERY_RESULT_TYPE_ANSWERED, answer=answer)
    await hand.complete(task, query_results={query_id: result})
    assert await asking == "fine"


async def _with_query(hand: Hand) -> Any:
    """The next task, if the query has reached it; one that came too early is completed and asked for again."""
    task = await hand.poll()
    if task.queries:
        return task
    await hand.complete(task, force_create_new_workflow_task=True)
    return None
