"""Cancellation: asyncio's own semantics in workflow code, whatever it waits for and however it takes it.

Every scene notes what it saw; the notes are asked for after the end, so a replay has to see the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from both_ways import replay_both_ways
from cancellation_story import story, under_way
from stage import MINUTE, MS, Stage

from outlast import activity, workflow
from outlast.client import WorkflowFailureError
from outlast.exceptions import ActivityError, ApplicationError


@pytest.fixture(autouse=True)
def _collected(stage: Stage) -> Iterator[None]:
    """A coroutine that temporalio has given up runs its ``finally`` when it is collected: not in the next workflow."""
    yield
    if not stage.ours:
        hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
        gc.collect()
        sys.unraisablehook = hook


@activity.defn
async def note(text: str) -> str:
    return text


@activity.defn
async def beat() -> str:
    try:
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.005)
    except asyncio.CancelledError:
        if activity.is_cancelled():
            return "the activity finished nevertheless"
        raise


@activity.defn
async def refuse() -> None:
    raise ApplicationError("refused", non_retryable=True)


@activity.defn
async def endless() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.005)


@workflow.defn
class Sleeper:
    """A child that cleans up when it is cancelled."""

    @workflow.run
    async def run(self) -> str:
        try:
            await asyncio.sleep(3600)
        finally:
            await workflow.execute_activity(note, "child cleaned up", start_to_close_timeout=MINUTE)
        return "slept"


def beating(**options: Any) -> Any:
    return workflow.start_activity(endless, start_to_close_timeout=MINUTE, heartbeat_timeout=800 * MS, **options)


@workflow.defn
class Scene:
    """Plays one scene, named by its argument."""

    def __init__(self) -> None:
        self.notes: list[Any] = []
        self.open = False

    @workflow.query
    def seen(self) -> list[Any]:
        return self.notes

    @workflow.signal
    def go(self) -> None:
        self.open = True

    @workflow.signal
    async def hold(self) -> None:
        try:
            await workflow.sleep(0.05)
            self.notes.append("handler undisturbed")
        except asyncio.CancelledError:
            self.notes.append("handler cancelled")
            raise

    @workflow.run
    async def run(self, name: str) -> Any:
        try:
            return await getattr(self, name)()
        except BaseException as error:
            self.notes.append(type(error).__name__)
            raise

    def cause_of(self, error: BaseException) -> None:
        self.notes.append(f"{type(error).__name__} by {type(error.__cause__).__name__}")

    # -- what is waited for ---------------------------------------------------------------------------------------

    async def timer(self) -> None:
        await asyncio.sleep(3600)

    async def summarised_timer(self) -> None:
        await workflow.sleep(3600, summary="long")

    async def condition(self) -> None:
        await workflow.wait_condition(lambda: self.open)

    async def condition_with_timeout(self) -> None:
        await workflow.wait_condition(lambda: self.open, timeout=3600, timeout_summary="long")

    async def activity(self) -> None:
        await beating()

    async def activity_that_finishes(self) -> str:
        return await workflow.execute_activity(
            beat,
            start_to_close_timeout=MINUTE,
            heartbeat_timeout=800 * MS,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )

    async def local_activity(self) -> None:
        await workflow.execute_local_activity(endless, start_to_close_timeout=MINUTE)

    async def child(self) -> None:
        await workflow.execute_child_workflow(Sleeper.run, id=f"{workflow.info().workflow_id}-child")

    async def child_beside_a_timer(self) -> None:
        handle = await workflow.start_child_workflow(Sleeper.run, id=f"{workflow.info().workflow_id}-child")
        await asyncio.gather(handle, asyncio.sleep(3600))

    # -- how it is taken ------------------------------------------------------------------------------------------

    async def cleanup(self) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            self.notes.append(await workflow.execute_activity(note, "cleaned up", start_to_close_timeout=MINUTE))

    async def shielded(self) -> None:
        handle = asyncio.ensure_future(workflow.sleep(0.05))
        try:
            await asyncio.shield(handle)
        except asyncio.CancelledError:
            self.notes.append(handle.cancelled())
            await handle
            self.notes.append("the shielded timer fired")
            raise

    async def swallowed(self) -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.notes.append(workflow.cancellation_reason())
        await asyncio.sleep(0.001)
        task = asyncio.current_task()
        assert task is not None
        self.notes.append(task.cancelling())
        return "carried on"

    async def uncancelled(self) -> str:
        task = asyncio.current_task()
        assert task is not None
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.notes.append((task.cancelling(), task.uncancel()))
        async with asyncio.timeout(3600):
            await asyncio.sleep(0.001)
        return "carried on"

    async def timeout_after_swallowing(self) -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        try:
            async with asyncio.timeout(0.001):
                await asyncio.sleep(3600)
        except BaseException as error:
            self.notes.append(type(error).__name__)
        return "carried on"

    async def another_error(self) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise ApplicationError("gave up", type="GaveUp") from None

    async def another_error_in_finally(self) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await workflow.execute_activity(refuse, start_to_close_timeout=MINUTE)

    async def wrapped(self) -> None:
        try:
            await beating()
        except ActivityError as error:
            self.cause_of(error)
            raise

    async def continued(self) -> None:
        if workflow.info().continued_run_id:
            self.notes.append(workflow.cancellation_reason())
            return
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            workflow.continue_as_new("continued")

    async def new_cancelled_error(self) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise asyncio.CancelledError("mine") from None

    async def handlers_go_on(self) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await workflow.wait_condition(workflow.all_handlers_finished)

    async def own_cancellation(self) -> None:
        raise asyncio.CancelledError("nobody asked")


# Scene -> status, notes, and events but those of workflow tasks and of the activities' attempts.
SCENES: dict[str, tuple[str, list[Any], str]] = {
    "timer": ("CANCELED", ["CancelledError"], "TimerStarted CancelRequested TimerCanceled Canceled"),
    "summarised_timer": ("CANCELED", ["CancelledError"], "TimerStarted CancelRequested TimerCanceled Canceled"),
    "condition": ("CANCELED", ["CancelledError"], "CancelRequested Canceled"),
    "condition_with_timeout": ("CANCELED", ["CancelledError"], "TimerStarted CancelRequested TimerCanceled Canceled"),
    "activity": (
        "CANCELED",
        ["ActivityError"],
        "ActivityTaskScheduled CancelRequested ActivityTaskCancelRequested Canceled",
    ),
    "activity_that_finishes": (
        "COMPLETED",
        [],
        "ActivityTaskScheduled CancelRequested ActivityTaskCancelRequested Completed",
    ),
    "local_activity": ("CANCELED", ["ActivityError"], "CancelRequested MarkerRecorded Canceled"),
    "child": (
        "CANCELED",
        ["ChildWorkflowError"],
        "CancelRequested Canceled",
    ),
    "child_beside_a_timer": (
        "CANCELED",
        ["CancelledError"],
        "TimerStarted CancelRequested TimerCanceled Canceled",
    ),
    "cleanup": (
        "CANCELED",
        ["cleaned up", "CancelledError"],
        "TimerStarted CancelRequested TimerCanceled ActivityTaskScheduled Canceled",
    ),
    "shielded": (
        "CANCELED",
        [False, "the shielded timer fired", "CancelledError"],
        "TimerStarted CancelRequested TimerFired Canceled",
    ),
    "swallowed": (
        "COMPLETED",
        ["enough", 1],
        "TimerStarted CancelRequested TimerCanceled TimerStarted TimerFired Completed",
    ),
    "uncancelled": (
        "COMPLETED",
        [[1, 0]],
        "TimerStarted CancelRequested TimerCanceled TimerStarted TimerStarted TimerFired TimerCanceled Completed",
    ),
    "timeout_after_swallowing": (
        "COMPLETED",
        ["TimeoutError"],
        "TimerStarted CancelRequested TimerCanceled TimerStarted TimerStarted TimerFired TimerCanceled Completed",
    ),
    "another_error": ("FAILED", ["ApplicationError"], "TimerStarted CancelRequested TimerCanceled Failed"),
    "another_error_in_finally": (
        "FAILED",
        ["ActivityError"],
        "TimerStarted CancelRequested TimerCanceled ActivityTaskScheduled Failed",
    ),
    "wrapped": (
        "CANCELED",
        ["ActivityError by CancelledError", "ActivityError"],
        "ActivityTaskScheduled CancelRequested ActivityTaskCancelRequested Canceled",
    ),
    "new_cancelled_error": ("CANCELED", ["CancelledError"], "TimerStarted CancelRequested TimerCanceled Canceled"),
}


@pytest.mark.parametrize("name", SCENES)
async def test_scene(stage: Stage, name: str) -> None:
    status, notes, events = SCENES[name]
    async with stage.worker(Scene, Sleeper, activities=[note, beat, endless, refuse]):
        handle = await stage.start(Scene.run, name)
        await under_way(stage, handle, name)
        await handle.cancel(reason="enough")
        assert (await stage.until_closed(handle)).name == status
        assert await handle.query(Scene.seen) == notes
    assert await story(stage, handle) == events
    (requested,) = await stage.attributes(handle, "WorkflowExecutionCancelRequested")
    assert requested.cause == "enough"
    await replay_both_ways(stage, handle, __file__, "Scene")


async def test_a_cancelled_workflow_says_so(stage: Stage) -> None:
    async with stage.worker(Scene):
        handle = await stage.start(Scene.run, "timer")
        await stage.until_event(handle, "TimerStarted")
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()
    assert repr(ended.value.cause) == "CancelledError('Workflow cancelled')"


async def test_cancelled_before_the_first_task(stage: Stage) -> None:
    handle = await stage.start(Scene.run, "swallowed")
    await handle.cancel(reason="early")
    async with stage.worker(Scene):
        assert await handle.result() == "carried on"
        assert await handle.query(Scene.seen) == ["early", 1]
    assert await story(stage, handle) == ("CancelRequested TimerStarted TimerFired Completed")


async def test_a_second_request_changes_nothing(stage: Stage) -> None:
    async with stage.worker(Scene):
        handle = await stage.start(Scene.run, "handlers_go_on")
        await stage.until_event(handle, "TimerStarted")
        await handle.signal(Scene.hold)
        await stage.until_event(handle, "TimerStarted", 2)
        await handle.cancel(reason="first")
        await handle.cancel(reason="second")
        assert (await stage.until_closed(handle)).name == "CANCELED"
        assert await handle.query(Scene.seen) == ["handler undisturbed", "CancelledError"]
    (requested,) = await stage.attributes(handle, "WorkflowExecutionCancelRequested")
    assert requested.cause == "first"


async def test_continuing_as_new_is_an_answer_to_cancellation(stage: Stage) -> None:
    async with stage.worker(Scene):
        handle = await stage.start(Scene.run, "continued")
        await stage.until_event(handle, "TimerStarted")
        await handle.cancel()
        assert await handle.result() is None
        assert await handle.query(Scene.seen) == [None]
    names = await stage.names(handle, handle.first_execution_run_id)
    assert names[-1] == "WorkflowExecutionContinuedAsNew"


async def test_a_cancellation_that_nobody_requested_fails_the_workflow(stage: Stage) -> None:
    async with stage.worker(Scene):
        handle = await stage.start(Scene.run, "own_cancellation")
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()
    assert type(ended.value.cause).__name__ == "CancelledError"
    assert (await handle.describe()).status == 3
