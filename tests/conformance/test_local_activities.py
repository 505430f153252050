"""Local activities: results, failures, retries here and by timer, cancellation, and tasks kept alive by heartbeats."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from stage import MS, SECOND, Stage

from outlast import activity, workflow
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError

FAST = RetryPolicy(initial_interval=MS)
ONCE = RetryPolicy(maximum_attempts=1)
CALLS: dict[str, int] = {}


@activity.defn
async def greet(name: str) -> str:
    info = activity.info()
    assert info.is_local and info.workflow_type
    return f"hello {name}"


@activity.defn
def greet_in_thread(name: str) -> str:
    activity.heartbeat("means nothing")
    return f"hello {name} from a thread"


@activity.defn
async def flaky(failures: int) -> int:
    if activity.info().attempt <= failures:
        raise ApplicationError("not yet", type="Flaky")
    return activity.info().attempt


@activity.defn
async def hang() -> str:
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        CALLS["cancel requested"] = int(details is not None and details.cancel_requested)
        raise
    return "never"


@activity.defn
async def slow(key: str) -> str:
    CALLS[key] = CALLS.get(key, 0) + 1
    await asyncio.sleep(1.2)
    return "slow"


@workflow.defn
class Calls:
    """Every way that a local activity ends well."""

    @workflow.run
    async def run(self) -> list[str]:
        options = {"start_to_close_timeout": SECOND * 5}
        return [
            await workflow.execute_local_activity(greet, "a", **options),
            await workflow.execute_local_activity(greet_in_thread, "b", **options),
            await workflow.execute_local_activity(
                "greet", "c", schedule_to_close_timeout=SECOND * 5, activity_id="mine"
            ),
            str(await workflow.execute_local_activity(flaky, 2, retry_policy=FAST, **options)),
        ]


async def test_results_are_recorded_as_markers_and_replayed(stage: Stage) -> None:
    worker = stage.worker(
        Calls,
        activities=[greet, greet_in_thread, flaky],
        activity_executor=ThreadPoolExecutor(100),
        max_cached_workflows=0,
    )
    async with worker:
        handle = await stage.start(Calls.run)
        assert await handle.result() == ["hello a", "hello b from a thread", "hello c", "3"]
    markers = await stage.attributes(handle, "MarkerRecorded")
    assert [marker.marker_name for marker in markers] == ["core_local_activity"] * 4
    data = [json.loads(marker.details["data"].payloads[0].data) for marker in markers]
    assert [(one["seq"], one["activity_id"], one["attempt"]) for one in data] == [
        (1, "1", 1),
        (2, "2", 1),
        (3, "mine", 1),
        (4, "4", 3),
    ]
    assert (await stage.names(handle)).count("WorkflowTaskCompleted") == 1


@workflow.defn
class Fails:
    """How the ends that are not results look to workflow code."""

    @workflow.run
    async def run(self) -> list[str]:
        seen = []
        try:
            await workflow.execute_local_activity(flaky, 9, start_to_close_timeout=SECOND * 5, retry_policy=ONCE)
        except ApplicationError as error:
            seen.append(f"{error.type}: {error.message}")
        for options in ({"start_to_close_timeout": MS * 50}, {"schedule_to_close_timeout": MS * 50}):
            try:
                await workflow.execute_local_activity(hang, retry_policy=ONCE, **options)
            except ActivityError as error:
                seen.append(error.cause.type.name if isinstance(error.cause, TimeoutError) else repr(error))
        return seen


async def test_failures_and_timeouts(stage: Stage) -> None:
    async with stage.worker(Fails, activities=[flaky, hang]):
        assert await stage.execute(Fails.run) == ["Flaky: not yet", "START_TO_CLOSE", "SCHEDULE_TO_CLOSE"]


@workflow.defn
class Backoff:
    """A retry that is worth a timer."""

    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_local_activity(
            flaky,
            1,
            start_to_close_timeout=SECOND * 5,
            retry_policy=RetryPolicy(initial_interval=MS * 30),
            local_retry_threshold=MS * 10,
        )


async def test_a_backoff_above_the_threshold_is_a_timer(stage: Stage) -> None:
    async with stage.worker(Backoff, activities=[flaky]):
        handle = await stage.start(Backoff.run)
        assert await handle.result() == 2
    assert [name for name in await stage.names(handle) if not name.startswith("Workflow")] == [
        "MarkerRecorded",
        "TimerStarted",
        "TimerFired",
        "MarkerRecorded",
    ]


@workflow.defn
class Cancels:
    """Cancels a local activity that runs."""

    @workflow.run
    async def run(self, kind: str) -> str:
        handle = workflow.start_local_activity(
            hang,
            start_to_close_timeout=SECOND * 9,
            cancellation_type=workflow.ActivityCancellationType[kind],
        )
        await workflow.execute_local_activity(greet, "first", start_to_close_timeout=SECOND)
        handle.cancel()
        try:
            return await handle
        except ActivityError as error:
            return "cancelled" if isinstance(error.cause, CancelledError) else repr(error)


@pytest.mark.parametrize("kind", ["TRY_CANCEL", "WAIT_CANCELLATION_COMPLETED", "ABANDON"])
async def test_cancellation(stage: Stage, kind: str) -> None:
    CALLS.pop("cancel requested", None)
    async with stage.worker(Cancels, activities=[hang, greet]):
        assert await stage.execute(Cancels.run, kind) == "cancelled"
        if kind == "WAIT_CANCELLATION_COMPLETED":
            assert CALLS["cancel requested"] == 1


@workflow.defn
class Slow:
    """A local activity that takes longer than its workflow task may."""

    @workflow.run
    async def run(self, key: str) -> str:
        return await workflow.execute_local_activity(slow, key, start_to_close_timeout=SECOND * 9)


async def test_heartbeats_keep_the_workflow_task_alive(stage: Stage) -> None:
    async with stage.worker(Slow, activities=[slow]):
        handle = await stage.start(Slow.run, stage.queue, task_timeout=SECOND)
        assert await handle.result() == "slow"
    names = await stage.names(handle)
    assert names.count("WorkflowTaskCompleted") == 2 and "WorkflowTaskTimedOut" not in names
    assert CALLS[stage.queue] == 1
