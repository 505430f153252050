"""Workflow tasks: written starts, transient attempts, stickiness, buffering."""

from __future__ import annotations

import pytest
from brain import SECOND, Brain, complete_workflow, schedule_activity, seconds, start_timer

from outlast.api.enums import v1 as e
from outlast.engine.effects import OfferWorkflowTask
from outlast.engine.execution import completion, workflow_task
from outlast.engine.execution.draft import Draft
from outlast.vocab.errors import InvalidArgument, NotFound

STICKY = {"worker_task_queue": {"name": "sticky-1"}, "schedule_to_start_timeout": seconds(10)}


def test_a_run_begins_with_its_start_and_a_scheduled_task() -> None:
    brain = Brain()
    assert brain.names == ["WorkflowExecutionStarted", "WorkflowTaskScheduled"]
    assert brain.effects == [OfferWorkflowTask("orders", "orders", 2, 1)]


def test_the_start_of_a_task_is_written_with_its_end() -> None:
    brain = Brain()
    shown = brain.poll()
    assert [event.event_id for event in shown] == [1, 2, 3]
    assert brain.names == ["WorkflowExecutionStarted", "WorkflowTaskScheduled"]
    brain.complete(start_timer())
    assert brain.names[2:] == ["WorkflowTaskStarted", "WorkflowTaskCompleted", "TimerStarted"]
    assert brain.events[2] == shown[2]


def test_the_started_event_follows_what_came_while_the_task_waited() -> None:
    brain = Brain()
    brain.signal()
    shown = brain.poll()
    assert [event.event_id for event in shown] == [1, 2, 3, 4]
    brain.complete(start_timer())
    completed = brain.events[4].workflow_task_completed_event_attributes
    assert (completed.scheduled_event_id, completed.started_event_id) == (2, 4)
    assert list(brain.events[:4]) == shown


def test_a_started_task_cannot_be_started_again() -> None:
    brain = Brain()
    brain.poll()
    state = brain.state
    assert (
        workflow_task.start(state, brain.now, scheduled_event_id=2, attempt=1, identity="other", request_id="") is None
    )


def test_a_token_of_an_ended_task_is_not_found() -> None:
    brain = Brain()
    brain.poll()
    started_at = brain.now
    assert completion.find(brain.state, 2, 1, started_at)
    brain.complete(start_timer())
    with pytest.raises(NotFound, match="order-42"):
        completion.find(brain.state, 2, 1, started_at)


def test_events_from_outside_wait_while_the_task_runs_and_follow_it() -> None:
    brain = Brain()
    brain.poll()
    brain.signal("a")
    brain.signal("b")
    assert len(brain.events) == 2 and len(brain.state.buffered) == 2
    brain.complete(start_timer())
    assert brain.names[4:] == [
        "TimerStarted",
        "WorkflowExecutionSignaled",
        "WorkflowExecutionSignaled",
        "WorkflowTaskScheduled",
    ]
    assert [ev.workflow_execution_signaled_event_attributes.signal_name for ev in brain.events[5:7]] == ["a", "b"]


def test_a_scheduled_task_buffers_nothing() -> None:
    brain = Brain()
    brain.signal()
    assert brain.names == ["WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowExecutionSignaled"]


def test_buffered_activity_ends_move_behind_everything_else() -> None:
    brain = Brain()
    brain.turn(schedule_activity("1"), schedule_activity("2"))
    brain.start_activity("1")
    brain.start_activity("2")
    brain.signal("wake")
    brain.poll()
    brain.complete_activity("1")
    brain.signal("late")
    brain.complete_activity("2")
    brain.complete()
    tail = brain.names[-6:]
    assert tail == [
        "ActivityTaskStarted",
        "WorkflowExecutionSignaled",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
        "ActivityTaskCompleted",
        "WorkflowTaskScheduled",
    ]
    started = {
        ev.activity_task_started_event_attributes.scheduled_event_id: ev.event_id
        for ev in brain.events
        if ev.event_type == e.EVENT_TYPE_ACTIVITY_TASK_STARTED
    }
    for event in brain.events:
        if event.event_type == e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done = event.activity_task_completed_event_attributes
            assert done.started_event_id == started[done.scheduled_event_id]


def test_a_close_with_waiting_events_fails_the_task_as_unhandled_command() -> None:
    brain = Brain()
    brain.poll()
    brain.signal()
    outcome = brain.complete(complete_workflow())
    assert outcome.failure is not None
    assert brain.names[2:] == [
        "WorkflowTaskStarted",
        "WorkflowTaskFailed",
        "WorkflowExecutionSignaled",
        "WorkflowTaskScheduled",
    ]
    failed = brain.events[3].workflow_task_failed_event_attributes
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    assert brain.state.task is not None and brain.state.task.attempt == 1
    brain.turn(complete_workflow())
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_COMPLETED


def test_later_attempts_are_transient_until_one_completes() -> None:
    brain = Brain()
    brain.poll()
    brain.fail_task()
    assert brain.names[2:] == ["WorkflowTaskStarted", "WorkflowTaskFailed"]
    assert brain.state.task is not None and brain.state.task.attempt == 2 and not brain.state.task.written
    shown = brain.poll()
    assert [ev.event_id for ev in shown] == [1, 2, 3, 4, 5, 6]
    brain.fail_task()
    assert len(brain.events) == 4
    assert brain.state.task is not None and brain.state.task.attempt == 3
    shown = brain.poll()
    brain.complete(complete_workflow())
    assert brain.names[4:] == [
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
        "WorkflowExecutionCompleted",
    ]
    assert list(brain.events[4:6]) == shown[4:6]
    assert brain.events[4].workflow_task_scheduled_event_attributes.attempt == 3


def test_an_event_from_outside_makes_a_waiting_transient_attempt_real() -> None:
    brain = Brain()
    brain.poll()
    brain.fail_task()
    brain.signal()
    assert brain.names[4:] == ["WorkflowExecutionSignaled", "WorkflowTaskScheduled"]
    assert brain.state.task is not None and brain.state.task.attempt == 1


def test_an_event_during_a_transient_attempt_is_delivered_when_it_fails() -> None:
    brain = Brain()
    brain.poll()
    brain.fail_task()
    brain.poll()
    brain.signal()
    brain.fail_task()
    assert brain.names[4:] == ["WorkflowExecutionSignaled", "WorkflowTaskScheduled"]
    assert brain.state.task is not None and brain.state.task.attempt == 1


def test_a_worker_that_keeps_silent_times_out() -> None:
    brain = Brain()
    brain.poll()
    assert brain.wakes_in == 10
    brain.tick(9.9)
    assert len(brain.events) == 2
    brain.tick(0.1)
    assert brain.names[2:] == ["WorkflowTaskStarted", "WorkflowTaskTimedOut"]
    assert brain.state.task is not None and brain.state.task.attempt == 2


def test_later_attempts_get_more_time() -> None:
    brain = Brain()
    waits = []
    for _ in range(7):
        brain.poll()
        waits.append(brain.wakes_in)
        brain.tick(brain.wakes_in or 0)
    assert waits == [10, 10, 10, 15, 20, 30, 50]


def test_a_sticky_task_that_nobody_takes_goes_to_the_normal_queue() -> None:
    brain = Brain()
    brain.turn(start_timer(), sticky_attributes=STICKY)
    brain.signal()
    assert brain.effects == [OfferWorkflowTask("sticky-1", "orders", 7, 1)]
    assert brain.wakes_in == 10
    brain.tick(10)
    assert brain.names[-2:] == ["WorkflowTaskTimedOut", "WorkflowTaskScheduled"]
    timed_out = brain.events[-2].workflow_task_timed_out_event_attributes
    assert timed_out.timeout_type == e.TIMEOUT_TYPE_SCHEDULE_TO_START
    assert brain.effects == [OfferWorkflowTask("orders", "orders", 9, 1)]


def test_a_failure_on_a_sticky_worker_does_not_count_as_an_attempt() -> None:
    brain = Brain()
    brain.turn(start_timer(), sticky_attributes=STICKY)
    brain.signal()
    brain.poll()
    brain.fail_task()
    assert brain.names[-2:] == ["WorkflowTaskFailed", "WorkflowTaskScheduled"]
    assert brain.state.task is not None and brain.state.task.attempt == 1
    assert brain.state.sticky_queue == ""


def test_a_dead_sticky_queue_gives_its_task_back_without_an_event() -> None:
    brain = Brain()
    brain.turn(start_timer(), sticky_attributes=STICKY)
    brain.signal()
    before = len(brain.events)
    draft = brain.draft()
    draft.apply(workflow_task.unstick(draft.state))
    brain.keep(draft)
    assert len(brain.events) == before
    assert brain.effects == [OfferWorkflowTask("orders", "orders", 7, 1)]


def test_too_many_buffered_events_end_the_task() -> None:
    brain = Brain()
    brain.poll()
    for _ in range(101):
        brain.signal()
    assert brain.state.buffered == []
    failed = brain.events[3].workflow_task_failed_event_attributes
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND
    assert brain.names.count("WorkflowExecutionSignaled") == 101


def test_a_bad_command_drops_the_whole_draft() -> None:
    brain = Brain()
    brain.poll()
    outcome = brain.complete(start_timer("a"), start_timer("a"))
    assert outcome.failure is not None and "'a'" in outcome.failure.message
    assert brain.names[2:] == ["WorkflowTaskStarted", "WorkflowTaskFailed"]
    assert brain.state.timers == {}
    failed = brain.events[3].workflow_task_failed_event_attributes
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID


def test_a_bad_command_at_a_later_attempt_writes_nothing() -> None:
    brain = Brain()
    brain.poll()
    brain.fail_task()
    brain.poll()
    with pytest.raises(InvalidArgument, match="timer_id must have"):
        brain.complete(start_timer(""))
    assert len(brain.events) == 4


def test_nothing_may_follow_the_closing_command() -> None:
    brain = Brain()
    brain.poll()
    with pytest.raises(InvalidArgument, match="must be the last"):
        brain.complete(complete_workflow(), start_timer())


def test_a_worker_can_ask_for_another_task() -> None:
    brain = Brain()
    brain.turn(force_create_new_workflow_task=True)
    assert brain.names[-1] == "WorkflowTaskScheduled"


def test_a_draft_leaves_the_state_alone() -> None:
    brain = Brain()
    before = Draft(brain.state, brain.now).state
    draft = brain.draft()
    draft.apply(workflow_task.unstick(draft.state))
    draft.state.request_ids["x"] = 1
    draft.state.buffered.append(b"x")
    assert brain.state == before


def test_a_restart_hands_a_started_task_out_again_with_what_waited() -> None:
    brain = Brain()
    brain.poll()
    brain.signal()
    brain.now += SECOND
    brain.recover()
    assert brain.names == ["WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowExecutionSignaled"]
    assert brain.state.task is not None and not brain.state.task.started
    brain.turn(complete_workflow())
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_COMPLETED


def test_a_restart_makes_a_transient_attempt_real_when_something_waited() -> None:
    brain = Brain()
    brain.poll()
    brain.fail_task()
    brain.poll()
    brain.signal()
    brain.recover()
    assert brain.names[4:] == ["WorkflowExecutionSignaled", "WorkflowTaskScheduled"]
    brain.turn(complete_workflow())


def test_heartbeats_keep_a_task_for_half_an_hour_at_most() -> None:
    brain = Brain()
    brain.poll()
    brain.complete(force_create_new_workflow_task=True, sticky_attributes=STICKY)
    assert brain.names[3:] == ["WorkflowTaskCompleted", "WorkflowTaskScheduled"]
    first = brain.now
    for _ in range(3):
        brain.poll()
        brain.now += 600 * SECOND
        brain.complete(force_create_new_workflow_task=True, sticky_attributes=STICKY)
        assert brain.state.task is not None and brain.state.task.original_scheduled_at == first
    brain.poll()
    brain.now += SECOND
    outcome = brain.complete(force_create_new_workflow_task=True, sticky_attributes=STICKY)
    assert outcome.expired and outcome.failure is None
    assert brain.names[-3:] == ["WorkflowTaskStarted", "WorkflowTaskTimedOut", "WorkflowTaskScheduled"]
    assert brain.state.sticky_queue == "" and brain.effects == [OfferWorkflowTask("orders", "orders", 17, 1)]


def test_a_completion_that_does_something_is_no_heartbeat() -> None:
    brain = Brain()
    brain.poll()
    brain.now += 3600 * SECOND
    assert not brain.complete(start_timer(), force_create_new_workflow_task=True).expired
    assert brain.names[-2:] == ["TimerStarted", "WorkflowTaskScheduled"]
