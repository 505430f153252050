"""What runs do to each other, over whole nodes: in order, once, however often the node dies in between."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from brain import command, complete_workflow, fail_workflow, seconds
from family import cancel_external, signal_external, start_child
from hand_driven import Driven, HandClock, driven, settle

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.storage.errors import StorageClosed, StorageError
from outlast.storage.memory import MemoryStorage
from outlast.storage.port import Commit
from outlast.vocab import limits
from outlast.vocab.attributes import EVENT_NAMES
from outlast.vocab.errors import ServiceError

Program = Callable[[Counter[str]], Sequence[Command]]
"""What a workflow does, given how often each event is in its history."""

REQUEST_CANCEL = e.PARENT_CLOSE_POLICY_REQUEST_CANCEL
ABANDON = e.PARENT_CLOSE_POLICY_ABANDON
CONTINUE_AS_NEW = command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)


def child(workflow_id: str, workflow_type: str, **options: Any) -> Command:
    return start_child(workflow_id, workflow_type={"name": workflow_type}, **options)


async def work(server: Driven, programs: dict[str, Program]) -> None:
    """Be the worker of every workflow until the node is gone."""
    while True:
        task = await server.call("PollWorkflowTaskQueue", task_queue={"name": "orders"})
        if not task.task_token:
            return
        seen = Counter(EVENT_NAMES[event.event_type] for event in task.history.events)
        commands = programs[task.workflow_type.name](seen)
        with suppress(ServiceError):
            await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token, commands=commands)


@asynccontextmanager
async def worked(programs: dict[str, Program], storage: MemoryStorage | None = None):  # type: ignore[no-untyped-def]
    """A node with a worker."""
    async with driven(storage, HandClock()) as server:
        worker = asyncio.create_task(work(server, programs))
        try:
            yield server
        finally:
            worker.cancel()
            await asyncio.wait((worker,))


async def news(server: Driven, workflow_id: str, run_id: str = "") -> list[str]:
    """The names of the run's events without those of workflow tasks."""
    names = await server.names(run_id, workflow_id)
    return [name for name in names if not name.startswith("WorkflowTask")]


async def status(server: Driven, workflow_id: str, run_id: str = "") -> int:
    described = await server.describe(run_id, workflow_id)
    return int(described.workflow_execution_info.status)


def at_once(_: Counter[str]) -> Sequence[Command]:
    return [complete_workflow()]


def never(_: Counter[str]) -> Sequence[Command]:
    return []


def obedient(seen: Counter[str]) -> Sequence[Command]:
    if seen["WorkflowExecutionCancelRequested"]:
        return [command(e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)]
    return [complete_workflow()] if seen["WorkflowExecutionSignaled"] else []


# -- dying between any two steps ---------------------------------------------------------------------------------------


class Mortal(MemoryStorage):
    """Storage that keeps so many units and then is gone, until it is revived with all that it has kept."""

    def __init__(self, units: int | None) -> None:
        super().__init__()
        self.units = units
        self.kept = 0
        self.gone = asyncio.Event()

    def commit(self, unit: Sequence[Commit]) -> asyncio.Future[None]:
        if self.units == self.kept:
            self.gone.set()
            lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            lost.set_exception(StorageClosed("gone"))
            return lost
        self.kept += 1
        return super().commit(unit)

    def revive(self) -> None:
        self.units = None
        self._closed = False


def family(seen: Counter[str]) -> Sequence[Command]:
    """Four children, a signal to one, a cancel request to nobody, and then the end."""
    if not seen["StartChildWorkflowExecutionInitiated"]:
        return [
            child("a", "AtOnce"),
            child("b", "Obedient"),
            child("c", "Obedient", parent_close_policy=REQUEST_CANCEL),
            child("d", "Never", parent_close_policy=ABANDON),
            child("e", "Never"),
        ]
    if seen["ChildWorkflowExecutionStarted"] == 5 and not seen["SignalExternalWorkflowExecutionInitiated"]:
        return [signal_external("b"), cancel_external("nobody")]
    answered = seen["ExternalWorkflowExecutionSignaled"] + seen["RequestCancelExternalWorkflowExecutionFailed"]
    return [complete_workflow()] if answered == 2 and seen["ChildWorkflowExecutionCompleted"] == 2 else []


FAMILY: dict[str, Program] = {"Order": family, "AtOnce": at_once, "Obedient": obedient, "Never": never}
PARENT_NEWS = Counter(
    {
        "WorkflowExecutionStarted": 1,
        "StartChildWorkflowExecutionInitiated": 5,
        "ChildWorkflowExecutionStarted": 5,
        "ChildWorkflowExecutionCompleted": 2,
        "SignalExternalWorkflowExecutionInitiated": 1,
        "RequestCancelExternalWorkflowExecutionInitiated": 1,
        "ExternalWorkflowExecutionSignaled": 1,
        "RequestCancelExternalWorkflowExecutionFailed": 1,
        "WorkflowExecutionCompleted": 1,
    }
)
CHILD_NEWS = {
    "a": ["WorkflowExecutionStarted", "WorkflowExecutionCompleted"],
    "b": ["WorkflowExecutionStarted", "WorkflowExecutionSignaled", "WorkflowExecutionCompleted"],
    "c": ["WorkflowExecutionStarted", "WorkflowExecutionCancelRequested", "WorkflowExecutionCanceled"],
    "d": ["WorkflowExecutionStarted"],
    "e": ["WorkflowExecutionStarted", "WorkflowExecutionTerminated"],
}


async def begin(server: Driven) -> None:
    await server.start(request_id="the-one")
    for _ in range(30):
        await settle()


async def live(storage: Mortal) -> None:
    """Start the family, or find it, and let it live as long as the storage does."""
    async with worked(FAMILY, storage) as server:
        with suppress(StorageError):
            await begin(server)


async def test_a_death_between_any_two_steps_changes_nothing() -> None:
    immortal = Mortal(None)
    await live(immortal)
    assert immortal.kept > 10
    for units in range(immortal.kept + 1):
        storage = Mortal(units)
        await live(storage)
        assert storage.gone.is_set() == (units < immortal.kept)
        storage.revive()
        async with worked(FAMILY, storage) as server:
            await begin(server)
            assert Counter(await news(server, "order-42")) == PARENT_NEWS, units
            for workflow_id, expected in CHILD_NEWS.items():
                assert await news(server, workflow_id) == expected, (units, workflow_id)
            runs = await server.call("ListWorkflowExecutions")
            assert len(runs.executions) == 6, units
            left = [key.workflow_id for at, key in await storage.due(-1, server.clock.now(), 100) if at]
            assert left == [], f"{units}: nothing is owed any more"


# -- many --------------------------------------------------------------------------------------------------------------


def fan_out(count: int, workflow_type: str) -> Program:
    def program(seen: Counter[str]) -> Sequence[Command]:
        if not seen["StartChildWorkflowExecutionInitiated"]:
            return [child(f"c{n}", workflow_type) for n in range(count)]
        return [complete_workflow()] if seen["ChildWorkflowExecutionCompleted"] == count else []

    return program


async def test_the_close_of_a_parent_reaches_every_child() -> None:
    count = 320
    async with worked({"Order": fan_out(count, "Never"), "Never": never}) as server:
        await server.start()
        for _ in range(40):
            await settle()
        assert len((await server.describe()).pending_children) == count
        await server.call("TerminateWorkflowExecution", workflow_execution={"workflow_id": "order-42"})
        for _ in range(60):
            await settle()
        found = await server.call("CountWorkflowExecutions", query="ExecutionStatus = 'Terminated'")
        assert found.count == count + 1


async def test_a_busy_parent_is_never_given_more_than_it_can_buffer() -> None:
    count = 3 * limits.BUFFERED_EVENTS_MAX
    async with driven() as server:
        await server.start()
        await server.turn(*(child(f"c{n}", "Never") for n in range(count)))
        task = await server.poll()
        while task.workflow_execution.workflow_id != "order-42":
            await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token)
            task = await server.poll()
        for _ in range(40):
            await settle()
        await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token)
        for _ in range(40):
            await settle()
        described = await server.describe()
        assert [bool(pending.run_id) for pending in described.pending_children] == [True] * count
        names = Counter(await server.names())
        assert described.workflow_execution_info.history_length > names.total(), "the rest is on later pages"
        answer = await server.call(
            "GetWorkflowExecutionHistoryReverse", execution={"workflow_id": "order-42"}, maximum_page_size=250
        )
        names.update(EVENT_NAMES[event.event_type] for event in answer.history.events)
        assert names["WorkflowTaskFailed"] == 0


# -- chains ------------------------------------------------------------------------------------------------------------


async def test_only_the_last_run_of_a_childs_chain_reports() -> None:
    def twice(seen: Counter[str]) -> Sequence[Command]:
        return [complete_workflow()] if seen["WorkflowExecutionSignaled"] else [CONTINUE_AS_NEW]

    programs: dict[str, Program] = {"Order": fan_out(1, "Twice"), "Twice": twice}
    async with worked(programs) as server:
        await server.start()
        await server.pass_time(0)
        first = (await server.describe()).pending_children[0].run_id
        await server.signal("enough", "c0")
        await server.pass_time(2)
        (done,) = [
            event
            for event in await server.events()
            if event.event_type == e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED
        ]
        last = done.child_workflow_execution_completed_event_attributes.workflow_execution.run_id
        assert last != first
        info = (await server.describe(last, "c0")).workflow_execution_info
        assert info.parent_execution.workflow_id == info.root_execution.workflow_id == "order-42"
        assert info.first_run_id == first
        assert (await news(server, "order-42"))[-1] == "WorkflowExecutionCompleted"


async def test_a_retried_child_reports_its_last_failure() -> None:
    def parent(seen: Counter[str]) -> Sequence[Command]:
        if not seen["StartChildWorkflowExecutionInitiated"]:
            policy = {"maximum_attempts": 2, "initial_interval": seconds(5)}
            return [child("c", "Fails", retry_policy=policy)]
        return [complete_workflow()] if seen["ChildWorkflowExecutionFailed"] else []

    async with worked({"Order": parent, "Fails": lambda _: [fail_workflow()]}) as server:
        await server.start()
        await server.pass_time(1)
        assert "ChildWorkflowExecutionFailed" not in await server.names()
        await server.pass_time(10)
        failed = next(
            event for event in await server.events() if event.event_type == e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED
        )
        attributes = failed.child_workflow_execution_failed_event_attributes
        assert attributes.retry_state == e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
        assert attributes.failure.message == "boom"


async def test_the_policy_finds_the_current_run_of_the_chain() -> None:
    def again(seen: Counter[str]) -> Sequence[Command]:
        return [CONTINUE_AS_NEW] if seen["WorkflowExecutionSignaled"] else []

    async with worked({"Order": fan_out(1, "Again"), "Again": again}) as server:
        await server.start()
        await server.pass_time(0)
        await server.signal("again", "c0")
        await server.pass_time(2)
        await server.call("TerminateWorkflowExecution", workflow_execution={"workflow_id": "order-42"})
        await server.pass_time(0)
        assert await status(server, "c0") == e.WORKFLOW_EXECUTION_STATUS_TERMINATED


async def test_a_parent_that_continues_as_new_applies_the_policy() -> None:
    def parent(seen: Counter[str]) -> Sequence[Command]:
        if not seen["StartChildWorkflowExecutionInitiated"]:
            return [child("c", "Never")]
        return [CONTINUE_AS_NEW] if seen["ChildWorkflowExecutionStarted"] else []

    async with worked({"Order": parent, "Never": never}) as server:
        first = await server.start()
        await server.pass_time(0)
        assert await status(server, "order-42", first) == e.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
        assert (await news(server, "c"))[-1] == "WorkflowExecutionTerminated"


# -- ids ---------------------------------------------------------------------------------------------------------------


async def test_an_id_in_use_refuses_the_child_and_leaves_its_holder_alone() -> None:
    def parent(seen: Counter[str]) -> Sequence[Command]:
        if not seen["StartChildWorkflowExecutionInitiated"]:
            return [
                child("taken", "Never"),
                child("twice", "Never"),
                child("twice", "Never"),
                child("order-42", "Never"),
            ]
        return []

    async with worked({"Order": parent, "Never": never}) as server:
        taken = await server.start("taken", workflow_type={"name": "Never"})
        await server.start()
        await server.pass_time(0)
        failed = [
            event.start_child_workflow_execution_failed_event_attributes
            for event in await server.events()
            if event.event_type == e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED
        ]
        assert [attributes.workflow_id for attributes in failed] == ["taken", "twice", "order-42"]
        exists = e.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS
        assert {attributes.cause for attributes in failed} == {exists}
        assert await status(server, "taken", taken) == e.WORKFLOW_EXECUTION_STATUS_RUNNING


@pytest.mark.parametrize(
    ("policy", "started"),
    [
        (e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, True),
        (e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, False),
        (e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, False),
    ],
)
async def test_the_reuse_policy_decides_after_a_closed_run(policy: int, started: bool) -> None:
    def parent(seen: Counter[str]) -> Sequence[Command]:
        if seen["StartChildWorkflowExecutionInitiated"]:
            return []
        return [child("used", "AtOnce", workflow_id_reuse_policy=policy)]

    async with worked({"Order": parent, "AtOnce": at_once}) as server:
        await server.start("used", workflow_type={"name": "AtOnce"})
        await server.pass_time(0)
        await server.start()
        await server.pass_time(0)
        assert ("ChildWorkflowExecutionStarted" in await server.names()) == started
        assert ("StartChildWorkflowExecutionFailed" in await server.names()) == (not started)


async def test_terminate_if_running_puts_the_child_in_the_place_of_another() -> None:
    def parent(seen: Counter[str]) -> Sequence[Command]:
        if seen["StartChildWorkflowExecutionInitiated"]:
            return []
        return [child("taken", "Never", workflow_id_reuse_policy=e.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING)]

    async with worked({"Order": parent, "Never": never}) as server:
        before = await server.start("taken", workflow_type={"name": "Never"})
        await server.start()
        await server.pass_time(0)
        assert await status(server, "taken", before) == e.WORKFLOW_EXECUTION_STATUS_TERMINATED
        assert await status(server, "taken") == e.WORKFLOW_EXECUTION_STATUS_RUNNING
        assert (await server.describe()).pending_children[0].run_id


# -- requests to others ------------------------------------------------------------------------------------------------


async def test_what_follows_the_start_of_a_child_in_one_task_finds_it_started() -> None:
    def parent(seen: Counter[str]) -> Sequence[Command]:
        if not seen["StartChildWorkflowExecutionInitiated"]:
            return [child("c", "Obedient"), signal_external("c", child_workflow_only=True)]
        return [complete_workflow()] if seen["ChildWorkflowExecutionCompleted"] else []

    async with worked({"Order": parent, "Obedient": obedient}) as server:
        await server.start()
        await server.pass_time(0)
        assert await news(server, "c") == CHILD_NEWS["b"]
        assert (await news(server, "order-42"))[-1] == "WorkflowExecutionCompleted"


@pytest.mark.parametrize(
    ("asking", "cause"),
    [
        (signal_external("nobody"), 1),
        (signal_external("other", run_id="33333333-3333-4333-8333-333333333333"), 1),
        (signal_external("other", child_workflow_only=True), 1),
        (signal_external("order-42"), 1),
        (signal_external("other", namespace="nowhere"), 2),
        (cancel_external("nobody"), 1),
        (cancel_external("other", child_workflow_only=True), 1),
        (cancel_external("order-42"), 1),
        (cancel_external("other", namespace="nowhere"), 2),
    ],
)
async def test_what_cannot_be_delivered_is_told_with_its_cause(asking: Command, cause: int) -> None:
    async with driven() as server:
        await server.start("other", task_queue={"name": "others"})
        await server.start()
        await server.turn(asking)
        await server.pass_time(0)
        failed = (await server.events())[-2]
        kind = failed.WhichOneof("attributes")
        assert kind is not None and kind.endswith("external_workflow_execution_failed_event_attributes")
        assert getattr(failed, kind).cause == cause
        assert await news(server, "other") == ["WorkflowExecutionStarted"]


async def test_a_child_of_another_namespace_is_refused() -> None:
    async with driven() as server:
        await server.call("RegisterNamespace", namespace="shop", workflow_execution_retention_period=seconds(259_200))
        await server.start()
        with pytest.raises(ServiceError, match="across namespaces"):
            await server.turn(child("c", "Never", namespace="shop"))
        await server.turn(child("c", "Never", namespace="nowhere"))
        await server.pass_time(0)
        failed = (await server.events())[-2].start_child_workflow_execution_failed_event_attributes
        assert failed.cause == e.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND


async def test_a_child_known_by_its_first_run_is_cancelled_in_its_current_one() -> None:
    def again(seen: Counter[str]) -> Sequence[Command]:
        return [CONTINUE_AS_NEW] if seen["WorkflowExecutionSignaled"] else obedient(seen)

    async with driven() as server:
        await server.start()
        await server.turn(child("c", "Again"))
        await server.pass_time(0)
        await server.signal("again", "c")
        for _ in range(3):
            task = await server.poll()
            is_parent = task.workflow_execution.workflow_id == "order-42"
            commands = [] if is_parent else [CONTINUE_AS_NEW]
            await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token, commands=commands)
            if not is_parent:
                break
        first = (await server.describe()).pending_children[0].run_id
        await server.signal()
        while (task := await server.poll()).workflow_execution.workflow_id != "order-42":
            await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token)
        asking = cancel_external("c", run_id=first, child_workflow_only=True)
        await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[asking])
        await server.pass_time(0)
        assert (await news(server, "order-42"))[-1] == "ExternalWorkflowExecutionCancelRequested"
        assert (await news(server, "c"))[-1] == "WorkflowExecutionCancelRequested"


async def test_who_comes_second_looks_again() -> None:
    storage = MemoryStorage()
    async with driven(storage) as first, driven(storage, first.clock) as second:
        await first.start("taken", task_queue={"name": "others"})
        await first.call("TerminateWorkflowExecution", workflow_execution={"workflow_id": "taken"})
        assert await status(first, "taken") == e.WORKFLOW_EXECUTION_STATUS_TERMINATED
        held = await second.start("taken", task_queue={"name": "others"})
        await first.start()
        await first.turn(child("free", "Never"), child("taken", "Never"), child("also-free", "Never"))
        await first.pass_time(0)
        pending = (await first.describe()).pending_children
        assert [(one.workflow_id, bool(one.run_id)) for one in pending] == [("free", True), ("also-free", True)]
        assert "StartChildWorkflowExecutionFailed" in await first.names()
        assert await status(second, "taken", held) == e.WORKFLOW_EXECUTION_STATUS_RUNNING
