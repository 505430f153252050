"""Workflow code that does not yield: it is interrupted, its task fails with the stack, and the worker goes on."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from programs import Call, greet
from test_embedded import QUEUE, client, start

from outlast import workflow
from outlast.client import Client
from outlast.worker import UnsandboxedWorkflowRunner, Worker
from outlast.worker._deadlock import DeadlockError, Watchdog
from outlast.worker.workflow_sandbox import SandboxedWorkflowRunner

__all__ = ["client"]

BLOCKED = {"yes": True}


def spin_here() -> None:
    while BLOCKED["yes"]:
        pass


@workflow.defn
class Spins:
    """Never yields, as long as it is told so, and swallows what interrupts it once."""

    @workflow.run
    async def run(self) -> str:
        try:
            spin_here()
        except BaseException:
            spin_here()
        return "free"


async def test_blocked_code_is_interrupted_and_the_task_fails(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    BLOCKED["yes"] = True
    runner = SandboxedWorkflowRunner(deadlock_timeout=timedelta(milliseconds=100))
    worker = Worker(client, task_queue=QUEUE, workflows=[Spins, Call], activities=[greet], workflow_runner=runner)
    with caplog.at_level(logging.ERROR, "outlast.worker"):
        async with worker:
            handle = await start(client, Spins.run)
            async for event in handle.fetch_history_events(wait_new_event=True):
                if event.HasField("workflow_task_failed_event_attributes"):
                    BLOCKED["yes"] = False
                    failure = event.workflow_task_failed_event_attributes.failure
                    break
            assert "[TMPRL1101] Potential deadlock detected" in failure.message
            assert "within 0.1 second(s)" in failure.message
            assert "spin_here" in failure.stack_trace
            assert await (await start(client, Call.run, "greet", "bob", False)).result() == "hello bob"
            assert await handle.result() == "free"
    assert "spin_here" in caplog.text


def test_what_yields_in_time_is_left_alone() -> None:
    watchdog = Watchdog(60)
    assert watchdog.call(lambda a, b: a + b, 1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        watchdog.call(lambda: 1 // 0)
    watchdog.stop()


def test_an_error_after_the_limit_is_still_a_deadlock() -> None:
    watchdog = Watchdog(0.05)

    def slow() -> None:
        try:
            while True:
                pass
        except BaseException:
            raise ValueError("hidden") from None

    with pytest.raises(DeadlockError):
        watchdog.call(slow)
    assert watchdog.call(int) == 0
    watchdog.stop()


async def test_debug_mode_lets_it_run(client: Client) -> None:
    worker = Worker(client, task_queue=QUEUE, workflows=[Spins], debug_mode=True)
    assert worker._settings.deadlock_s is None
    runner = UnsandboxedWorkflowRunner(deadlock_timeout=timedelta())
    with pytest.raises(ValueError, match="deadlock_timeout"):
        Worker(client, task_queue=QUEUE, workflows=[Spins], workflow_runner=runner)
