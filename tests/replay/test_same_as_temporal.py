"""The law of compatibility: a history that our run has written replays in Temporal's SDK, and in ours again.

Each test plays a workflow against the script, so that commands come from live code, and then hands the finished
history to the real Replayer, which compares every command with every event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import replay_flows as flows
from replay_compat import replay_with_temporalio
from replay_script import Script, commands, values

import outlast.api.enums.v1 as e
from outlast.api.failure.v1 import CanceledFailureInfo, Failure
from outlast.api.workflowservice.v1 import RespondQueryTaskCompletedRequest


async def both_follow(script: Script) -> None:
    answer = script.replay()
    assert isinstance(answer, RespondQueryTaskCompletedRequest)
    assert answer.completed_type == e.QUERY_RESULT_TYPE_ANSWERED, answer.error_message
    await replay_with_temporalio(script)


def result_of(script: Script) -> Any:
    command = script.completions[-1].commands[-1]
    return values(command.complete_workflow_execution_command_attributes.result)[0]


@pytest.mark.parametrize("fresh", [False, True], ids=["sticky", "cache miss"])
async def test_pipeline(fresh: bool) -> None:
    script = Script(flows.Pipeline, "x")
    script.play(
        lambda: script.complete_activity("1", "x1"),
        lambda: script.complete_activity("2", "x2"),
        lambda: script.complete_activity("3", "x3"),
        fresh=fresh,
    )
    assert [commands(one) for one in script.completions] == [
        ["SCHEDULE_ACTIVITY_TASK"],
        ["SCHEDULE_ACTIVITY_TASK"],
        ["SCHEDULE_ACTIVITY_TASK"],
        ["COMPLETE_WORKFLOW_EXECUTION"],
    ]
    assert result_of(script) == "x3"
    await both_follow(script)


async def test_what_resolves_together_goes_on_in_the_order_of_temporals_loop() -> None:
    script = Script(flows.Parallel)
    first = script.task()
    assert commands(first).count("START_TIMER") == 3

    def all_at_once() -> None:
        for activity_id in "54321":
            script.complete_activity(activity_id, activity_id)
        script.fire_timer("2")
        script.fire_timer("1")

    all_at_once()
    script.task()
    for event in [event for event in script.events if event.event_type == e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED][5:]:
        script.complete_activity(event.activity_task_scheduled_event_attributes.activity_id)
    script.task()
    assert commands(script.completions[-1]) == ["COMPLETE_WORKFLOW_EXECUTION"]
    await both_follow(script)


async def test_activity_cancellation_types() -> None:
    script = Script(flows.CancelTypes)
    first = script.task()
    assert commands(first) == ["SCHEDULE_ACTIVITY_TASK"] * 3 + ["START_TIMER"]
    ids = [one.schedule_activity_task_command_attributes.activity_id for one in first.commands[:3]]
    assert ids == ["2", "3", "4"]
    script.fire_timer("1")
    script.start_activity("4")
    second = script.task()
    # Two requests; ABANDON sends none, and TRY_CANCEL lets the code go on at once.
    assert commands(second) == ["REQUEST_CANCEL_ACTIVITY_TASK"] * 2 + ["SCHEDULE_ACTIVITY_TASK"]
    script.complete_activity("5")
    script.complete_activity("4", "abandoned, but done")
    script.task()
    script.end_activity("3", e.EVENT_TYPE_ACTIVITY_TASK_CANCELED)
    script.task()
    script.complete_activity("6")
    script.task()
    script.complete_activity("7")
    script.task()
    assert result_of(script) == ["CancelledError"] * 4
    await both_follow(script)


async def test_timers_cancelled_in_the_same_task_and_later() -> None:
    script = Script(flows.TimersCancelled)
    first = script.task()
    assert commands(first) == ["SCHEDULE_ACTIVITY_TASK", "START_TIMER", "START_TIMER"] or commands(first) == [
        "START_TIMER",
        "SCHEDULE_ACTIVITY_TASK",
        "START_TIMER",
    ]
    timers = {
        one.start_timer_command_attributes.timer_id: one.start_timer_command_attributes.start_to_fire_timeout.seconds
        for one in first.commands
        if one.command_type == e.COMMAND_TYPE_START_TIMER
    }
    assert set(timers.values()) == {10, 100}
    script.fire_timer(next(timer_id for timer_id, seconds in timers.items() if seconds == 10))
    second = script.task()
    assert sorted(commands(second)) == ["CANCEL_TIMER", "REQUEST_CANCEL_ACTIVITY_TASK", "SCHEDULE_ACTIVITY_TASK"]
    script.complete_activity("2")
    script.task()
    assert result_of(script) == "done"
    await both_follow(script)


async def test_conditions_signals_and_handlers() -> None:
    script = Script(flows.Conditions)
    script.signal("add", "first")
    first = script.task()
    assert commands(first) == ["SCHEDULE_ACTIVITY_TASK"]
    script.complete_activity("1")
    script.signal("add", "second")
    script.task()
    script.complete_activity("2")
    assert commands(script.task()) == ["SCHEDULE_ACTIVITY_TASK"]
    script.complete_activity("3")
    assert commands(script.task()) == ["START_TIMER"]
    script.fire_timer("1")
    assert commands(script.task()) == ["START_TIMER"]
    script.signal("start")
    script.signal("add", "third")
    assert commands(script.task()) == ["SCHEDULE_ACTIVITY_TASK", "CANCEL_TIMER"]
    assert values(script.query("current").query_result) == [["first", "second", "timeout"]]
    script.complete_activity("4")
    script.task()
    assert result_of(script) == ["first", "second", "timeout", "third"]
    await both_follow(script)


async def test_signal_and_timeout_in_the_same_task() -> None:
    script = Script(flows.Conditions)
    script.signal("add", "a")
    script.signal("add", "b")
    script.task()
    script.complete_activity("1")
    script.complete_activity("2")
    script.task()
    script.complete_activity("3")
    script.task()
    # The signal lets the condition through, and the timer that fired in the same task is too late.
    script.fire_timer("1")
    script.signal("start")
    script.task()
    assert result_of(script) == ["a", "b"]
    await both_follow(script)


async def test_signals_wait_for_a_handler() -> None:
    script = Script(flows.SignalsBuffered)
    script.signal("later", "a")
    script.task()
    script.signal("later", "b")
    script.task()
    script.fire_timer("1")
    script.task()
    script.signal("later", "c")
    script.task()
    script.complete_activity("1")
    script.task()
    assert result_of(script) == ["a", "b", "c"]
    await both_follow(script)


async def test_cancelled_workflow_cleans_up_under_shield() -> None:
    script = Script(flows.Cancelled)
    script.task()
    script.cancel("enough")
    assert commands(script.task()) == ["REQUEST_CANCEL_ACTIVITY_TASK", "SCHEDULE_ACTIVITY_TASK"]
    script.complete_activity("2")
    assert commands(script.task()) == ["CANCEL_WORKFLOW_EXECUTION"]
    await both_follow(script)


async def test_cancel_before_the_first_task() -> None:
    script = Script(flows.CancelSwallowed)
    script.cancel("early")
    script.task()
    script.complete_activity("1")
    script.task()
    assert result_of(script) == "reason early"
    await both_follow(script)


async def test_cancel_swallowed() -> None:
    script = Script(flows.CancelSwallowed)
    script.task()
    script.cancel("why")
    assert commands(script.task()) == ["CANCEL_TIMER", "SCHEDULE_ACTIVITY_TASK"]
    script.complete_activity("1")
    script.task()
    assert result_of(script) == "reason why"
    await both_follow(script)


async def test_patches() -> None:
    script = Script(flows.Patched)
    first = script.task()
    assert commands(first) == ["RECORD_MARKER", "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", "SCHEDULE_ACTIVITY_TASK"]
    script.complete_activity("1")
    second = script.task()
    assert commands(second) == ["RECORD_MARKER", "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"] * 2 + ["SCHEDULE_ACTIVITY_TASK"]
    script.complete_activity("2")
    script.task()
    assert result_of(script) == [True, True, True]
    await both_follow(script)


async def test_failure() -> None:
    script = Script(flows.Failing)
    script.task()
    script.fail_activity("1")
    script.task()
    failure = script.completions[-1].commands[0].fail_workflow_execution_command_attributes.failure
    assert failure.activity_failure_info.activity_id == "1"
    assert failure.cause.message == "boom"
    assert failure.cause.application_failure_info.type == "Boom"
    await both_follow(script)


async def test_randomness_and_time_are_the_same_numbers() -> None:
    from replay_compat import temporalio_flows

    script = Script(flows.Random)
    script.task(seconds=1.25)
    script.complete_activity("1")
    script.task(seconds=2.5)
    live = list(flows.SEEN)
    flows.SEEN.clear()
    temporalio_flows.SEEN.clear()
    await both_follow(script)
    assert live == flows.SEEN
    assert live == temporalio_flows.SEEN


async def test_deterministic_wait_and_as_completed() -> None:
    script = Script(flows.Waiters)
    script.task()
    script.complete_activity("2", "b")
    script.complete_activity("1", "a")
    script.task()
    script.complete_activity("4")
    script.task()
    script.complete_activity("5")
    script.complete_activity("3", "c")
    script.task()
    script.complete_activity("6")
    assert commands(script.task()) == ["SCHEDULE_ACTIVITY_TASK", "SCHEDULE_ACTIVITY_TASK", "START_TIMER"]
    script.complete_activity("8")
    assert commands(script.task()) == ["CANCEL_TIMER", "COMPLETE_WORKFLOW_EXECUTION"]
    assert result_of(script) == ["b", "a", "c", [1, 1]]
    await both_follow(script)


async def test_updates() -> None:
    script = Script(flows.Updated)
    script.task()
    first = script.task(script.update_request("u1", "add", 2))
    assert commands(first) == ["PROTOCOL_MESSAGE", "SCHEDULE_ACTIVITY_TASK"]
    refused = script.task(script.update_request("u2", "add", -1), script.update_request("u3", "peek"))
    assert [one.id for one in refused.messages] == ["u2/request/reject", "u3/request/accept", "u3/request/complete"]
    assert commands(refused) == ["PROTOCOL_MESSAGE", "PROTOCOL_MESSAGE"]
    script.complete_activity("1")
    script.task(script.update_request("u4", "add", 5))
    script.complete_activity("2")
    script.complete_activity("3")
    script.task()
    assert result_of(script) == 7
    await both_follow(script)


async def test_update_in_the_first_task() -> None:
    script = Script(flows.Updated)
    script.task(script.update_request("u1", "add", 3))
    script.complete_activity("1")
    script.complete_activity("2")
    script.task()
    assert result_of(script) == 3
    await both_follow(script)


async def test_children_and_external_workflows() -> None:
    script = Script(flows.Parent)
    assert commands(script.task()) == ["START_CHILD_WORKFLOW_EXECUTION"]
    script.start_child("child-1")
    assert commands(script.task()) == ["SIGNAL_EXTERNAL_WORKFLOW_EXECUTION"]
    _delivered(script, e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
    script.task()
    result = Script(flows.Pipeline, "child result").events[0].workflow_execution_started_event_attributes.input
    script.end_child("child-1", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, result=result)
    started = script.task().commands[0].start_child_workflow_execution_command_attributes
    script.start_child(started.workflow_id)
    assert commands(script.task()) == ["REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"]
    _delivered(script, e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    script.task()
    script.end_child(started.workflow_id, e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED)
    assert commands(script.task()) == ["SIGNAL_EXTERNAL_WORKFLOW_EXECUTION"]
    _delivered(script, e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
    assert commands(script.task()) == ["REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"]
    _delivered(script, e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    script.task()
    assert result_of(script) == ["child result", "ChildWorkflowError"]
    await both_follow(script)


def _delivered(script: Script, event_type: int) -> None:
    initiated = script.ids(e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED) + script.ids(
        e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
    )
    script.add(event_type, initiated_event_id=max(initiated))


async def test_memo_and_continue_as_new() -> None:
    script = Script(flows.Properties)
    assert commands(script.task()) == ["MODIFY_WORKFLOW_PROPERTIES", "SCHEDULE_ACTIVITY_TASK"]
    script.complete_activity("1")
    command = script.task().commands[0].continue_as_new_workflow_execution_command_attributes
    assert values(command.input) == ["text"]
    assert command.workflow_type.name == "Properties"
    await both_follow(script)


async def test_failure_exception_types() -> None:
    script = Script(flows.FailsOnValueError)
    assert commands(script.task()) == ["FAIL_WORKFLOW_EXECUTION"]
    await both_follow(script)


def _workflow_task_failed(script: Script) -> None:
    started = script.open_task()
    script.add(
        e.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        scheduled_event_id=started.event_id - 1,
        started_event_id=started.event_id,
        failure=Failure(message="bug", canceled_failure_info=CanceledFailureInfo()),
    )


def _workflow_task_timed_out(script: Script) -> None:
    started = script.open_task()
    script.add(
        e.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
        scheduled_event_id=started.event_id - 1,
        started_event_id=started.event_id,
        timeout_type=e.TIMEOUT_TYPE_START_TO_CLOSE,
    )


def _heartbeat(script: Script) -> None:
    started = script.open_task()
    script.add(
        e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        scheduled_event_id=started.event_id - 1,
        started_event_id=started.event_id,
    )


async def test_heartbeats() -> None:
    script = Script(flows.Pipeline, "x")
    _heartbeat(script)
    _heartbeat(script)
    script.task(fresh=True)
    script.complete_activity("1", "x1")
    script.task(fresh=True)
    _heartbeat(script)
    script.complete_activity("2", "x2")
    script.task(fresh=True)
    script.complete_activity("3", "x3")
    script.task()
    assert result_of(script) == "x3"
    await both_follow(script)


@pytest.mark.parametrize("interlude", [_workflow_task_failed, _workflow_task_timed_out])
async def test_workflow_tasks_in_which_nothing_ran(interlude: Callable[[Script], None]) -> None:
    script = Script(flows.Pipeline, "x")
    interlude(script)
    interlude(script)
    script.task(fresh=True)
    script.complete_activity("1", "x1")
    interlude(script)
    script.signal("ignored")
    interlude(script)
    script.task(fresh=True)
    script.complete_activity("2", "x2")
    script.task()
    script.complete_activity("3", "x3")
    script.task()
    assert result_of(script) == "x3"
    await both_follow(script)
