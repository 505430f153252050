"""A node that is opened over what a former one left, on a real database: nothing is lost and nothing is done twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from brain import complete_workflow, schedule_activity, seconds, start_timer
from hand_driven import Driven, HandClock, driven

from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.errors import NotFound

Opening = Callable[[], AbstractAsyncContextManager[Driven]]


@pytest.fixture
def opened(tmp_path: Path) -> Opening:
    """Opens a node over one database and one clock, as often as it is called."""
    clock = HandClock()

    @asynccontextmanager
    async def open_again() -> AsyncIterator[Driven]:
        async with driven(SqliteStorage.open(tmp_path / "orders.db"), clock) as server:
            yield server

    return open_again


async def activity(server: Driven) -> Any:
    task = await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})
    assert task.task_token, "no activity task came"
    return task


async def test_a_task_that_waits_is_offered_again(opened: Opening) -> None:
    async with opened() as server:
        await server.start()
    async with opened() as server:
        await server.turn(complete_workflow())
        assert (await server.names())[-1] == "WorkflowExecutionCompleted"


async def test_a_task_that_was_started_is_handed_out_again_and_the_first_holder_is_refused(opened: Opening) -> None:
    async with opened() as server:
        await server.start()
        lost = await server.poll()
        await server.signal("while it ran")
    async with opened() as server:
        task = await server.poll()
        assert [event.event_id for event in task.history.events] == [1, 2, 3, 4]
        await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[complete_workflow()])
        with pytest.raises(NotFound):
            await server.call("RespondWorkflowTaskCompleted", task_token=lost.task_token)


async def test_a_remote_attempt_goes_on(opened: Opening) -> None:
    async with opened() as server:
        await server.start()
        await server.turn(schedule_activity("1"))
        work = await activity(server)
    async with opened() as server:
        await server.call("RespondActivityTaskCompleted", task_token=work.task_token)
        await server.turn(complete_workflow())
        assert (await server.names()).count("ActivityTaskStarted") == 1


async def test_an_attempt_that_nobody_took_is_offered_again(opened: Opening) -> None:
    async with opened() as server:
        await server.start()
        await server.turn(schedule_activity("1"))
    async with opened() as server:
        assert (await activity(server)).attempt == 1


async def test_a_timer_fires_although_its_time_passed_while_nobody_was_there(opened: Opening) -> None:
    async with opened() as server:
        await server.start()
        await server.turn(start_timer("1", 30))
        clock = server.clock
    await clock.advance(3600 * 10**9)
    async with opened() as server:
        await server.pass_time(0)
        await server.turn(complete_workflow())
        assert (await server.names()).count("TimerFired") == 1


async def test_a_backoff_goes_on_where_it_was(opened: Opening) -> None:
    async with opened() as server:
        await server.start()
        await server.turn(schedule_activity("1", retry_policy={"initial_interval": seconds(20)}))
        work = await activity(server)
        await server.call("RespondActivityTaskFailed", task_token=work.task_token, failure={"message": "declined"})
        await server.pass_time(5)
    async with opened() as server:
        (pending,) = (await server.describe()).pending_activities
        assert pending.attempt == 2 and pending.last_failure.message == "declined"
        await server.pass_time(15)
        assert (await activity(server)).attempt == 2


async def test_signals_and_starts_are_still_deduplicated(opened: Opening) -> None:
    async with opened() as server:
        run_id = await server.start(request_id="start once")
        await server.signal("pay", request_id="pay once")
    async with opened() as server:
        assert await server.start(request_id="start once") == run_id
        await server.signal("pay", request_id="pay once")
        assert (await server.names()).count("WorkflowExecutionSignaled") == 1
