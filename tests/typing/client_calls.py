"""Never run: mypy reads it. What type checkers know about the calls of a client; errors to be found are marked."""

from __future__ import annotations

from typing import Any, assert_type

from outlast import workflow
from outlast.client import Client, WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateHandle, WorkflowUpdateStage
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
