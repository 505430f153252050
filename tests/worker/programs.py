"""Workflows and activities that the tests of the worker share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta

from outlast import activity, workflow
from outlast.common import RawValue, RetryPolicy

SECONDS = timedelta(seconds=20)
ONCE = RetryPolicy(maximum_attempts=1)


@activity.defn
async def greet(name: str) -> str:
    return f"hello {name}"


@activity.defn
def greet_in_thread(name: str) -> str:
    return f"hello {name} from {threading.current_thread().name.split('_')[0]}, attempt {activity.info().attempt}"


@activity.defn
async def fail_twice() -> int:
    activity.heartbeat(activity.info().attempt)
    if activity.info().attempt < 3:
        raise ValueError("not yet")
    return int(activity.info().heartbeat_details[0])


@activity.defn(dynamic=True)
async def whatever(args: Sequence[RawValue]) -> str:
    first = activity.payload_converter().from_payload(args[0].payload, str)
    return f"{activity.info().activity_type} of {first}"


@workflow.defn
class Call:
    """Runs one activity, by name, once or with retries."""

    @workflow.run
    async def run(self, name: str, arg: str | None, retries: bool) -> str:
        return str(
            await workflow.execute_activity(
                name,
                args=[] if arg is None else [arg],
                start_to_close_timeout=SECONDS,
                heartbeat_timeout=timedelta(seconds=1),
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1)) if retries else ONCE,
            )
        )


@workflow.defn
class CancelIt:
    """Starts an activity, and cancels it when it is signalled."""

    def __init__(self) -> None:
        self.cancel = False

    @workflow.run
    async def run(self, name: str) -> str:
        handle = workflow.start_activity(
            name,
            start_to_close_timeout=SECONDS,
            heartbeat_timeout=timedelta(milliseconds=50),
            retry_policy=ONCE,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.wait_condition(lambda: self.cancel)
        handle.cancel()
        try:
            return str(await handle)
        except Exception as error:
            return f"{type(error).__name__}: {type(error.__cause__).__name__}"

    @workflow.signal
    def please_cancel(self) -> None:
        self.cancel = True


@workflow.defn
class Steps:
    """Three activities one after the other, and a signal that lets it end."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.finish = False

    @workflow.run
    async def run(self, name: str) -> list[str]:
        for _ in range(3):
            self.done.append(await workflow.execute_activity(greet, name, start_to_close_timeout=SECONDS))
        await workflow.wait_condition(lambda: self.finish)
        return self.done

    @workflow.signal
    def end(self) -> None:
        self.finish = True

    @workflow.query
    def progress(self) -> int:
        return len(self.done)


@workflow.defn
class Broken:
    """Fails its task until ``healthy`` is set."""

    healthy = False

    @workflow.run
    async def run(self) -> str:
        if not Broken.healthy:
            raise RuntimeError("not deployed yet")
        return "recovered"


async def until(condition: object, seconds: float = 15) -> None:
    """Let the loop run until the condition holds."""
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0)


@workflow.defn
class CallLocal:
    """Runs one local activity, by name."""

    @workflow.run
    async def run(self, name: str) -> str:
        return str(await workflow.execute_local_activity(name, start_to_close_timeout=SECONDS, retry_policy=ONCE))
