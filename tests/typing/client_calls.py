"""Never run: mypy reads it. What type checkers know about the calls of a client; errors to be found are marked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_type

from outlast import activity, workflow
from outlast.client import (
    ActivityHandle,
    ActivityOptionsKeys,
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from outlast.common import Priority, WorkflowIDConflictPolicy


@workflow.defn
class Order:
    @workflow.run
    async def run(self, customer: str) -> int:
        return len(customer)

    @workflow.signal
    def approve(self) -> None: ...

    @workflow.signal
    async def note(self, text: str) -> None: ...

    @workflow.query
    def total(self) -> int:
        return 0

    @workflow.query
    def line(self, index: int) -> str:
        return ""

    @workflow.update
    async def add(self, amount: int) -> float:
        return amount / 2


@workflow.defn
class Bare:
    @workflow.run
    async def run(self) -> str:
        return ""


@workflow.defn
class Wide:
    @workflow.run
    async def run(self, one: int, two: str) -> bytes:
        return b""


async def starts(client: Client) -> None:
    assert_type(await client.execute_workflow(Order.run, "ada", id="1", task_queue="q"), int)
    assert_type(await client.execute_workflow(Bare.run, id="1", task_queue="q", priority=Priority(1)), str)
    assert_type(await client.execute_workflow(Wide.run, args=[1, "a"], id="1", task_queue="q"), bytes)
    assert_type(await client.execute_workflow("Order", 5, id="1", task_queue="q"), Any)
    handle = await client.start_workflow(Order.run, "ada", id="1", task_queue="q", request_eager_start=True)
    assert_type(handle, WorkflowHandle[Order, int])
    assert_type(client.get_workflow_handle_for(Order.run, "1"), WorkflowHandle[Order, int])
    await client.start_workflow(Order.run, 5, id="1", task_queue="q")  # type: ignore[misc]
    await client.start_workflow(Order.run, "ada", id="1", task_queue="q", run_timeout=5)  # type: ignore[call-overload]
    await client.start_workflow(Order.run, "ada", id="1")  # type: ignore[call-overload]


async def talks(handle: WorkflowHandle[Order, int]) -> None:
    assert_type(await handle.result(), int)
    assert_type(await handle.query(Order.total), int)
    assert_type(await handle.query(Order.line, 1), str)
    assert_type(await handle.query("total"), Any)
    await handle.signal(Order.approve)
    await handle.signal(Order.note, "x")
    await handle.signal(Order.note, 5)  # type: ignore[call-overload]
    assert_type(await handle.execute_update(Order.add, 1), float)
    update = await handle.start_update(Order.add, 1, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    assert_type(update, WorkflowUpdateHandle[float])
    assert_type(handle.get_update_handle_for(Order.add, "u"), WorkflowUpdateHandle[float])


async def updates_with_start(client: Client) -> None:
    operation = WithStartWorkflowOperation(
        Order.run, "ada", id="1", task_queue="q", id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    assert_type(operation, WithStartWorkflowOperation[Order, int])
    result = await client.execute_update_with_start_workflow(Order.add, 1, start_workflow_operation=operation)
    assert_type(result, float)
    assert_type(await operation.workflow_handle(), WorkflowHandle[Order, int])


@activity.defn
async def charge(amount: int) -> float:
    return amount / 2


@activity.defn
def refund() -> str:
    return ""


@activity.defn
async def ship(one: int, two: str) -> bytes:
    return b""


@activity.defn
class Pack:
    def __call__(self, items: int) -> str:
        return ""


class Stock:
    @activity.defn
    async def reserve(self, items: int) -> int:
        return items

    @activity.defn
    def release(self) -> bool:
        return True


MINUTE = timedelta(minutes=1)


async def standalone_activities(client: Client) -> None:
    handle = await client.start_activity(charge, 1, id="1", task_queue="q", start_to_close_timeout=MINUTE)
    assert_type(handle, ActivityHandle[float])
    assert_type(await handle.result(), float)
    assert_type(await client.execute_activity(refund, id="1", task_queue="q", summary="x"), str)
    assert_type(await client.execute_activity(ship, args=[1, ""], id="1", task_queue="q"), bytes)
    assert_type(await client.execute_activity("charge", 1, id="1", task_queue="q"), Any)
    assert_type(await client.execute_activity_class(Pack, 1, id="1", task_queue="q"), str)
    assert_type(await client.start_activity_class(Pack, 1, id="1", task_queue="q"), ActivityHandle[str])
    assert_type(await client.execute_activity_method(Stock.reserve, 1, id="1", task_queue="q"), int)
    assert_type(await client.start_activity_method(Stock.release, id="1", task_queue="q"), ActivityHandle[bool])
    assert_type(client.get_activity_handle("1"), ActivityHandle[Any])
    assert_type(client.get_activity_handle("1", result_type=int), ActivityHandle[int])
    await client.start_activity(charge, "one", id="1", task_queue="q")  # type: ignore[misc]
    await client.start_activity(charge, 1, task_queue="q")  # type: ignore[call-overload]
    await client.start_activity(charge, 1, id="1", task_queue="q", start_delay=5)  # type: ignore[call-overload]
    await handle.update_options([ActivityOptionsKeys.heartbeat_timeout.value_set(MINUTE)])
    ActivityOptionsKeys.heartbeat_timeout.value_set(5)  # type: ignore[arg-type]
