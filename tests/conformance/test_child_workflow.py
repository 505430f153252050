"""Children as workflow code sees them: options, failures, cancellation types, parent close policies, chains."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from both_ways import replay_both_ways
from stage import MINUTE, MS, Stage

from outlast import workflow
from outlast.api.enums import v1 as e
from outlast.client import WorkflowExecutionStatus, WorkflowFailureError
from outlast.common import Priority, RetryPolicy, WorkflowIDReusePolicy
from outlast.exceptions import (
    ApplicationError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)
from outlast.workflow import ChildWorkflowCancellationType, ParentClosePolicy


@workflow.defn
class ProcessItemWorkflow:
    @workflow.run
    async def run(self, item_id: str) -> str:
        return f"processed {item_id}"


@workflow.defn
class BatchProcessingWorkflow:
    """The tutorial's."""

    @workflow.run
    async def run(self, item_ids: list[str], prefix: str) -> list[str]:
        handles = [
            await workflow.start_child_workflow(ProcessItemWorkflow.run, item_id, id=f"{prefix}-{item_id}")
            for item_id in item_ids
        ]
        return list(await asyncio.gather(*handles))


@workflow.defn
class FanOut:
    @workflow.run
    async def run(self, count: int) -> int:
        me = workflow.info().workflow_id
        children = [
            workflow.execute_child_workflow(ProcessItemWorkflow.run, str(n), id=f"{me}/{n}") for n in range(count)
        ]
        return len(set(await asyncio.gather(*children)))


@workflow.defn
class Child:
    """Waits to be told how to end."""

    def __init__(self) -> None:
        self.ending = ""
        self.seen: list[str] = []

    @workflow.run
    async def run(self, ending: str) -> str:
        self.ending = ending
        await workflow.wait_condition(lambda: self.ending != "")
        if self.ending == "fail":
            raise ApplicationError("no stock", "sku-1", type="OutOfStock", non_retryable=True)
        if self.ending == "fail once" and workflow.info().attempt == 1:
            raise ApplicationError("once")
        if self.ending == "again":
            workflow.continue_as_new("done")
        if self.ending == "hang":
            await workflow.wait_condition(lambda: False)
        return f"{self.ending} {workflow.info().attempt} {self.seen}"

    @workflow.signal
    def end(self, how: str) -> None:
        self.ending = how

    @workflow.signal
    def see(self, what: str) -> None:
        self.seen.append(what)


@workflow.defn
class Describe:
    """What a child knows of itself."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        info = workflow.info()
        assert info.parent is not None and info.root is not None
        return {
            "parent": [info.parent.namespace, info.parent.workflow_id, info.parent.run_id],
            "root": [info.root.workflow_id, info.root.run_id],
            "memo": workflow.memo(),
            "timeouts": [
                timeout.total_seconds() if timeout else None
                for timeout in (info.execution_timeout, info.run_timeout, info.task_timeout)
            ],
            "attempts": info.retry_policy.maximum_attempts if info.retry_policy else None,
            "priority": info.priority.priority_key,
            "queue": info.task_queue,
        }


@workflow.defn
class StartsDescribe:
    @workflow.run
    async def run(self, child_id: str) -> dict[str, Any]:
        return await workflow.execute_child_workflow(
            Describe.run,
            id=child_id,
            memo={"note": "fragile"},
            execution_timeout=timedelta(minutes=5),
            run_timeout=timedelta(minutes=4),
            task_timeout=timedelta(seconds=7),
            retry_policy=RetryPolicy(maximum_attempts=2),
            priority=Priority(priority_key=2),
            static_summary="a summary",
            static_details="some details",
        )


@workflow.defn
class Parent:
    """Runs one child and says how that went."""

    def __init__(self) -> None:
        self.handle: Any = None
        self.cancel = False
        self.go_on = False

    @workflow.run
    async def run(self, child_id: str, ending: str, options: dict[str, Any]) -> list[Any]:
        given: dict[str, Any] = {}
        if "run_timeout_ms" in options:
            given["run_timeout"] = timedelta(milliseconds=options["run_timeout_ms"])
        if "attempts" in options:
            given["retry_policy"] = RetryPolicy(
                maximum_attempts=options["attempts"], initial_interval=timedelta(milliseconds=1)
            )
        if "close" in options:
            given["parent_close_policy"] = ParentClosePolicy[options["close"]]
        if "cancel" in options:
            given["cancellation_type"] = ChildWorkflowCancellationType[options["cancel"]]
        if "reuse" in options:
            given["id_reuse_policy"] = WorkflowIDReusePolicy[options["reuse"]]
        try:
            starting = workflow.start_child_workflow(Child.run, ending, id=child_id, **given)
            if options.get("cancel_before_start"):
                task = asyncio.create_task(starting)
                await asyncio.sleep(0)
                task.cancel()
                self.handle = await task
            else:
                self.handle = await starting
            if options.get("then") == "continue as new":
                workflow.continue_as_new(args=[child_id, ending, {"then": "return"}])
            if options.get("then") == "return":
                return ["returned"]
            if options.get("then") == "fail":
                raise ApplicationError("the parent fails")
            if "cancel" in options:
                await workflow.wait_condition(lambda: self.cancel)
                self.handle.cancel()
            return ["ok", await self.handle]
        except ChildWorkflowError as err:
            cause = err.cause
            if "cancel" in options:
                # A run that closes with its request sends nothing.
                await workflow.wait_condition(lambda: self.go_on)
            shape = [type(cause).__name__, str(err), err.workflow_id == child_id, err.workflow_type]
            retry_state = err.retry_state.name if err.retry_state else None
            return [*shape, retry_state, err.initiated_event_id, err.started_event_id]
        except WorkflowAlreadyStartedError as err:
            return ["taken", err.workflow_id == child_id, err.workflow_type]

    @workflow.signal
    def cancel_child(self) -> None:
        self.cancel = True

    @workflow.signal
    def end(self) -> None:
        self.go_on = True

    @workflow.signal
    async def tell_child(self, what: str) -> None:
        await workflow.wait_condition(lambda: self.handle is not None)
        await self.handle.signal(Child.see, what)
        await self.handle.signal(Child.end, "told")


WORKFLOWS = (BatchProcessingWorkflow, FanOut, ProcessItemWorkflow, Child, Describe, StartsDescribe, Parent)


async def child_of(stage: Stage, handle: Any, child_id: str) -> Any:
    """A handle on the child, once it runs."""
    await stage.until_event(handle, "ChildWorkflowExecutionStarted")
    return stage.client.get_workflow_handle(child_id)


async def test_the_tutorials_batch(stage: Stage) -> None:
    async with stage.worker(*WORKFLOWS):
        handle = await stage.start(BatchProcessingWorkflow.run, ["a", "b", "c"], stage.id())
        assert await handle.result() == ["processed a", "processed b", "processed c"]
    names = await stage.names(handle)
    for name in ("StartChildWorkflowExecutionInitiated", "ChildWorkflowExecutionStarted"):
        assert names.count(name) == 3
    assert names.count("ChildWorkflowExecutionCompleted") == 3


async def test_many_at_once(stage: Stage) -> None:
    async with stage.worker(*WORKFLOWS):
        assert await stage.execute(FanOut.run, 120) == 120


async def test_every_option_and_what_the_child_knows(stage: Stage) -> None:
    child_id = stage.id()
    async with stage.worker(*WORKFLOWS):
        handle = await stage.start(StartsDescribe.run, child_id)
        told = await handle.result()
    me = [handle.id, handle.first_execution_run_id]
    assert told == {
        "parent": ["default", *me],
        "root": me,
        "memo": {"note": "fragile"},
        "timeouts": [300, 240, 7],
        "attempts": 2,
        "priority": 2,
        "queue": stage.queue,
    }
    child = stage.client.get_workflow_handle(child_id)
    described = await child.describe()
    assert [described.parent_id, described.parent_run_id] == me
    assert [described.root_id, described.root_run_id] == me
    assert await described.static_summary() == "a summary"
    assert await described.static_details() == "some details"


@pytest.mark.parametrize(
    ("ending", "options", "expected"),
    [
        ("fail", {}, ["ApplicationError", "Child Workflow execution failed", "RETRY_POLICY_NOT_SET"]),
        ("fail", {"attempts": 3}, ["ApplicationError", "Child Workflow execution failed", "NON_RETRYABLE_FAILURE"]),
        ("", {"run_timeout_ms": 50}, ["TimeoutError", "Child Workflow execution timed out", "RETRY_POLICY_NOT_SET"]),
    ],
)
async def test_how_a_child_fails(stage: Stage, ending: str, options: dict[str, Any], expected: list[str]) -> None:
    async with stage.worker(*WORKFLOWS):
        got = await stage.execute(Parent.run, stage.id(), ending, options)
    cause, message, retry_state = expected
    assert got[:5] == [cause, message, True, "Child", retry_state]
    assert got[5] == 5 and got[6] == 6


async def test_an_unhandled_failure_of_a_child_fails_the_parent(stage: Stage) -> None:
    async with stage.worker(Spoiled, *WORKFLOWS):
        with pytest.raises(WorkflowFailureError) as failed:
            await stage.execute(Spoiled.run, stage.id())
    error = failed.value.cause
    assert isinstance(error, ChildWorkflowError)
    cause = error.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.non_retryable, cause.details) == (
        "no stock",
        "OutOfStock",
        True,
        ("sku-1",),
    )
    assert error.namespace == "default" and error.workflow_type == "Child" and error.run_id


@workflow.defn
class Spoiled:
    @workflow.run
    async def run(self, child_id: str) -> str:
        return await workflow.execute_child_workflow(Child.run, "fail", id=child_id)


@pytest.mark.parametrize(
    ("do", "cause", "message"),
    [
        ("terminate", "TerminatedError", "Child Workflow execution terminated"),
        ("cancel", "CancelledError", "Child Workflow execution cancelled"),
    ],
)
async def test_a_child_ended_from_outside(stage: Stage, do: str, cause: str, message: str) -> None:
    child_id = stage.id()
    async with stage.worker(*WORKFLOWS):
        handle = await stage.start(Parent.run, child_id, "", {})
        child = await child_of(stage, handle, child_id)
        await getattr(child, do)()
        got = await handle.result()
    assert got[:5] == [cause, message, True, "Child", "NON_RETRYABLE_FAILURE"]


async def test_an_id_in_use(stage: Stage) -> None:
    async with stage.worker(*WORKFLOWS):
        other = await stage.start(Child.run, "")
        assert await stage.execute(Parent.run, other.id, "x", {}) == ["taken", True, "Child"]
        await other.signal(Child.end, "end")
        await other.result()
        assert await stage.execute(Parent.run, other.id, "x", {"reuse": "REJECT_DUPLICATE"}) == ["taken", True, "Child"]
        assert (await stage.execute(Parent.run, other.id, "x", {}))[0] == "ok"


async def test_signals_reach_the_child_in_order(stage: Stage) -> None:
    async with stage.worker(*WORKFLOWS):
        handle = await stage.start(Parent.run, stage.id(), "", {}, start_signal="tell_child", start_signal_args=["x"])
        assert await handle.result() == ["ok", "told 1 ['x']"]


@pytest.mark.parametrize(
    ("ending", "options", "result"), [("fail once", {"attempts": 2}, "fail once 2 []"), ("again", {}, "done 1 []")]
)
async def test_one_handle_for_the_whole_chain(stage: Stage, ending: str, options: dict[str, Any], result: str) -> None:
    child_id = stage.id()
    async with stage.worker(*WORKFLOWS):
        handle = await stage.start(Parent.run, child_id, ending, options)
        assert await handle.result() == ["ok", result]
    (started,) = await stage.attributes(handle, "ChildWorkflowExecutionStarted")
    (completed,) = await stage.attributes(handle, "ChildWorkflowExecutionCompleted")
    assert completed.workflow_execution.run_id != started.workflow_execution.run_id
    assert completed.started_event_id == 6
    described = await stage.client.get_workflow_handle(child_id).describe()
    assert described.parent_id == handle.id


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("ABANDON", None),
        ("TRY_CANCEL", "CANCELED"),
        ("WAIT_CANCELLATION_COMPLETED", "CANCELED"),
        ("WAIT_CANCELLATION_REQUESTED", "CANCELED"),
    ],
)
async def test_cancellation_types(stage: Stage, kind: str, status: str | None) -> None:
    child_id = stage.id()
    async with stage.worker(*WORKFLOWS):
        handle = await stage.start(Parent.run, child_id, "", {"cancel": kind, "close": "ABANDON"})
        child = await child_of(stage, handle, child_id)
        await handle.signal(Parent.cancel_child)
        if status is not None:
            assert await stage.until_closed(child) == WorkflowExecutionStatus[status]
        await handle.signal(Parent.end)
        assert (await handle.result())[0] == "CancelledError"
        if status is None:
            assert (await child.describe()).status == WorkflowExecutionStatus.RUNNING
            await child.terminate()
    names = await stage.names(handle)
    assert ("RequestCancelExternalWorkflowExecutionInitiated" in names) == (status is not None)
    if kind == "WAIT_CANCELLATION_COMPLETED":
        assert "ChildWorkflowExecutionCanceled" in names


async def test_a_child_cancelled_before_it_starts_leaves_no_trace(stage: Stage) -> None:
    async with stage.worker(*WORKFLOWS):
        handle = await stage.start(Parent.run, stage.id(), "", {"cancel_before_start": True})
        got = await handle.result()
    assert got[0] == "CancelledError"
    assert "StartChildWorkflowExecutionInitiated" not in await stage.names(handle)


CLOSES = ["return", "fail", "continue as new", "terminate", "time out"]


@pytest.mark.parametrize("close", CLOSES)
@pytest.mark.parametrize(("policy", "status"), [("TERMINATE", "TERMINATED"), ("REQUEST_CANCEL", "CANCELED")])
async def test_the_parents_end_reaches_the_child(stage: Stage, close: str, policy: str, status: str) -> None:
    child_id = stage.id()
    options = {"close": policy, "then": close}
    async with stage.worker(*WORKFLOWS):
        timeout = 1000 * MS if close == "time out" else MINUTE
        handle = await stage.start(Parent.run, child_id, "", options, run_timeout=timeout)
        if close == "terminate":
            await child_of(stage, handle, child_id)
            await handle.terminate()
        child = stage.client.get_workflow_handle(child_id)
        await stage.until_event(handle_of_first(stage, handle), "ChildWorkflowExecutionStarted")
        if close == "continue as new":
            first = stage.client.get_workflow_handle(child_id, run_id=(await first_run(stage, handle)))
            assert await stage.until_closed(first) == WorkflowExecutionStatus[status]
            await stage.until_closed(handle)
            return
        assert await stage.until_closed(child) == WorkflowExecutionStatus[status]
    if policy == "TERMINATE":
        (ended,) = await stage.attributes(child, "WorkflowExecutionTerminated")
        assert ended.reason == "by parent close policy"


def handle_of_first(stage: Stage, handle: Any) -> Any:
    return stage.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)


async def first_run(stage: Stage, handle: Any) -> str:
    """The run of the child that the parent's first run started."""
    started = await stage.attributes(handle, "ChildWorkflowExecutionStarted", handle.first_execution_run_id)
    return str(started[0].workflow_execution.run_id)


async def test_an_abandoned_child_goes_on(stage: Stage) -> None:
    child_id = stage.id()
    async with stage.worker(*WORKFLOWS):
        assert await stage.execute(Parent.run, child_id, "", {"close": "ABANDON", "then": "return"}) == ["returned"]
        child = stage.client.get_workflow_handle(child_id)
        await child.signal(Child.end, "alone")
        assert await child.result() == "alone 1 []"


async def test_pending_children_are_described(stage: Stage) -> None:
    child_id = stage.id()
    async with stage.worker(*WORKFLOWS):
        handle = await stage.start(Parent.run, child_id, "", {})
        child = await child_of(stage, handle, child_id)
        (pending,) = (await handle.describe()).raw_description.pending_children
        assert pending.workflow_id == child_id and pending.workflow_type_name == "Child"
        assert pending.parent_close_policy == e.PARENT_CLOSE_POLICY_TERMINATE
        await child.signal(Child.end, "end")
        await handle.result()


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("end", {}),
        ("fail", {}),
        ("fail once", {"attempts": 2}),
        ("again", {}),
        ("", {"run_timeout_ms": 50}),
        ("x", {"cancel_before_start": True}),
    ],
)
async def test_a_parent_replays_in_both_sdks(stage: Stage, ending: str, options: dict[str, Any]) -> None:
    async with stage.worker(*WORKFLOWS):
        handle = await stage.start(Parent.run, stage.id(), ending, options)
        await handle.result()
    await replay_both_ways(stage, handle, __file__, "Parent")


async def test_what_a_parent_asks_of_its_child_replays_in_both_sdks(stage: Stage) -> None:
    async with stage.worker(*WORKFLOWS):
        told = await stage.start(Parent.run, stage.id(), "", {}, start_signal="tell_child", start_signal_args=["x"])
        await told.result()
        child_id = stage.id()
        cancelled = await stage.start(Parent.run, child_id, "", {"cancel": "WAIT_CANCELLATION_COMPLETED"})
        await child_of(stage, cancelled, child_id)
        await cancelled.signal(Parent.cancel_child)
        await cancelled.signal(Parent.end)
        await cancelled.result()
        batch = await stage.start(BatchProcessingWorkflow.run, ["a", "b"], stage.id())
        await batch.result()
    for handle in (told, cancelled):
        await replay_both_ways(stage, handle, __file__, "Parent")
    await replay_both_ways(stage, batch, __file__, "BatchProcessingWorkflow")
