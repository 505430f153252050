"""Activities that no workflow is behind: how they are steered, and ended before or beside their own end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from stage import MINUTE, SECOND, Stage

from outlast import activity
from outlast.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
)
from outlast.common import (
    RetryPolicy,
)
from outlast.exceptions import (
    TimeoutError,
    TimeoutType,
)

ONCE = RetryPolicy(maximum_attempts=1)


OFTEN = {"max_heartbeat_throttle_interval": timedelta(milliseconds=50)}


class Watch:
    """Heartbeats until it is cancelled; says that it began and with which reasons it ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.reasons: list[str] = []
        self.ended = asyncio.Event()

    @activity.defn
    async def watch(self) -> None:
        self.begun.set()
        try:
            while True:
                activity.heartbeat("alive", activity.info().attempt)
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            details = activity.cancellation_details()
            assert details is not None
            names = ("not_found", "cancel_requested", "paused", "reset", "timed_out", "worker_shutdown")
            self.reasons = [name for name in names if getattr(details, name)]
            raise
        finally:
            self.ended.set()


class Elsewhere:
    """Takes the task and leaves its completion to the case."""

    def __init__(self) -> None:
        self.taken: asyncio.Queue[Any] = asyncio.Queue()

    @activity.defn
    async def later(self) -> str:
        self.taken.put_nowait(activity.info())
        activity.raise_complete_async()


def options(stage: Stage, **more: Any) -> dict[str, Any]:
    return {"id": stage.id(), "task_queue": stage.queue, "start_to_close_timeout": MINUTE, **more}


@pytest.mark.parametrize("which", ["SCHEDULE_TO_START", "START_TO_CLOSE", "HEARTBEAT"])
async def test_a_timeout_is_the_cause(stage: Stage, which: str) -> None:
    elsewhere = Elsewhere()
    given = options(stage, retry_policy=ONCE)
    given[f"{which.lower()}_timeout"] = SECOND / 5
    begin = stage.client.start_activity("later", **given)
    if which == "SCHEDULE_TO_START":
        handle = await begin
    else:
        async with stage.worker(activities=[elsewhere.later]):
            handle = await begin
            await elsewhere.taken.get()
    with pytest.raises(ActivityFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, TimeoutError)
    assert failed.value.cause.type == TimeoutType[which]
    assert (await handle.describe()).status == ActivityExecutionStatus.TIMED_OUT
