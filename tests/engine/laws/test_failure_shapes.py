"""What a failure looks like in history, for every way to end badly (rules 3.1.5, 3.2.3-3.2.6, 3.6.1)."""

from __future__ import annotations

import family
import pytest
from activity_cells import passes
from brain import SECOND, Brain, fail_workflow, payloads, schedule_activity, seconds

from outlast.api.enums import v1 as e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import failures

NO_RETRY = {"maximum_attempts": 1}


def shape(failure: Failure) -> list[str]:
    """The chain of causes, from the top."""
    shapes = []
    while True:
        kind = failures.kind(failure).removesuffix("_failure_info")
        if kind == "timeout":
            kind += f" {e.TimeoutType.Name(failure.timeout_failure_info.timeout_type).removeprefix('TIMEOUT_TYPE_')}"
        shapes.append(f"{kind}: {failure.message}")
        if not failure.HasField("cause"):
            return shapes
        failure = failure.cause


def ended(brain: Brain) -> HistoryEvent:
    return next(
        event
        for event in reversed(brain.events)
        if event.event_type in (e.EVENT_TYPE_ACTIVITY_TASK_FAILED, e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    )


def begun(**options: object) -> Brain:
    brain = Brain()
    brain.turn(schedule_activity(**options))  # type: ignore[arg-type]
    return brain


def test_an_attempt_that_fails_for_good_is_the_failure_itself() -> None:
    brain = begun()
    brain.start_activity()
    brain.fail_activity(non_retryable=True)
    attributes = ended(brain).activity_task_failed_event_attributes
    assert shape(attributes.failure) == ["application: declined"]
    assert attributes.retry_state == e.RETRY_STATE_NON_RETRYABLE_FAILURE
    started = brain.events[attributes.started_event_id - 1].activity_task_started_event_attributes
    assert started.attempt == 1 and not started.HasField("last_failure")


def test_the_last_of_several_attempts_tells_of_the_one_before_in_its_start() -> None:
    brain = begun(retry_policy={"maximum_attempts": 2})
    brain.start_activity()
    brain.fail_activity(message="first")
    brain.tick(1)
    brain.start_activity()
    brain.fail_activity(message="second")
    attributes = ended(brain).activity_task_failed_event_attributes
    assert shape(attributes.failure) == ["application: second"]
    assert attributes.retry_state == e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    started = brain.events[attributes.started_event_id - 1].activity_task_started_event_attributes
    assert started.attempt == 2 and shape(started.last_failure) == ["application: first"]


@pytest.mark.parametrize(
    ("kind", "options", "retry_state", "expected"),
    [
        ("START_TO_CLOSE", {"retry_policy": NO_RETRY}, "MAXIMUM_ATTEMPTS_REACHED", ["StartToClose"]),
        (
            "HEARTBEAT",
            {"retry_policy": NO_RETRY, "heartbeat_timeout": seconds(3)},
            "MAXIMUM_ATTEMPTS_REACHED",
            ["Heartbeat"],
        ),
        (
            "SCHEDULE_TO_CLOSE",
            {"schedule_to_close_timeout": seconds(5), "start_to_close_timeout": seconds(5)},
            "TIMEOUT",
            ["ScheduleToClose"],
        ),
    ],
)
def test_a_timeout_of_a_started_attempt(
    kind: str, options: dict[str, object], retry_state: str, expected: list[str]
) -> None:
    brain = begun(**options)
    brain.now += SECOND
    brain.start_activity()
    brain.heartbeat(b"7")
    passes(e.TimeoutType.Value(f"TIMEOUT_TYPE_{kind}"))(brain)
    attributes = ended(brain).activity_task_timed_out_event_attributes
    assert shape(attributes.failure) == [f"timeout {kind}: activity {name} timeout" for name in expected]
    assert attributes.failure.timeout_failure_info.last_heartbeat_details == payloads(b"7")
    assert e.RetryState.Name(attributes.retry_state) == f"RETRY_STATE_{retry_state}"
    assert attributes.failure.source == "Server"


def test_an_attempt_that_nobody_takes() -> None:
    brain = begun(schedule_to_start_timeout=seconds(2))
    brain.tick(2)
    attributes = ended(brain).activity_task_timed_out_event_attributes
    assert shape(attributes.failure) == ["timeout SCHEDULE_TO_START: activity ScheduleToStart timeout"]
    assert attributes.started_event_id == 0 and attributes.retry_state == e.RETRY_STATE_TIMEOUT


def test_a_timeout_after_a_failure_has_it_as_its_cause() -> None:
    brain = begun(retry_policy={"maximum_attempts": 2})
    brain.start_activity()
    brain.fail_activity(message="first")
    brain.tick(1)
    brain.start_activity()
    brain.tick(10)
    attributes = ended(brain).activity_task_timed_out_event_attributes
    assert shape(attributes.failure) == ["timeout START_TO_CLOSE: activity StartToClose timeout", "application: first"]


def test_no_time_for_another_attempt_is_a_schedule_to_close_timeout() -> None:
    brain = begun(
        schedule_to_close_timeout=seconds(12),
        start_to_close_timeout=seconds(10),
        retry_policy={"initial_interval": seconds(5)},
    )
    brain.start_activity()
    brain.tick(10)
    attributes = ended(brain).activity_task_timed_out_event_attributes
    assert shape(attributes.failure) == [
        "timeout SCHEDULE_TO_CLOSE: Not enough time to schedule next retry before activity ScheduleToClose timeout, "
        "giving up retrying",
        "timeout START_TO_CLOSE: activity StartToClose timeout",
    ]


def test_no_time_for_another_attempt_leaves_a_failure_what_it_is() -> None:
    brain = begun(schedule_to_close_timeout=seconds(3), retry_policy={"initial_interval": seconds(5)})
    brain.start_activity()
    brain.fail_activity()
    attributes = ended(brain).activity_task_failed_event_attributes
    assert shape(attributes.failure) == ["application: declined"] and attributes.retry_state == e.RETRY_STATE_TIMEOUT


@pytest.mark.parametrize("how", sorted(family.ENDINGS))
def test_the_end_of_a_child_carries_what_the_child_said(how: str) -> None:
    brain = Brain()
    brain.turn(family.start_child())
    family.record_start(brain)
    family.record_end(brain, how)
    name = next(name for name in brain.names if name.startswith("ChildWorkflowExecution") and "Started" not in name)
    event = brain.events[brain.names.index(name)]
    attributes = getattr(event, event.WhichOneof("attributes"))
    assert (attributes.initiated_event_id, attributes.started_event_id) == (5, 6)
    assert attributes.workflow_execution.workflow_id == "child-1" and attributes.workflow_type.name == "Ship"
    if how == "failed":
        assert shape(attributes.failure) == [": no"]
        assert attributes.retry_state == e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    if how == "timed out":
        assert attributes.retry_state == e.RETRY_STATE_TIMEOUT


@pytest.mark.parametrize(
    ("options", "failure", "retry_state"),
    [
        ({}, {}, "RETRY_POLICY_NOT_SET"),
        ({"retry_policy": {"maximum_attempts": 1}}, {}, "MAXIMUM_ATTEMPTS_REACHED"),
        ({"retry_policy": {}}, {"non_retryable": True}, "NON_RETRYABLE_FAILURE"),
        ({"retry_policy": {"non_retryable_error_types": ["ValueError"]}}, {}, "NON_RETRYABLE_FAILURE"),
        (
            {"retry_policy": {"initial_interval": seconds(60)}, "workflow_execution_timeout": seconds(30)},
            {},
            "TIMEOUT",
        ),
        ({"retry_policy": {}}, {}, "IN_PROGRESS"),
    ],
)
def test_a_workflow_that_fails_says_why_it_is_not_tried_again(
    options: dict[str, object], failure: dict[str, object], retry_state: str
) -> None:
    brain = Brain(**options)
    brain.turn(fail_workflow(**failure))
    attributes = brain.events[-1].workflow_execution_failed_event_attributes
    assert shape(attributes.failure) == ["application: boom"]
    assert e.RetryState.Name(attributes.retry_state) == f"RETRY_STATE_{retry_state}"
    assert bool(attributes.new_execution_run_id) == (retry_state == "IN_PROGRESS") == (brain.successor is not None)
