"""Local activities over a whole engine in this process: slots, eviction, shutdown, codecs, and what is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from programs import CallLocal
from test_embedded import QUEUE, client, start

from outlast import activity
from outlast.client import Client, WorkflowFailureError
from outlast.exceptions import ApplicationError
from outlast.worker import Worker

__all__ = ["client"]


async def test_slots_bound_how_many_run_at_a_time(client: Client) -> None:
    running = most = 0

    @activity.defn
    async def measure() -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return "done"

    worker = Worker(
        client, task_queue=QUEUE, workflows=[CallLocal], activities=[measure], max_concurrent_local_activities=1
    )
    async with worker:
        handles = [await start(client, CallLocal.run, "measure") for _ in range(5)]
        assert [await handle.result() for handle in handles] == ["done"] * 5
    assert most == 1


async def test_a_worker_that_stops_hands_its_local_activities_to_another(client: Client) -> None:
    began = asyncio.Event()
    reasons: list[activity.ActivityCancellationDetails | None] = []

    @activity.defn(name="work")
    async def hang() -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            reasons.append(activity.cancellation_details())
        return "never"

    @activity.defn(name="work")
    async def work() -> str:
        return "done elsewhere"

    async with Worker(client, task_queue=QUEUE, workflows=[CallLocal], activities=[hang]):
        handle = await start(client, CallLocal.run, "work")
        await began.wait()
    assert reasons[0] is not None and (reasons[0].worker_shutdown or reasons[0].cancel_requested)
    async with Worker(client, task_queue=QUEUE, workflows=[CallLocal], activities=[work]):
        assert await handle.result() == "done elsewhere"
    names = [event.event_type for event in (await handle.fetch_history()).events]
    assert names.count(7) == 2  # completed, and none timed out or failed


async def test_the_grace_period_lets_them_finish(client: Client) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    @activity.defn
    async def work() -> str:
        began.set()
        await go_on.wait()
        return "done in time"

    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[CallLocal],
        activities=[work],
        graceful_shutdown_timeout=timedelta(seconds=20),
    )
    async with worker:
        handle = await start(client, CallLocal.run, "work")
        await began.wait()
        stopping = asyncio.create_task(worker.shutdown())
        await asyncio.sleep(0)
        go_on.set()
        await stopping
    assert await handle.result() == "done in time"


async def test_completing_a_local_activity_later_is_refused(client: Client) -> None:
    @activity.defn
    async def later() -> None:
        activity.raise_complete_async()

    async with Worker(client, task_queue=QUEUE, workflows=[CallLocal], activities=[later]):
        with pytest.raises(WorkflowFailureError) as failed:
            await (await start(client, CallLocal.run, "later")).result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert "belongs to its workflow task" in failed.value.cause.message


async def test_a_worker_without_activities_says_so(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[CallLocal]):
        with pytest.raises(WorkflowFailureError) as failed:
            await (await start(client, CallLocal.run, "anything")).result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "NotFoundError"
