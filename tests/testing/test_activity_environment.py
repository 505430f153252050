"""Activities without a server: context, heartbeats, cancellation; the same programs as under Temporal's environment."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from typing import Any

import pytest
import temporalio.testing

from outlast import activity
from outlast.activity import ActivityCancellationDetails
from outlast.exceptions import CancelledError
from outlast.testing import ActivityEnvironment


@activity.defn
async def beat(count: int) -> str:
    for number in range(count):
        activity.heartbeat(number)
    return activity.info().activity_id


@activity.defn
async def wait_for_the_end() -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        assert details is not None
        return f"cancelled, paused: {details.paused}"
    return "not cancelled"


@activity.defn
def wait_in_thread(ready: threading.Event) -> str:
    ready.set()
    try:
        while True:
            activity.wait_for_cancelled_sync(0.01)
    except CancelledError:
        return "raised"


@activity.defn(no_thread_cancel_exception=True)
def ask_in_thread(ready: threading.Event) -> str:
    ready.set()
    activity.wait_for_cancelled_sync()
    return f"asked: {activity.is_cancelled()}"


@activity.defn
async def wait_for_worker() -> bool:
    await activity.wait_for_worker_shutdown()
    return activity.is_worker_shutdown() and not activity.is_cancelled()


def test_the_default_info_is_temporals() -> None:
    ours = dataclasses.asdict(ActivityEnvironment.default_info())
    theirs = dataclasses.asdict(temporalio.testing.ActivityEnvironment.default_info())
    assert ours == theirs


async def test_an_async_activity_beats_and_sees_its_info() -> None:
    env, beats = ActivityEnvironment(), list[Any]()
    env.on_heartbeat = lambda *details: beats.append(details)
    env.info = dataclasses.replace(env.info, activity_id="mine")
    assert await env.run(beat, 3) == "mine"
    assert beats == [(0,), (1,), (2,)]


async def test_cancelling_an_async_activity() -> None:
    env = ActivityEnvironment()
    running = asyncio.ensure_future(env.run(wait_for_the_end))
    await asyncio.sleep(0)
    env.cancel(ActivityCancellationDetails(paused=True))
    env.cancel()
    assert await running == "cancelled, paused: True"


@pytest.mark.parametrize(("function", "outcome"), [(wait_in_thread, "raised"), (ask_in_thread, "asked: True")])
async def test_cancelling_an_activity_in_a_thread(function: Any, outcome: str) -> None:
    env, ready = ActivityEnvironment(), threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(env.run, function, ready))
    await asyncio.to_thread(ready.wait)
    env.cancel()
    assert await running == outcome


async def test_the_end_of_the_worker_is_seen() -> None:
    env = ActivityEnvironment()
    running = asyncio.ensure_future(env.run(wait_for_worker))
    await asyncio.sleep(0)
    env.worker_shutdown()
    assert await running is True


def test_a_plain_function_needs_no_loop() -> None:
    def where() -> str:
        return activity.info().task_queue

    assert ActivityEnvironment().run(where) == "test"
