"""Workflow tasks: attempts, transient events, buffering, unhandled commands, sticky queues and caches of no size."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hand import Hand, shown
from stage import MINUTE, MS, SECOND, Stage

from outlast import activity, workflow
from outlast.api.enums import v1 as e
from outlast.client import WorkflowFailureError
from outlast.exceptions import ApplicationError, TerminatedError
from outlast.service import RPCError, RPCStatusCode


async def test_events_that_arrive_during_a_task_wait_for_its_end(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    task = await hand.poll()
    await handle.signal("one")
    await handle.signal("two")
    assert "WorkflowExecutionSignaled" not in await stage.names(handle)
    await hand.complete(task, hand.start_timer("1", MINUTE))
    assert await stage.names(handle) == [
        "WorkflowExecutionStarted",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
        "TimerStarted",
        "WorkflowExecutionSignaled",
        "WorkflowExecutionSignaled",
        "WorkflowTaskScheduled",
    ]


async def test_a_run_does_not_close_over_events_it_has_not_seen(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    task = await hand.poll()
    await handle.signal("wait for me")
    with pytest.raises(RPCError) as refused:
        await hand.complete(task, hand.complete_workflow())
    assert refused.value.status is RPCStatusCode.INVALID_ARGUMENT
    (failed,) = await stage.attributes(handle, "WorkflowTaskFailed")
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    task = await hand.turn(hand.complete_workflow())
    assert shown(task)[-3:] == ["WorkflowExecutionSignaled", "WorkflowTaskScheduled", "WorkflowTaskStarted"]
    assert await stage.until_closed(handle) == 2


async def test_later_attempts_are_transient(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    for attempt in (1, 2, 3):
        task = await hand.poll()
        assert task.attempt == attempt
        assert shown(task)[-2:] == ["WorkflowTaskScheduled", "WorkflowTaskStarted"]
        await hand.fail(task)
    assert (await stage.names(handle)).count("WorkflowTaskFailed") == 1
    task = await hand.turn()
    assert task.attempt == 4
    assert (await stage.names(handle))[-4:] == [
        "WorkflowTaskFailed",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
    ]
    (_, scheduled) = await stage.attributes(handle, "WorkflowTaskScheduled")
    assert scheduled.attempt == 4


async def test_an_event_makes_a_transient_attempt_real_again(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    await hand.fail(await hand.poll())
    # Temporal's server shows the attempt that is not written yet as well.
    assert "WorkflowTaskFailed" in (await stage.names(handle))[-2:]
    await handle.signal("something new")
    task = await hand.poll()
    assert task.attempt == 1
    assert (await stage.names(handle))[-4:] == [
        "WorkflowTaskFailed",
        "WorkflowExecutionSignaled",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
    ]


async def test_a_silent_worker_loses_the_task(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start(workflow_task_timeout=timedelta(seconds=1))
    late = await hand.poll()
    again = await hand.poll()
    assert again.attempt == 2
    (timed_out,) = await stage.attributes(handle, "WorkflowTaskTimedOut")
    assert timed_out.timeout_type == e.TIMEOUT_TYPE_START_TO_CLOSE
    with pytest.raises(RPCError) as gone:
        await hand.complete(late, hand.complete_workflow())
    assert gone.value.status is RPCStatusCode.NOT_FOUND
    await hand.complete(again, hand.complete_workflow())


async def test_the_completion_returns_the_next_task(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    task = await hand.poll()
    await handle.signal("more")
    response = await hand.complete(task, return_new_workflow_task=True)
    following = response.workflow_task
    assert following.previous_started_event_id == 3
    # Sticky or not, the worker that has just completed a task has what came before.
    assert shown(following) == [
        "WorkflowTaskCompleted",
        "WorkflowExecutionSignaled",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
    ]
    await hand.complete(following, hand.complete_workflow())


async def test_a_forced_task_comes_without_an_event(stage: Stage) -> None:
    hand = Hand(stage)
    await hand.start()
    await hand.turn(force_create_new_workflow_task=True)
    task = await hand.turn(hand.complete_workflow())
    assert shown(task)[-4:] == [
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
    ]


STICKY = pytest.mark.our_server(
    reason="Temporal's server does not take one poll in vain for a worker of a sticky queue"
)


@STICKY
async def test_a_sticky_task_carries_what_is_new(stage: Stage) -> None:
    hand = Hand(stage)
    sticky = f"{stage.queue}-sticky"
    await hand.attend(sticky)
    handle = await hand.start()
    await hand.turn(sticky_attributes=hand.sticky(sticky, timedelta(seconds=10)))
    await handle.signal("news")
    task = await hand.poll(sticky)
    assert shown(task) == [
        "WorkflowTaskCompleted",
        "WorkflowExecutionSignaled",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
    ]
    assert (task.previous_started_event_id, task.started_event_id) == (3, 7)
    await hand.complete(task, hand.complete_workflow())


@STICKY
async def test_a_sticky_worker_that_is_slow_loses_the_task_to_the_normal_queue(stage: Stage) -> None:
    hand = Hand(stage)
    sticky = f"{stage.queue}-sticky"
    await hand.attend(sticky)
    handle = await hand.start()
    await hand.turn(sticky_attributes=hand.sticky(sticky, timedelta(milliseconds=20)))
    await handle.signal("news")
    task = await hand.poll()
    assert shown(task)[0] == "WorkflowExecutionStarted"
    (timed_out,) = await stage.attributes(handle, "WorkflowTaskTimedOut")
    assert timed_out.timeout_type == e.TIMEOUT_TYPE_SCHEDULE_TO_START
    assert task.attempt == 1
    await hand.complete(task, hand.complete_workflow())


async def test_a_sticky_queue_that_nobody_polls_is_passed_by(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    await hand.turn(sticky_attributes=hand.sticky(f"{stage.queue}-sticky", timedelta(seconds=10)))
    await handle.signal("news")
    assert shown(await hand.poll())[0] == "WorkflowExecutionStarted"
    assert "WorkflowTaskTimedOut" not in await stage.names(handle)


@STICKY
async def test_a_failed_sticky_task_is_tried_once_more_as_a_first_attempt(stage: Stage) -> None:
    hand = Hand(stage)
    sticky = f"{stage.queue}-sticky"
    await hand.attend(sticky)
    handle = await hand.start()
    await hand.turn(sticky_attributes=hand.sticky(sticky, timedelta(seconds=10)))
    await handle.signal("news")
    await hand.fail(await hand.poll(sticky))
    task = await hand.poll()
    assert task.attempt == 1
    await hand.fail(task)
    assert (await stage.names(handle)).count("WorkflowTaskFailed") == 2
    assert (await hand.poll()).attempt == 2


@STICKY
async def test_resetting_stickiness_brings_the_task_to_the_normal_queue(stage: Stage) -> None:
    hand = Hand(stage)
    sticky = f"{stage.queue}-sticky"
    await hand.attend(sticky)
    handle = await hand.start()
    await hand.turn(sticky_attributes=hand.sticky(sticky, timedelta(seconds=10)))
    await handle.signal("news")
    await hand.complete(await hand.poll(sticky), sticky_attributes=hand.sticky(sticky, timedelta(seconds=10)))
    await hand.service.reset_sticky_task_queue(
        hand.api.ResetStickyTaskQueueRequest(namespace="default", execution={"workflow_id": handle.id})
    )
    await handle.signal("more")
    assert shown(await hand.poll())[0] == "WorkflowExecutionStarted"


async def test_a_cancelled_timer_takes_its_waiting_fire_back(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    await hand.turn(hand.start_timer("1", timedelta(milliseconds=20)), force_create_new_workflow_task=True)
    task = await hand.poll()
    # Another run's timeout, later than the timer, says without a clock that the timer's time has come.
    await stage.until_closed(await hand.start(workflow_run_timeout=timedelta(milliseconds=25)))
    await hand.complete(task, hand.cancel_timer("1"), hand.complete_workflow())
    names = await stage.names(handle)
    assert names[-2:] == ["TimerCanceled", "WorkflowExecutionCompleted"]
    assert "TimerFired" not in names


async def test_nothing_follows_the_closing_command(stage: Stage) -> None:
    hand = Hand(stage)
    await hand.start()
    task = await hand.poll()
    with pytest.raises(RPCError) as refused:
        await hand.complete(task, hand.complete_workflow(), hand.start_timer("1", MINUTE))
    assert refused.value.status is RPCStatusCode.INVALID_ARGUMENT
    await hand.complete(task, hand.complete_workflow())


async def test_a_bad_command_fails_the_task_and_says_why(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    task = await hand.poll()
    bad = hand.command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id="of nobody")
    with pytest.raises(RPCError):
        await hand.complete(task, bad)
    (failed,) = await stage.attributes(handle, "WorkflowTaskFailed")
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES
    assert "of nobody" in failed.failure.message


async def test_more_than_a_hundred_waiting_events_end_the_task(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    task = await hand.poll()
    await asyncio.gather(*(handle.signal("flood", number) for number in range(102)))
    (failed,) = await stage.attributes(handle, "WorkflowTaskFailed")
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND
    with pytest.raises(RPCError) as gone:
        await hand.complete(task)
    assert gone.value.status is RPCStatusCode.NOT_FOUND
    assert shown(await hand.poll()).count("WorkflowExecutionSignaled") == 102


# -- with workers ----------------------------------------------------------------------------------------------------


@activity.defn
async def add_one(value: int) -> int:
    return value + 1


@workflow.defn
class Steps:
    """Alternates activities and timers, and counts its signals."""

    def __init__(self) -> None:
        self.signals = 0

    @workflow.run
    async def run(self, steps: int) -> list[int]:
        value = 0
        for _ in range(steps):
            value = await workflow.execute_activity(add_one, value, start_to_close_timeout=MINUTE)
            await workflow.sleep(MS)
        await workflow.wait_condition(lambda: self.signals > 0)
        return [value, self.signals]

    @workflow.signal
    def count(self) -> None:
        self.signals += 1


@pytest.mark.parametrize("cached", [0, 100])
async def test_a_worker_with_and_without_a_cache(stage: Stage, cached: int) -> None:
    async with stage.worker(Steps, activities=[add_one], max_cached_workflows=cached):
        handles = [await stage.start(Steps.run, 3) for _ in range(3)]
        for handle in handles:
            await handle.signal(Steps.count)
            assert await handle.result() == [3, 1]
    kinds = {one.task_queue.kind for one in await stage.attributes(handles[0], "WorkflowTaskScheduled")}
    assert (e.TASK_QUEUE_KIND_STICKY in kinds) is bool(cached)


async def test_a_small_cache_evicts_and_replays(stage: Stage) -> None:
    async with stage.worker(Steps, activities=[add_one], max_cached_workflows=1):
        handles = [await stage.start(Steps.run, 2) for _ in range(4)]
        for handle in handles:
            await handle.signal(Steps.count)
        assert [await handle.result() for handle in handles] == [[2, 1]] * 4


async def test_a_second_worker_takes_over(stage: Stage) -> None:
    async with stage.worker(Steps, activities=[add_one]):
        handle = await stage.start(Steps.run, 1)
        await stage.until_event(handle, "TimerFired")
    await handle.signal(Steps.count)
    async with stage.worker(Steps, activities=[add_one]):
        assert await handle.result() == [1, 1]


@workflow.defn
class Buggy:
    """Raises an ordinary exception until it is told that it is fixed."""

    fixed = False

    @workflow.run
    async def run(self) -> str:
        if not Buggy.fixed:
            raise KeyError("a bug, not a failure")
        return "fixed"


async def test_an_ordinary_exception_fails_the_task_and_not_the_workflow(stage: Stage) -> None:
    Buggy.fixed = False
    async with stage.worker(Buggy, max_cached_workflows=0):
        handle = await stage.start(Buggy.run, task_timeout=SECOND)
        await stage.until_event(handle, "WorkflowTaskFailed")
        Buggy.fixed = True
        assert await handle.result() == "fixed"
    (failed,) = await stage.attributes(handle, "WorkflowTaskFailed")
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
    assert "a bug, not a failure" in failed.failure.message
    assert "raise KeyError" in failed.failure.stack_trace


@workflow.defn(failure_exception_types=[KeyError])
class Widened:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("meant to fail")


async def test_failure_exception_types_widen_what_fails_the_workflow(stage: Stage) -> None:
    async with stage.worker(Widened):
        with pytest.raises(WorkflowFailureError) as failed:
            await stage.execute(Widened.run)
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "KeyError"


async def test_a_type_that_the_worker_lacks_fails_the_task(stage: Stage) -> None:
    async with stage.worker(Widened):
        handle = await stage.start("Nobody")
        await stage.until_event(handle, "WorkflowTaskFailed")
        (failed,) = await stage.attributes(handle, "WorkflowTaskFailed")
        assert "Nobody" in failed.failure.message
        await handle.terminate()
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()
        assert isinstance(ended.value.cause, TerminatedError)
