"""Activities: results, retries, retry states, timeouts, heartbeats across attempts; eager or polled, sync or async."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hand import Hand
from stage import MINUTE, MS, SECOND, Stage

from outlast import activity, workflow
from outlast.api.common.v1 import WorkflowExecution
from outlast.api.enums import v1 as e
from outlast.api.workflowservice.v1 import UpdateActivityOptionsRequest
from outlast.client import WorkflowFailureError
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError, TimeoutError

FAST = RetryPolicy(initial_interval=MS, backoff_coefficient=1)


@activity.defn
async def echo(value: Any) -> Any:
    return value


@activity.defn
def in_a_thread(value: str) -> str:
    activity.heartbeat("alive")
    main = threading.current_thread() is threading.main_thread()
    return f"{value} {'main' if main else 'thread'} {activity.info().activity_type}"


@activity.defn
async def fail_with(attempts: int, options: dict[str, Any]) -> int:
    """Fails until its attempt number ``attempts``."""
    if activity.info().attempt < attempts:
        delay = options.get("delay_ms")
        raise ApplicationError(
            f"attempt {activity.info().attempt}",
            "a detail",
            type=options.get("type", "Declined"),
            non_retryable=options.get("non_retryable", False),
            next_retry_delay=None if delay is None else delay * MS,
        )
    return activity.info().attempt


@activity.defn
async def hang() -> None:
    await asyncio.Event().wait()


@activity.defn
async def beat() -> list[Any]:
    """Each attempt heartbeats, and the third one answers what the second had told."""
    info = activity.info()
    activity.heartbeat("progress", info.attempt)
    if info.attempt < 3:
        raise RuntimeError("not yet")
    return list(info.heartbeat_details)


@activity.defn
async def beat_and_hang() -> list[Any]:
    """Hangs after its heartbeat, until an attempt begins with what an earlier one has left."""
    info = activity.info()
    if not info.heartbeat_details:
        activity.heartbeat("last words")
        await asyncio.Event().wait()
    return list(info.heartbeat_details)


@workflow.defn
class Call:
    """Runs one activity with the options it is given."""

    @workflow.run
    async def run(self, name: str, args: list[Any], options: dict[str, Any]) -> Any:
        limits = {key: value * MS for key, value in options.items() if key.endswith("timeout")} or {
            "start_to_close_timeout": MINUTE
        }
        policy = None
        if "attempts" in options or "types" in options:
            policy = RetryPolicy(
                initial_interval=options.get("interval", 1) * MS,
                backoff_coefficient=options.get("coefficient", 1.0),
                maximum_attempts=options.get("attempts", 0),
                non_retryable_error_types=options.get("types"),
            )
        return await workflow.execute_activity(
            name, args=args, retry_policy=policy, task_queue=options.get("queue"), **limits
        )


async def failure_of(stage: Stage, name: str, args: list[Any], **options: Any) -> tuple[ActivityError, Any]:
    """The activity's error as the client sees it, and the run's handle."""
    handle = await stage.start(Call.run, name, args, options)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ActivityError)
    return failed.value.cause, handle


async def test_a_result_and_the_events_of_an_activity(stage: Stage) -> None:
    async with stage.worker(Call, activities=[echo]):
        handle = await stage.start(Call.run, "echo", [{"a": [1, None]}], {})
        assert await handle.result() == {"a": [1, None]}
    assert (await stage.names(handle))[4:7] == [
        "ActivityTaskScheduled",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
    ]
    (scheduled,) = await stage.attributes(handle, "ActivityTaskScheduled")
    assert scheduled.activity_id == "1"
    policy = scheduled.retry_policy
    assert policy.initial_interval.ToTimedelta() == SECOND
    assert (policy.backoff_coefficient, policy.maximum_attempts) == (2.0, 0)
    assert policy.maximum_interval.ToTimedelta() == 100 * SECOND
    (started,) = await stage.attributes(handle, "ActivityTaskStarted")
    assert started.attempt == 1
    (completed,) = await stage.attributes(handle, "ActivityTaskCompleted")
    assert (completed.scheduled_event_id, completed.started_event_id) == (5, 6)


async def test_a_plain_function_runs_in_a_thread(stage: Stage) -> None:
    with ThreadPoolExecutor(2) as pool:
        async with stage.worker(Call, activities=[in_a_thread], activity_executor=pool, max_concurrent_activities=2):
            assert await stage.execute(Call.run, "in_a_thread", ["hello"], {}) == "hello thread in_a_thread"


@pytest.mark.parametrize("eager", [True, False], ids=["eager", "polled"])
async def test_activities_of_the_same_worker(stage: Stage, eager: bool) -> None:
    async with stage.worker(Call, activities=[echo], disable_eager_activity_execution=not eager):
        assert await stage.execute(Call.run, "echo", [1], {}) == 1


async def test_an_activity_on_another_queue(stage: Stage) -> None:
    other = f"{stage.queue}-other"
    async with stage.worker(Call), stage.worker(activities=[echo], task_queue=other):
        assert await stage.execute(Call.run, "echo", ["far"], {"queue": other}) == "far"


async def test_retries_leave_one_started_event_with_the_last_attempt(stage: Stage) -> None:
    async with stage.worker(Call, activities=[fail_with]):
        handle = await stage.start(Call.run, "fail_with", [3, {}], {"attempts": 0, "interval": 1, "types": []})
        assert await handle.result() == 3
    (started,) = await stage.attributes(handle, "ActivityTaskStarted")
    assert started.attempt == 3
    assert started.last_failure.message == "attempt 2"
    assert started.last_failure.application_failure_info.type == "Declined"


async def test_the_interval_grows_by_the_coefficient(stage: Stage) -> None:
    async with stage.worker(Call, activities=[fail_with]):
        handle = await stage.start(Call.run, "fail_with", [4, {}], {"attempts": 5, "interval": 10, "coefficient": 2.0})
        await handle.result()
    events = await stage.events(handle)
    times = [event.event_time.ToDatetime() for event in events[4:6]]
    assert times[1] - times[0] >= (10 + 20 + 40) * MS


async def test_the_failure_names_the_next_delay(stage: Stage) -> None:
    async with stage.worker(Call, activities=[fail_with]):
        # The policy alone would wait for a minute.
        options = {"attempts": 2, "interval": 60_000}
        assert await stage.execute(Call.run, "fail_with", [2, {"delay_ms": 1}], options) == 2


async def test_retry_states_and_the_chain_of_causes(stage: Stage) -> None:
    async with stage.worker(Call, activities=[fail_with, hang]):
        error, handle = await failure_of(stage, "fail_with", [9, {}], attempts=2)
        assert error.retry_state is not None and error.retry_state.name == "MAXIMUM_ATTEMPTS_REACHED"
        assert (error.activity_type, error.activity_id) == ("fail_with", "1")
        assert (error.scheduled_event_id, error.started_event_id) == (5, 6)
        assert error.identity
        cause = error.cause
        assert isinstance(cause, ApplicationError)
        assert (cause.message, cause.type, list(cause.details)) == ("attempt 2", "Declined", ["a detail"])
        (failed,) = await stage.attributes(handle, "ActivityTaskFailed")
        assert failed.retry_state == e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED

        error, _ = await failure_of(stage, "fail_with", [9, {"non_retryable": True}])
        assert error.retry_state is not None and error.retry_state.name == "NON_RETRYABLE_FAILURE"
        assert isinstance(error.cause, ApplicationError) and error.cause.non_retryable

        error, _ = await failure_of(stage, "fail_with", [9, {"type": "Fatal"}], types=["Fatal"])
        assert error.retry_state is not None and error.retry_state.name == "NON_RETRYABLE_FAILURE"

        error, handle = await failure_of(
            stage, "fail_with", [9, {}], attempts=0, interval=60_000, schedule_to_close_timeout=5000
        )
        assert error.retry_state is not None and error.retry_state.name == "TIMEOUT"
        assert isinstance(error.cause, ApplicationError)


async def test_start_to_close(stage: Stage) -> None:
    async with stage.worker(Call, activities=[hang]):
        error, handle = await failure_of(stage, "hang", [], attempts=2, start_to_close_timeout=20)
    assert isinstance(error.cause, TimeoutError)
    assert error.cause.type is not None and error.cause.type.name == "START_TO_CLOSE"
    assert error.retry_state is not None and error.retry_state.name == "MAXIMUM_ATTEMPTS_REACHED"
    (timed_out,) = await stage.attributes(handle, "ActivityTaskTimedOut")
    assert timed_out.failure.message == "activity StartToClose timeout"
    (started,) = await stage.attributes(handle, "ActivityTaskStarted")
    assert started.attempt == 2


async def test_schedule_to_start_is_never_retried(stage: Stage) -> None:
    async with stage.worker(Call):
        error, handle = await failure_of(
            stage, "hang", [], start_to_close_timeout=60_000, schedule_to_start_timeout=10, queue="nobody"
        )
    assert isinstance(error.cause, TimeoutError)
    assert error.cause.type is not None and error.cause.type.name == "SCHEDULE_TO_START"
    assert error.retry_state is not None and error.retry_state.name == "TIMEOUT"
    assert "ActivityTaskStarted" not in await stage.names(handle)


async def test_schedule_to_close_spans_the_attempts(stage: Stage) -> None:
    async with stage.worker(Call, activities=[hang]):
        error, _ = await failure_of(
            stage, "hang", [], attempts=0, schedule_to_close_timeout=60, start_to_close_timeout=25
        )
    assert isinstance(error.cause, TimeoutError)
    assert error.cause.type is not None and error.cause.type.name == "SCHEDULE_TO_CLOSE"


async def test_a_timeout_without_time_for_another_attempt_is_schedule_to_close(stage: Stage) -> None:
    async with stage.worker(Call, activities=[hang]):
        error, handle = await failure_of(
            stage,
            "hang",
            [],
            attempts=0,
            interval=60_000,
            schedule_to_close_timeout=5000,
            start_to_close_timeout=20,
        )
    (timed_out,) = await stage.attributes(handle, "ActivityTaskTimedOut")
    info = timed_out.failure.timeout_failure_info
    assert info.timeout_type == e.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
    assert isinstance(error.cause, TimeoutError)
    if not stage.oracle:  # Temporal's server does not tell which timeout it was.
        assert timed_out.failure.cause.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_START_TO_CLOSE
        assert isinstance(error.cause.cause, TimeoutError)


async def test_heartbeat_details_survive_a_failed_attempt(stage: Stage) -> None:
    async with stage.worker(Call, activities=[beat]):
        assert await stage.execute(Call.run, "beat", [], {"attempts": 3}) == ["progress", 2]


async def test_a_missed_heartbeat_ends_the_attempt_and_its_details_reach_the_next(stage: Stage) -> None:
    # However long a slow machine takes from the start of an attempt to its heartbeat: one of them is in time.
    async with stage.worker(Call, activities=[beat_and_hang]):
        options = {"attempts": 0, "heartbeat_timeout": 100, "start_to_close_timeout": 60_000}
        handle = await stage.start(Call.run, "beat_and_hang", [], options)
        assert await handle.result() == ["last words"]
    (started,) = await stage.attributes(handle, "ActivityTaskStarted")
    assert started.last_failure.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_HEARTBEAT


async def test_a_heartbeat_timeout_carries_the_last_details(stage: Stage) -> None:
    async with stage.worker(Call, activities=[beat_and_hang]):
        options = {"attempts": 1, "heartbeat_timeout": 30_000, "start_to_close_timeout": 60_000}
        handle = await stage.start(Call.run, "beat_and_hang", [], options)

        async def beaten() -> bool:
            found = (await handle.describe()).raw_description.pending_activities
            return bool(found and found[0].HasField("heartbeat_details"))

        # The timeout is cut short once the heartbeat is known, so that no slow machine can be late with it.
        await stage.until(beaten)
        request = UpdateActivityOptionsRequest(
            namespace="default", execution=WorkflowExecution(workflow_id=handle.id), id="1"
        )
        request.activity_options.heartbeat_timeout.FromMilliseconds(1)
        request.update_mask.paths.append("heartbeat_timeout")
        await stage.client.workflow_service.update_activity_options(request)
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    error = failed.value.cause
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, TimeoutError)
    assert error.cause.type is not None and error.cause.type.name == "HEARTBEAT"
    assert list(error.cause.last_heartbeat_details) == ["last words"]


async def test_timeouts_are_completed_by_the_server(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start(workflow_run_timeout=timedelta(seconds=30))
    await hand.turn(
        hand.schedule_activity("close only", start_to_close_timeout=timedelta(seconds=10)),
        hand.schedule_activity("all", start_to_close_timeout=None, schedule_to_close_timeout=timedelta(seconds=20)),
        hand.schedule_activity(
            "beats", start_to_close_timeout=timedelta(seconds=5), heartbeat_timeout=timedelta(seconds=50)
        ),
    )
    one, two, three = (
        [
            getattr(scheduled, f"{name}_timeout").ToTimedelta().total_seconds()
            for name in ("schedule_to_close", "schedule_to_start", "start_to_close", "heartbeat")
        ]
        for scheduled in await stage.attributes(handle, "ActivityTaskScheduled")
    )
    assert one == [30, 30, 10, 0]
    assert two == [20, 20, 20, 0]
    assert three == [30, 30, 5, 5]


async def test_an_activity_id_in_use_and_missing_timeouts_fail_the_task(stage: Stage) -> None:
    hand = Hand(stage)
    for commands, cause in (
        (
            [hand.schedule_activity("1", start_to_close_timeout=None)],
            e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
        ),
        (
            [hand.schedule_activity("1"), hand.schedule_activity("1")],
            e.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
        ),
    ):
        handle = await hand.start()
        task = await hand.poll()
        with pytest.raises(
            Exception, match=stage.says("the workflow task failed", "BadScheduleActivity|ScheduleActivityDuplicateId")
        ):
            await hand.complete(task, *commands)
        (failed,) = await stage.attributes(handle, "WorkflowTaskFailed")
        assert failed.cause == cause
        assert "ActivityTaskScheduled" not in await stage.names(handle)
        await handle.terminate()


async def test_a_terminal_activity_event_moves_behind_the_signals_it_was_buffered_with(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    await hand.turn(hand.schedule_activity("1"), hand.start_timer("1", timedelta(minutes=1)))
    work = await hand.poll_activity()
    await handle.signal("wake")
    task = await hand.poll()
    await hand.complete_activity(work)
    await handle.signal("later")
    assert (await stage.names(handle))[-1] == "WorkflowTaskStarted"
    await hand.complete(task)
    assert (await stage.names(handle))[-6:] == [
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
        "ActivityTaskStarted",
        "WorkflowExecutionSignaled",
        "ActivityTaskCompleted",
        "WorkflowTaskScheduled",
    ]
