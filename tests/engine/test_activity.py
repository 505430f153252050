"""Activities: scheduling rules, attempts, deadlines, cancellation."""

from __future__ import annotations

import pytest
from brain import SECOND, Brain, command, complete_workflow, payloads, schedule_activity, seconds

from outlast.api.enums import v1 as e
from outlast.engine.effects import OfferActivityTask, OfferWorkflowTask, RunEagerly
from outlast.engine.execution import activity
from outlast.vocab.errors import InvalidArgument, NotFound
from outlast.vocab.times import from_duration


def begun(**attributes: object) -> Brain:
    """A run with one scheduled activity."""
    brain = Brain()
    brain.turn(schedule_activity(**attributes))  # type: ignore[arg-type]
    return brain


def test_scheduling_offers_the_first_attempt() -> None:
    brain = begun()
    assert brain.names[-1] == "ActivityTaskScheduled"
    assert brain.effects == [OfferActivityTask("orders", 5, 1, 0)]
    policy = brain.events[-1].activity_task_scheduled_event_attributes.retry_policy
    assert from_duration(policy.initial_interval) == SECOND and policy.backoff_coefficient == 2.0
    assert from_duration(policy.maximum_interval) == 100 * SECOND and policy.maximum_attempts == 0


def test_the_start_is_written_with_the_end() -> None:
    brain = begun()
    assert brain.start_activity()
    assert brain.names[-1] == "ActivityTaskScheduled"
    brain.now += SECOND
    brain.complete_activity()
    assert brain.names[-3:] == ["ActivityTaskStarted", "ActivityTaskCompleted", "WorkflowTaskScheduled"]
    assert brain.events[-2].activity_task_completed_event_attributes.started_event_id == 6
    assert brain.state.activities == {} and brain.state.activity_ids == {}


def test_an_attempt_is_handed_out_once() -> None:
    brain = begun()
    assert brain.start_activity()
    assert not brain.start_activity()


def test_an_eager_activity_is_started_by_its_scheduling() -> None:
    brain = begun(request_eager_execution=True)
    assert brain.effects == [RunEagerly(5)]
    assert brain.activity.started


def test_eagerness_is_for_the_workflows_own_queue() -> None:
    brain = begun(request_eager_execution=True, task_queue={"name": "elsewhere"})
    assert brain.effects == [OfferActivityTask("elsewhere", 5, 1, 0)]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"start_to_close_timeout": seconds(0)}, "set start_to_close_timeout or schedule_to_close_timeout"),
        ({"start_to_close_timeout": {"seconds": -1}}, "below zero"),
        ({"activity_type": {"name": ""}}, "activity_type"),
        ({"activity_id": ""}, "activity_id"),
        ({"activity_id": "x" * 1001}, "activity_id"),
        ({"retry_policy": {"backoff_coefficient": 0.5, "initial_interval": seconds(1)}}, "backoff_coefficient"),
    ],
)
def test_what_cannot_be_scheduled_fails_the_task(attributes: dict[str, object], message: str) -> None:
    brain = Brain()
    outcome = brain.turn(schedule_activity(**attributes))  # type: ignore[arg-type]
    assert outcome.failure is not None and message in outcome.failure.message
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES


def test_an_id_in_use_is_refused() -> None:
    brain = begun()
    brain.signal()
    outcome = brain.turn(schedule_activity("1"))
    assert outcome.failure is not None
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID


@pytest.mark.parametrize(
    ("given", "run_timeout", "expected"),
    [
        ({"start_to_close_timeout": 10}, 0, (0, 0, 10, 0)),
        ({"start_to_close_timeout": 10}, 60, (60, 60, 10, 0)),
        ({"schedule_to_close_timeout": 30}, 0, (30, 30, 30, 0)),
        ({"schedule_to_close_timeout": 30, "start_to_close_timeout": 40}, 0, (30, 30, 30, 0)),
        ({"schedule_to_close_timeout": 90}, 60, (60, 60, 60, 0)),
        ({"start_to_close_timeout": 10, "heartbeat_timeout": 20}, 0, (0, 0, 10, 10)),
        ({"schedule_to_close_timeout": 30, "schedule_to_start_timeout": 5}, 0, (30, 5, 30, 0)),
    ],
)
def test_timeouts_default_to_and_are_capped_by_each_other(
    given: dict[str, float], run_timeout: float, expected: tuple[float, ...]
) -> None:
    brain = Brain(workflow_run_timeout=seconds(run_timeout))
    brain.turn(schedule_activity(**{name: seconds(value) for name, value in given.items()}))
    a = brain.activity
    found = (a.schedule_to_close_ns, a.schedule_to_start_ns, a.start_to_close_ns, a.heartbeat_ns)
    assert found == tuple(int(value * SECOND) for value in expected)


def test_a_failed_attempt_backs_off_without_an_event() -> None:
    brain = begun()
    before = len(brain.events)
    waits = []
    for attempt in range(1, 5):
        assert brain.activity.attempt == attempt
        assert brain.start_activity()
        brain.fail_activity()
        waits.append(brain.wakes_in)
        assert not brain.start_activity(), "it may not start before the backoff is over"
        brain.tick(brain.wakes_in or 0)
        assert brain.effects == [OfferActivityTask("orders", 5, attempt + 1, 0)]
    assert waits == [1, 2, 4, 8]
    assert len(brain.events) == before
    assert brain.start_activity()
    brain.complete_activity()
    started = brain.events[-3].activity_task_started_event_attributes
    assert started.attempt == 5 and started.last_failure.message == "declined"


def test_the_interval_stops_at_its_maximum() -> None:
    brain = begun(retry_policy={"initial_interval": seconds(1), "maximum_interval": seconds(3)})
    waits = []
    for _ in range(4):
        brain.start_activity()
        brain.fail_activity()
        waits.append(brain.wakes_in)
        brain.tick(brain.wakes_in or 0)
    assert waits == [1, 2, 3, 3]


@pytest.mark.parametrize(
    ("attributes", "info", "retry_state"),
    [
        ({"retry_policy": {"maximum_attempts": 1}}, {}, e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED),
        ({}, {"non_retryable": True}, e.RETRY_STATE_NON_RETRYABLE_FAILURE),
        (
            {"retry_policy": {"non_retryable_error_types": ["Declined"]}},
            {},
            e.RETRY_STATE_NON_RETRYABLE_FAILURE,
        ),
        ({"schedule_to_close_timeout": seconds(0.5)}, {}, e.RETRY_STATE_TIMEOUT),
    ],
)
def test_an_attempt_without_a_next_closes_the_activity(
    attributes: dict[str, object], info: dict[str, object], retry_state: int
) -> None:
    brain = begun(**attributes)
    brain.start_activity()
    brain.fail_activity(**info)
    assert brain.names[-3:] == ["ActivityTaskStarted", "ActivityTaskFailed", "WorkflowTaskScheduled"]
    failed = brain.events[-2].activity_task_failed_event_attributes
    assert failed.retry_state == retry_state and failed.failure.message == "declined"


def test_the_failure_may_name_the_next_delay() -> None:
    brain = begun()
    brain.start_activity()
    brain.fail_activity(next_retry_delay=seconds(500))
    assert brain.wakes_in == 500


def test_schedule_to_start_is_never_retried() -> None:
    brain = begun(schedule_to_start_timeout=seconds(3))
    assert brain.wakes_in == 3
    brain.tick(3)
    assert brain.names[-2:] == ["ActivityTaskTimedOut", "WorkflowTaskScheduled"]
    timed_out = brain.events[-2].activity_task_timed_out_event_attributes
    assert timed_out.failure.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_SCHEDULE_TO_START
    assert timed_out.failure.message == "activity ScheduleToStart timeout"
    assert timed_out.retry_state == e.RETRY_STATE_TIMEOUT and timed_out.started_event_id == 0


def test_start_to_close_is_retried_and_then_reported_with_the_earlier_failure() -> None:
    brain = begun(retry_policy={"maximum_attempts": 2})
    brain.start_activity()
    brain.fail_activity()
    brain.tick(1)
    brain.start_activity()
    brain.tick(10)
    timed_out = brain.events[-2].activity_task_timed_out_event_attributes
    assert timed_out.failure.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_START_TO_CLOSE
    assert timed_out.failure.cause.message == "declined"
    assert timed_out.retry_state == e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    assert timed_out.started_event_id == brain.events[-3].event_id


def test_a_timeout_without_time_for_another_attempt_becomes_schedule_to_close() -> None:
    brain = begun(schedule_to_close_timeout=seconds(10.5), start_to_close_timeout=seconds(10))
    brain.start_activity()
    brain.tick(10)
    timed_out = brain.events[-2].activity_task_timed_out_event_attributes
    assert timed_out.failure.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
    assert "Not enough time" in timed_out.failure.message
    assert timed_out.failure.cause.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_START_TO_CLOSE
    assert timed_out.retry_state == e.RETRY_STATE_TIMEOUT


def test_schedule_to_close_runs_across_attempts() -> None:
    brain = begun(schedule_to_close_timeout=seconds(30))
    brain.start_activity()
    brain.fail_activity()
    brain.tick(1)
    brain.start_activity()
    assert brain.wakes_in == 29
    brain.tick(29)
    timed_out = brain.events[-2].activity_task_timed_out_event_attributes
    assert timed_out.failure.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE


def test_heartbeats_push_the_deadline_and_their_details_survive_attempts() -> None:
    brain = begun(heartbeat_timeout=seconds(2))
    brain.start_activity()
    assert brain.wakes_in == 2
    brain.now += SECOND
    brain.heartbeat(b"7")
    assert brain.wakes_in == 2
    brain.tick(2)
    assert brain.activity.attempt == 2
    assert brain.activity.heartbeat_details == payloads(b"7").SerializeToString()
    brain.tick(1)
    brain.start_activity()
    brain.tick(2)
    assert brain.activity.attempt == 3


def test_a_heartbeat_timeout_reports_the_last_details() -> None:
    brain = begun(heartbeat_timeout=seconds(2), retry_policy={"maximum_attempts": 1})
    brain.start_activity()
    brain.heartbeat(b"7")
    brain.tick(2)
    info = brain.events[-2].activity_task_timed_out_event_attributes.failure.timeout_failure_info
    assert info.timeout_type == e.TIMEOUT_TYPE_HEARTBEAT
    assert info.last_heartbeat_details == payloads(b"7")


def cancel_command(scheduled_event_id: int = 5) -> object:
    return command(e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=scheduled_event_id)


def test_cancelling_what_no_worker_has_takes_effect_at_once() -> None:
    brain = begun()
    brain.signal()
    brain.turn(cancel_command())  # type: ignore[arg-type]
    assert brain.names[-3:] == ["ActivityTaskCancelRequested", "ActivityTaskCanceled", "WorkflowTaskScheduled"]
    canceled = brain.events[-2].activity_task_canceled_event_attributes
    assert canceled.details.payloads[0].data == b'"ACTIVITY_ID_NOT_STARTED"'
    assert canceled.latest_cancel_requested_event_id == brain.events[-3].event_id


def test_cancelling_a_running_attempt_waits_for_its_worker() -> None:
    brain = begun()
    brain.start_activity()
    brain.signal()
    brain.turn(cancel_command())  # type: ignore[arg-type]
    assert brain.names[-1] == "ActivityTaskCancelRequested"
    assert brain.activity.cancel_requested_event_id == brain.events[-1].event_id
    draft = brain.draft()
    draft.apply(activity.cancel(brain.activity, brain.now, details=None, identity="worker"))
    brain.keep(draft)
    assert brain.names[-3:] == ["ActivityTaskStarted", "ActivityTaskCanceled", "WorkflowTaskScheduled"]


def test_no_retry_after_a_cancel_request() -> None:
    brain = begun()
    brain.start_activity()
    brain.signal()
    brain.turn(cancel_command())  # type: ignore[arg-type]
    brain.fail_activity()
    failed = brain.events[-2].activity_task_failed_event_attributes
    assert failed.retry_state == e.RETRY_STATE_CANCEL_REQUESTED


def test_a_cancellation_nobody_asked_for_is_refused() -> None:
    brain = begun()
    brain.start_activity()
    with pytest.raises(InvalidArgument, match="no cancellation was requested"):
        activity.cancel(brain.activity, brain.now, details=None, identity="worker")


def test_cancelling_what_has_just_completed_changes_nothing() -> None:
    brain = begun()
    brain.start_activity()
    brain.signal()
    brain.poll()
    brain.complete_activity()
    outcome = brain.complete(cancel_command())  # type: ignore[arg-type]
    assert outcome.failure is None
    assert brain.names[-4:] == [
        "ActivityTaskCancelRequested",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
        "WorkflowTaskScheduled",
    ]


def test_cancelling_the_unknown_fails_the_task() -> None:
    brain = begun()
    brain.signal()
    outcome = brain.turn(cancel_command(4))  # type: ignore[arg-type]
    assert outcome.failure is not None
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES


def test_a_second_completion_finds_nothing_even_while_the_first_waits() -> None:
    brain = begun()
    brain.start_activity()
    brain.signal()
    brain.poll()
    token = (brain.activity.scheduled_event_id, brain.activity.attempt, brain.activity.started_at)
    brain.complete_activity()
    with pytest.raises(NotFound, match="order-42"):
        activity.find(brain.state, *token)


def test_a_closed_run_has_no_activities() -> None:
    brain = begun()
    brain.start_activity()
    token = (brain.activity.scheduled_event_id, brain.activity.attempt, brain.activity.started_at)
    brain.signal()
    brain.turn(complete_workflow())
    with pytest.raises(NotFound):
        activity.find(brain.state, *token)


def test_an_attempt_of_a_dead_process_is_retried_at_once() -> None:
    brain = begun()
    brain.start_activity(process="123-abc")
    brain.recover()
    assert brain.activity.attempt == 2 and not brain.activity.started
    brain.tick(0)
    assert brain.effects == [OfferActivityTask("orders", 5, 2, 0)]


def test_the_only_attempt_of_a_dead_process_times_out() -> None:
    brain = begun(retry_policy={"maximum_attempts": 1})
    brain.start_activity(process="123-abc")
    brain.recover()
    timed_out = brain.events[-2].activity_task_timed_out_event_attributes
    assert timed_out.failure.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_START_TO_CLOSE
    assert "123-abc" in timed_out.failure.message
    assert brain.effects == [OfferWorkflowTask("orders", "orders", 8, 1)]


def test_an_attempt_of_a_remote_worker_goes_on_over_a_restart() -> None:
    brain = begun()
    brain.start_activity()
    brain.recover()
    assert brain.activity.started and brain.activity.attempt == 1
