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
    ActivityOptionsKeys,
    AsyncActivityCancelledError,
    PendingActivityState,
)
from outlast.common import (
    Priority,
    RetryPolicy,
)
from outlast.exceptions import (
    ApplicationError,
    CancelledError,
    TerminatedError,
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


async def test_a_running_one_is_cancelled(stage: Stage) -> None:
    watch = Watch()
    async with stage.worker(activities=[watch.watch], **OFTEN):
        handle = await stage.client.start_activity("watch", **options(stage, heartbeat_timeout=10 * SECOND))
        await watch.begun.wait()
        await handle.cancel(reason="enough")
        with pytest.raises(ActivityFailureError) as failed:
            await handle.result()
        assert isinstance(failed.value.cause, CancelledError)
        assert watch.reasons == ["cancel_requested"]
        found = await handle.describe(include_heartbeat_details=True)
        assert (found.status, found.canceled_reason) == (ActivityExecutionStatus.CANCELED, "enough")
        assert await found.heartbeat_details() == ["alive", 1]
        assert found.last_heartbeat_time is not None
        assert found.total_heartbeat_count >= 1


async def test_a_waiting_one_is_cancelled(stage: Stage) -> None:
    handle = await stage.client.start_activity("nobody", **options(stage))
    await handle.cancel()
    with pytest.raises(ActivityFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, CancelledError)


async def test_a_running_one_is_terminated(stage: Stage) -> None:
    watch = Watch()
    async with stage.worker(activities=[watch.watch], **OFTEN):
        handle = await stage.client.start_activity("watch", **options(stage, heartbeat_timeout=10 * SECOND))
        await watch.begun.wait()
        await handle.terminate(reason="no more of it")
        with pytest.raises(ActivityFailureError) as failed:
            await handle.result()
        assert isinstance(failed.value.cause, TerminatedError)
        assert failed.value.cause.message == "no more of it"
        await watch.ended.wait()
        assert watch.reasons == ["not_found"]


async def test_pause_and_unpause(stage: Stage) -> None:
    watch = Watch()
    async with stage.worker(activities=[watch.watch], **OFTEN):
        handle = await stage.client.start_activity("watch", **options(stage, heartbeat_timeout=10 * SECOND))
        await watch.begun.wait()
        await handle.pause(reason="lunch")

        async def paused() -> bool:
            found = await handle.describe()
            return bool(found.run_state == PendingActivityState.PAUSED)

        await watch.ended.wait()
        assert watch.reasons == ["paused"]
        await stage.until(paused)
        watch.begun.clear()
        await handle.unpause(reason="back", jitter=SECOND / 100)
        await watch.begun.wait()
        await handle.terminate()


async def test_options_change_and_come_back(stage: Stage) -> None:
    handle = await stage.client.start_activity(
        "nobody", **options(stage, schedule_to_close_timeout=5 * MINUTE, heartbeat_timeout=SECOND)
    )
    keys, other = ActivityOptionsKeys, f"{stage.queue}-other"
    changed = await handle.update_options(
        [
            keys.task_queue.value_set(other),
            keys.schedule_to_close_timeout.value_set(9 * MINUTE),
            keys.schedule_to_start_timeout.value_set(3 * MINUTE),
            keys.start_to_close_timeout.value_set(2 * MINUTE),
            keys.heartbeat_timeout.value_unset(),
            keys.retry_policy.value_set(RetryPolicy(maximum_attempts=3)),
            keys.priority.value_set(Priority(priority_key=1)),
        ]
    )
    assert (changed.task_queue, changed.schedule_to_close_timeout) == (other, 9 * MINUTE)
    assert (changed.schedule_to_start_timeout, changed.start_to_close_timeout) == (3 * MINUTE, 2 * MINUTE)
    assert changed.heartbeat_timeout in (None, timedelta())
    assert changed.retry_policy.maximum_attempts == 3
    assert changed.priority.priority_key == 1
    found = await handle.describe()
    assert (found.task_queue, found.start_to_close_timeout) == (other, 2 * MINUTE)
    back = await handle.restore_original_options()
    assert (back.task_queue, back.heartbeat_timeout) == (stage.queue, SECOND)
    assert (back.schedule_to_close_timeout, back.start_to_close_timeout) == (5 * MINUTE, MINUTE)
    with pytest.raises(ValueError, match="at least one update"):
        await handle.update_options([])
    twice = [keys.start_to_close_timeout.value_set(SECOND), keys.start_to_close_timeout.value_unset()]
    with pytest.raises(ValueError, match="more than one update for start_to_close_timeout"):
        await handle.update_options(twice)
    await handle.terminate()


@pytest.mark.parametrize("by", ["token", "id"])
async def test_completed_from_elsewhere(stage: Stage, by: str) -> None:
    elsewhere, client = Elsewhere(), stage.client

    def task_of(info: Any) -> Any:
        if by == "token":
            return client.get_async_activity_handle(task_token=info.task_token)
        return client.get_async_activity_handle(activity_id=info.activity_id, run_id=info.activity_run_id)

    async with stage.worker(activities=[elsewhere.later]):
        handle = await client.start_activity("later", **options(stage))
        task = task_of(await elsewhere.taken.get())
        await task.heartbeat("half way")
        await task.complete("done elsewhere")
        assert await handle.result() == "done elsewhere"
        failing = await client.start_activity("later", **options(stage, retry_policy=ONCE))
        await task_of(await elsewhere.taken.get()).fail(ApplicationError("broken elsewhere"))
        with pytest.raises(ActivityFailureError, check=lambda err: "broken elsewhere" in str(err.cause)):
            await failing.result()
        cancelled = await client.start_activity("later", **options(stage))
        task = task_of(await elsewhere.taken.get())
        await cancelled.cancel()
        with pytest.raises(AsyncActivityCancelledError):
            await task.heartbeat()
        await task.report_cancellation("told")
        with pytest.raises(ActivityFailureError) as failed:
            await cancelled.result()
        assert isinstance(failed.value.cause, CancelledError)
        assert failed.value.cause.details == ("told",)
