"""What activity code calls, with a context made by hand as a test environment makes one."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from outlast import activity
from outlast.activity._context import CompleteAsyncError, Context, current
from outlast.activity._latch import Latch
from outlast.common import Priority
from outlast.converter import PayloadConverter

INFO = activity.Info(
    activity_id="7",
    activity_type="pay",
    attempt=2,
    current_attempt_scheduled_time=datetime.now(UTC),
    heartbeat_details=[],
    heartbeat_timeout=None,
    is_local=False,
    namespace="default",
    schedule_to_close_timeout=None,
    scheduled_time=datetime.now(UTC),
    start_to_close_timeout=timedelta(seconds=1),
    started_time=datetime.now(UTC),
    task_queue="q",
    task_token=b"t",
    workflow_id="w",
    workflow_namespace="default",
    workflow_run_id="r",
    workflow_type="W",
    priority=Priority.default,
    retry_policy=None,
)


def context(**changes: Any) -> Context:
    fields = {
        "info": lambda: INFO,
        "worker_shutdown": Latch(),
        "payload_converter": PayloadConverter.default,
        "is_async": True,
        **changes,
    }
    return Context(**fields)


@pytest.fixture
def running() -> Any:
    made = context()
    token = current.set(made)
    yield made
    current.reset(token)


@pytest.mark.parametrize(
    "call",
    [activity.info, activity.heartbeat, activity.is_cancelled, activity.client, activity.payload_converter,
     activity.cancellation_details, activity.is_worker_shutdown, activity.metric_meter,
     activity.wait_for_cancelled_sync],
)  # fmt: skip
def test_outside_an_activity(call: Any) -> None:
    assert not activity.in_activity()
    with pytest.raises(RuntimeError, match="Not in activity context"):
        call()


def test_inside(running: Context) -> None:
    assert activity.in_activity()
    assert activity.info() is INFO
    assert activity.info().in_workflow
    assert activity.cancellation_details() is None
    assert not activity.is_cancelled()
    assert activity.payload_converter() is PayloadConverter.default
    activity.metric_meter().create_counter("c").add(1)


def test_no_client_in_threads(running: Context) -> None:
    with pytest.raises(RuntimeError, match="No client available"):
        activity.client()


def test_no_heartbeat_before_the_interceptors_are_made(running: Context) -> None:
    with pytest.raises(RuntimeError, match="interceptor init"):
        activity.heartbeat()


def test_complete_async(running: Context) -> None:
    with pytest.raises(CompleteAsyncError):
        activity.raise_complete_async()


async def test_waiting_in_the_loop() -> None:
    made = context()
    current.set(made)
    waiting = asyncio.create_task(activity.wait_for_cancelled())
    await asyncio.sleep(0)
    assert not waiting.done()
    made.cancelled.set()
    await waiting
    await activity.wait_for_cancelled()


async def test_waiting_in_a_thread() -> None:
    made = context(is_async=False)
    entered = threading.Event()

    def work() -> bool:
        current.set(made)
        entered.set()
        activity.wait_for_cancelled_sync(timedelta(seconds=30))
        return activity.is_cancelled()

    done = asyncio.get_running_loop().run_in_executor(None, contextvars.copy_context().run, work)
    await asyncio.to_thread(entered.wait)
    made.cancelled.set()
    assert await done


async def test_a_thread_does_not_wait_in_the_loop() -> None:
    current.set(context(is_async=False))
    with pytest.raises(RuntimeError, match="wait_for_cancelled_sync"):
        await activity.wait_for_cancelled()
    with pytest.raises(RuntimeError, match="wait_for_worker_shutdown_sync"):
        await activity.wait_for_worker_shutdown()


def test_a_wait_with_a_timeout_ends() -> None:
    latch = Latch()
    latch.wait_sync(0.001)
    assert not latch.is_set()


def test_logger_adds_the_activity(running: Context, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "outlast.activity"):
        activity.logger.info("hi", extra={"mine": 1})
    record: Any = caplog.records[0]
    assert record.temporal_activity["activity_id"] == "7"
    assert record.mine == 1
    assert "'workflow_id': 'w'" in record.getMessage()


def test_logger_outside_adds_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "outlast.activity"):
        activity.logger.info("hi")
    assert caplog.records[0].getMessage() == "hi"
