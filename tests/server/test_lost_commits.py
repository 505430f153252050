"""A store that could not keep a change: what the cache believed is dropped, and the run goes on from what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from brain import complete_workflow, fail_workflow, schedule_activity, seconds, start_timer
from hand_driven import Driven, driven, settle

from outlast.storage.errors import Conflict, StorageBusy, StorageError
from outlast.storage.memory import MemoryStorage
from outlast.storage.port import Commit, Record, RunKey


class Weak(MemoryStorage):
    """Storage that refuses the next units with the errors that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[StorageError] = []
        self.loads: list[asyncio.Future[None]] = []

    def commit(self, unit: Sequence[Commit]) -> asyncio.Future[None]:
        if not self.refusals:
            return super().commit(unit)
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lost.set_exception(self.refusals.pop(0))
        return lost

    async def load(self, key: RunKey) -> Record | None:
        if self.loads:
            await self.loads.pop(0)
        return await super().load(key)


CONFLICT = Conflict("run", 1, 2)
BUSY = StorageBusy("too many commits wait for the disk")


@pytest.mark.parametrize("error", [CONFLICT, BUSY])
async def test_the_workflow_task_of_a_lost_completion_is_handed_out_again(error: StorageError) -> None:
    storage = Weak()
    async with driven(storage) as server:
        await server.start()
        task = await server.poll()
        storage.refusals = [error]
        with pytest.raises(StorageError):
            await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token)
        await server.pass_time(1)
        await server.turn(complete_workflow())
        assert (await server.names())[-1] == "WorkflowExecutionCompleted"


async def activity(server: Driven) -> Any:
    task = await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})
    assert task.task_token, "no activity task came"
    return task


async def test_an_attempt_whose_start_was_lost_is_offered_again() -> None:
    storage = Weak()
    async with driven(storage) as server:
        await server.start()
        await server.turn(schedule_activity("1"))
        storage.refusals = [BUSY]
        with pytest.raises(StorageBusy):
            await activity(server)
        await server.pass_time(1)
        assert (await activity(server)).attempt == 1


async def test_a_timer_whose_firing_was_lost_fires_later() -> None:
    storage = Weak()
    async with driven(storage) as server:
        await server.start()
        await server.turn(start_timer("1", 5))
        storage.refusals = [BUSY]
        await server.pass_time(5)
        assert "TimerFired" not in await server.names()
        await server.pass_time(1)
        assert "TimerFired" in await server.names()


async def test_a_deadline_outlives_a_lost_change_of_something_else() -> None:
    storage = Weak()
    async with driven(storage) as server:
        await server.start(workflow_run_timeout=seconds(30))
        storage.refusals = [BUSY]
        with pytest.raises(StorageBusy):
            await server.signal()
        await server.pass_time(30)
        assert (await server.names())[-1] == "WorkflowExecutionTimedOut"


async def test_a_start_that_was_lost_leaves_nothing() -> None:
    storage = Weak()
    async with driven(storage) as server:
        storage.refusals = [BUSY]
        with pytest.raises(StorageBusy):
            await server.start()
        await server.pass_time(2)
        assert server.node.runs.all() == []
        await server.start()
        await server.turn(complete_workflow())


async def test_a_start_whose_look_up_is_overtaken_looks_again() -> None:
    storage = Weak()
    async with driven(storage) as server:
        await server.start()
        await server.turn(complete_workflow())
        (old,) = server.node.runs.all()
        del server.node.runs._runs[old.key]  # as a full cache does
        read: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        storage.loads = [read]
        slow = asyncio.create_task(server.start(workflow_id_conflict_policy=2))
        await settle()
        quick = await server.start(workflow_id_conflict_policy=2)
        read.set_result(None)
        assert await slow == quick


async def test_two_equal_resets_at_once_make_one_run() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(fail_workflow())
        execution = {"workflow_id": "order-42"}
        request = {"workflow_execution": execution, "workflow_task_finish_event_id": 4, "request_id": "again"}
        answers = await asyncio.gather(*(server.call("ResetWorkflowExecution", **request) for _ in range(3)))
        assert len({answer.run_id for answer in answers}) == 1
        assert len(server.node.runs.all()) == 2
