"""Plain ``def`` activities in other processes: results, errors, heartbeats, cancellation and shutdown."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

import pytest
from programs import ONCE, SECONDS, CallLocal
from test_embedded import QUEUE, client, start

from outlast import activity, workflow
from outlast.client import Client, WorkflowFailureError
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError, CancelledError
from outlast.worker import SharedStateManager, Worker

__all__ = ["client"]


@activity.defn
def where() -> str:
    info = activity.info()
    return f"{os.getpid()} attempt {info.attempt} of {info.activity_type}"


@activity.defn
def fail_with_progress() -> str:
    info = activity.info()
    if info.attempt == 1:
        activity.heartbeat("half", 50)
        raise ApplicationError("not yet", "detail", type="Flaky")
    return f"went on from {list(info.heartbeat_details)}"


@activity.defn
def until_cancelled() -> str:
    while True:
        activity.heartbeat()
        activity.wait_for_cancelled_sync(0.05)
        if activity.is_cancelled():
            details = activity.cancellation_details()
            assert details is not None
            if details.cancel_requested and not details.worker_shutdown:
                raise CancelledError("as asked")
            raise ValueError(f"cancelled for another reason: {details}")


@activity.defn
def until_shutdown() -> str:
    activity.heartbeat("here")
    activity.wait_for_worker_shutdown_sync(20)
    return f"shutdown={activity.is_worker_shutdown()}"


@workflow.defn
class Once:
    """Runs one activity by name, with a second attempt if wanted."""

    @workflow.run
    async def run(self, name: str, again: bool) -> str:
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=1)) if again else ONCE
        return str(await workflow.execute_activity(name, start_to_close_timeout=SECONDS, retry_policy=policy))


@workflow.defn
class Cancels:
    """Starts an activity, and cancels it when it is signalled."""

    def __init__(self) -> None:
        self.asked = False

    @workflow.run
    async def run(self, name: str) -> str:
        handle = workflow.start_activity(
            name,
            start_to_close_timeout=SECONDS,
            heartbeat_timeout=SECONDS,
            retry_policy=ONCE,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.wait_condition(lambda: self.asked)
        handle.cancel()
        try:
            return str(await handle)
        except ActivityError as error:
            return type(error.cause).__name__

    @workflow.signal
    def ask(self) -> None:
        self.asked = True


class Class:
    """A callable and a method, both picklable."""

    def __init__(self, greeting: str) -> None:
        self.greeting = greeting

    @activity.defn
    def method(self) -> str:
        return self.greeting


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.fixture(scope="module")
def manager() -> Iterator[SharedStateManager]:
    with multiprocessing.get_context("spawn").Manager() as shared:
        yield SharedStateManager.create_from_multiprocessing(shared)


async def test_they_run_elsewhere_with_their_info(
    client: Client, pool: ProcessPoolExecutor, manager: SharedStateManager
) -> None:
    methods = Class("hello")
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Once, CallLocal],
        activities=[where, methods.method],
        activity_executor=pool,
        shared_state_manager=manager,
        max_concurrent_activities=2,
    )
    async with worker:
        process, _, facts = (await (await start(client, Once.run, "where", False)).result()).partition(" ")
        assert int(process) != os.getpid() and facts == "attempt 1 of where"
        assert await (await start(client, Once.run, "method", False)).result() == "hello"
        assert str(os.getpid()) not in await (await start(client, CallLocal.run, "where")).result()


async def test_heartbeats_arrive_before_the_failure_that_follows_them(
    client: Client, pool: ProcessPoolExecutor, manager: SharedStateManager
) -> None:
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Once],
        activities=[fail_with_progress],
        activity_executor=pool,
        shared_state_manager=manager,
        max_concurrent_activities=2,
    )
    async with worker:
        handle = await start(client, Once.run, "fail_with_progress", True)
        assert await handle.result() == "went on from ['half', 50]"
        with pytest.raises(WorkflowFailureError) as failed:
            await (await start(client, Once.run, "fail_with_progress", False)).result()
    cause = failed.value.cause.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, list(cause.details)) == ("not yet", "Flaky", ["detail"])


async def test_cancellation_reaches_the_process_with_its_reason(
    client: Client, pool: ProcessPoolExecutor, manager: SharedStateManager
) -> None:
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Cancels],
        activities=[until_cancelled],
        activity_executor=pool,
        shared_state_manager=manager,
        max_concurrent_activities=2,
        max_heartbeat_throttle_interval=timedelta(milliseconds=10),
    )
    async with worker:
        handle = await start(client, Cancels.run, "until_cancelled")
        await handle.signal(Cancels.ask)
        assert await handle.result() == "CancelledError"


async def test_a_shutdown_reaches_the_process(
    client: Client, pool: ProcessPoolExecutor, manager: SharedStateManager
) -> None:
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Cancels],
        activities=[until_shutdown],
        activity_executor=pool,
        shared_state_manager=manager,
        max_concurrent_activities=2,
        graceful_shutdown_timeout=timedelta(seconds=20),
    )
    async with worker:
        handle = await start(client, Cancels.run, "until_shutdown")
        until = time.monotonic() + 20
        while not any(one.heartbeat_details for one in (await handle.describe()).raw_description.pending_activities):
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
    async with Worker(client, task_queue=QUEUE, workflows=[Cancels]):
        await handle.signal(Cancels.ask)
        assert await handle.result() == "shutdown=True"


async def test_what_cannot_be_pickled_is_refused(
    client: Client, pool: ProcessPoolExecutor, manager: SharedStateManager
) -> None:
    @activity.defn
    def inner() -> None: ...

    with pytest.raises(TypeError, match="inner cannot be pickled"):
        Worker(client, task_queue=QUEUE, activities=[inner], activity_executor=pool, shared_state_manager=manager)
