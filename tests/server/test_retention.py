"""Runs are deleted when their retention is over, and on request (rule 3.10.5)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from brain import complete_workflow
from hand_driven import HandClock, driven

from outlast.storage.memory import MemoryStorage
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab import limits
from outlast.vocab.errors import NotFound

DAY = 24 * 3600


async def test_a_closed_run_is_deleted_after_the_retention_and_not_before() -> None:
    storage = MemoryStorage()
    async with driven(storage) as server:
        run_id = await server.start()
        await server.pass_time(3 * DAY)
        assert limits.RETENTION_DEFAULT_NS == DAY * 1_000_000_000
        await server.turn(complete_workflow())
        await server.pass_time(DAY - 1)
        assert (await server.names())[-1] == "WorkflowExecutionCompleted"
        await server.pass_time(2)
        with pytest.raises(NotFound):
            await server.describe()
        with pytest.raises(NotFound):
            await server.events(run_id)
        namespace_id = server.node.namespaces.id_of("default")
        assert await storage.count_executions(namespace_id) == 0
        await server.start()
        assert await storage.count_executions(namespace_id) == 1


async def test_the_retention_outlasts_a_restart(tmp_path: Path) -> None:
    clock = HandClock()
    async with driven(SqliteStorage.open(tmp_path / "db"), clock) as server:
        await server.start()
        await server.turn(complete_workflow())
    await clock.advance(DAY * 1_000_000_000 // 2)
    async with driven(SqliteStorage.open(tmp_path / "db"), clock) as server:
        assert (await server.names())[-1] == "WorkflowExecutionCompleted"
    await clock.advance(DAY * 1_000_000_000)
    async with driven(SqliteStorage.open(tmp_path / "db"), clock) as server:
        await server.pass_time(1)
        with pytest.raises(NotFound):
            await server.describe()


async def test_deleting_an_open_run_terminates_it_first() -> None:
    async with driven() as server:
        run_id = await server.start()
        waiting = asyncio.create_task(
            server.call(
                "GetWorkflowExecutionHistory",
                execution={"workflow_id": "order-42", "run_id": run_id},
                wait_new_event=True,
                history_event_filter_type=2,
            )
        )
        await server.pass_time(1)
        await server.call("DeleteWorkflowExecution", workflow_execution={"workflow_id": "order-42"})
        (closing,) = (await waiting).history.events
        attributes = closing.workflow_execution_terminated_event_attributes
        assert attributes.reason == "Delete workflow execution"
        with pytest.raises(NotFound):
            await server.describe(run_id)
        with pytest.raises(NotFound):
            await server.call("DeleteWorkflowExecution", workflow_execution={"workflow_id": "order-42"})


async def test_deleting_one_run_leaves_the_others_of_its_workflow() -> None:
    async with driven() as server:
        first = await server.start()
        await server.turn(complete_workflow())
        second = await server.start()
        execution = {"workflow_id": "order-42", "run_id": first}
        await server.call("DeleteWorkflowExecution", workflow_execution=execution)
        assert (await server.describe()).workflow_execution_info.execution.run_id == second
        with pytest.raises(NotFound):
            await server.describe(first)
