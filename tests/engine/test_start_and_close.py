"""Starting, chaining and closing runs; signals, cancellation, timers."""

from __future__ import annotations

import pytest
from brain import (
    EPOCH,
    RUN_ID,
    SECOND,
    Brain,
    command,
    complete_workflow,
    fail_workflow,
    payloads,
    seconds,
    start_timer,
)

from outlast.api.enums import v1 as e
from outlast.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionRequest
from outlast.engine.execution import start
from outlast.engine.execution.state import ExecutionState
from outlast.vocab.errors import InvalidArgument, WorkflowExecutionAlreadyStarted
from outlast.vocab.times import from_duration, from_timestamp


def request(**fields: object) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        **{  # type: ignore[arg-type]
            "workflow_id": "order-42",
            "workflow_type": {"name": "Order"},
            "task_queue": {"name": "orders"},
            "request_id": "request-2",
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"workflow_id": ""}, "workflow_id"),
        ({"workflow_id": "x" * 1001}, "1000 bytes"),
        ({"workflow_type": {}}, "workflow_type"),
        ({"task_queue": {}}, "task_queue"),
        ({"workflow_run_timeout": {"seconds": -1}}, "workflow_run_timeout"),
        ({"retry_policy": {"maximum_attempts": -1}}, "maximum_attempts"),
        ({"cron_schedule": "* * * * *", "workflow_start_delay": seconds(1)}, "workflow_start_delay"),
        (
            {
                "workflow_id_reuse_policy": e.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
                "workflow_id_conflict_policy": e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
            },
            "TERMINATE_IF_RUNNING",
        ),
        (
            {
                "workflow_id_reuse_policy": e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
                "workflow_id_conflict_policy": e.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
            },
            "REJECT_DUPLICATE",
        ),
    ],
)
def test_a_start_that_cannot_be_is_refused_by_name(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        start.validate(request(**fields))


def test_a_signal_with_start_may_not_fail_on_conflict() -> None:
    message = SignalWithStartWorkflowExecutionRequest(
        workflow_id="order-42",
        workflow_type={"name": "Order"},
        task_queue={"name": "orders"},
        workflow_id_conflict_policy=e.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    )
    with pytest.raises(InvalidArgument, match="USE_EXISTING"):
        start.validate(message)


def run_in(status: int) -> ExecutionState:
    return ExecutionState("namespace-1", "order-42", RUN_ID, status=status, start_request_id="request-1")


RUNNING = e.WORKFLOW_EXECUTION_STATUS_RUNNING
COMPLETED = e.WORKFLOW_EXECUTION_STATUS_COMPLETED
FAILED = e.WORKFLOW_EXECUTION_STATUS_FAILED
REUSE = {
    "default": 0,
    "always": e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    "failed": e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    "never": e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    "terminate": e.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
}
CONFLICT = {
    "default": 0,
    "fail": e.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    "use": e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
    "terminate": e.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
}


@pytest.mark.parametrize(
    ("status", "reuse", "conflict", "way"),
    [
        (RUNNING, "default", "default", None),
        (RUNNING, "never", "fail", None),
        (RUNNING, "default", "use", start.Way.EXISTING),
        (RUNNING, "never", "use", start.Way.EXISTING),
        (RUNNING, "default", "terminate", start.Way.REPLACE),
        (RUNNING, "terminate", "default", start.Way.REPLACE),
        (COMPLETED, "default", "default", start.Way.NEW),
        (COMPLETED, "always", "use", start.Way.NEW),
        (COMPLETED, "failed", "default", None),
        (COMPLETED, "never", "default", None),
        (COMPLETED, "terminate", "default", start.Way.NEW),
        (FAILED, "failed", "default", start.Way.NEW),
        (FAILED, "never", "use", None),
        (e.WORKFLOW_EXECUTION_STATUS_TERMINATED, "failed", "default", start.Way.NEW),
        (e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, "failed", "default", start.Way.NEW),
        (e.WORKFLOW_EXECUTION_STATUS_CANCELED, "failed", "default", start.Way.NEW),
    ],
)
def test_the_policies_lead_a_start(status: int, reuse: str, conflict: str, way: start.Way | None) -> None:
    message = request(workflow_id_reuse_policy=REUSE[reuse], workflow_id_conflict_policy=CONFLICT[conflict])
    if way is None:
        with pytest.raises(WorkflowExecutionAlreadyStarted, match="order-42"):
            start.route(run_in(status), message)
    else:
        assert start.route(run_in(status), message) is way


@pytest.mark.parametrize("status", [RUNNING, COMPLETED])
def test_the_same_request_leads_to_its_run_whatever_the_policies(status: int) -> None:
    message = request(request_id="request-1", workflow_id_reuse_policy=REUSE["never"])
    assert start.route(run_in(status), message) is start.Way.SAME_REQUEST


def test_a_first_start_is_new() -> None:
    assert start.route(None, request()) is start.Way.NEW


@pytest.mark.parametrize(
    ("given", "effective"),
    [
        ((0, 0, 0), (0, 0, 10)),
        ((60, 0, 0), (60, 60, 10)),
        ((60, 90, 200), (60, 60, 60)),
        ((0, 5, 0), (0, 5, 5)),
        ((0, 0, 500), (0, 0, 120)),
    ],
)
def test_timeouts_are_filled_in_and_capped(given: tuple[int, ...], effective: tuple[int, ...]) -> None:
    found = start.effective_timeouts(*(value * SECOND for value in given))
    assert found == tuple(value * SECOND for value in effective)


def test_a_start_delay_holds_the_first_task_back() -> None:
    brain = Brain(workflow_start_delay=seconds(30), workflow_run_timeout=seconds(60))
    assert brain.names == ["WorkflowExecutionStarted"]
    assert brain.wakes_in == 30
    brain.signal()
    assert brain.names[1:] == ["WorkflowExecutionSignaled"], "a plain signal does not wake it"
    brain.tick(30)
    assert brain.names[-1] == "WorkflowTaskScheduled"
    assert brain.state.run_expires_at == EPOCH + 90 * SECOND


def test_a_cancel_request_ends_a_start_delay() -> None:
    brain = Brain(workflow_start_delay=seconds(30))
    brain.request_cancel()
    assert brain.names[1:] == ["WorkflowExecutionCancelRequested", "WorkflowTaskScheduled"]


def test_completion_carries_the_result() -> None:
    brain = Brain()
    brain.turn(complete_workflow(b"42"))
    assert brain.state.status == COMPLETED
    assert brain.events[-1].workflow_execution_completed_event_attributes.result == payloads(b"42")
    assert brain.wakes_in is None


def test_a_failure_without_a_policy_is_final() -> None:
    brain = Brain()
    brain.turn(fail_workflow())
    failed = brain.events[-1].workflow_execution_failed_event_attributes
    assert failed.retry_state == e.RETRY_STATE_RETRY_POLICY_NOT_SET and brain.successor is None


def test_a_workflow_retry_starts_the_next_run_after_its_backoff() -> None:
    brain = Brain(retry_policy={"initial_interval": seconds(3), "maximum_attempts": 2}, input=payloads(b"9"))
    brain.turn(fail_workflow())
    failed = brain.events[-1].workflow_execution_failed_event_attributes
    assert failed.retry_state == e.RETRY_STATE_IN_PROGRESS
    assert brain.successor is not None and failed.new_execution_run_id == brain.successor.run_id
    started = brain.successor.started_event.workflow_execution_started_event_attributes
    assert started.attempt == 2 and started.input == payloads(b"9")
    assert from_duration(started.first_workflow_task_backoff) == 3 * SECOND
    assert started.continued_failure.message == "boom" and started.first_execution_run_id == RUN_ID
    assert started.continued_execution_run_id == RUN_ID


def test_continue_as_new_inherits_what_its_command_leaves_out() -> None:
    brain = Brain(
        input=payloads(b"1"), workflow_run_timeout=seconds(60), memo={"fields": {"k": payloads(b"1").payloads[0]}}
    )
    brain.turn(command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION, input=payloads(b"2")))
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
    assert brain.successor is not None
    started = brain.successor.started_event.workflow_execution_started_event_attributes
    assert started.workflow_type.name == "Order" and started.task_queue.name == "orders"
    assert started.input == payloads(b"2") and not started.HasField("memo")
    assert from_duration(started.workflow_run_timeout) == 60 * SECOND
    assert from_duration(started.first_workflow_task_backoff) == SECOND, "a second lies between run starts"


def test_terminating_cuts_a_started_task_short() -> None:
    brain = Brain()
    brain.poll()
    brain.signal()
    brain.terminate()
    assert brain.names[2:] == [
        "WorkflowTaskStarted",
        "WorkflowTaskFailed",
        "WorkflowExecutionSignaled",
        "WorkflowExecutionTerminated",
    ]
    failed = brain.events[3].workflow_task_failed_event_attributes
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND


def test_a_run_that_takes_too_long_times_out() -> None:
    brain = Brain(workflow_run_timeout=seconds(60))
    brain.turn(start_timer(after=600))
    assert brain.wakes_in == 60
    brain.tick(60)
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT
    timed_out = brain.events[-1].workflow_execution_timed_out_event_attributes
    assert timed_out.retry_state == e.RETRY_STATE_RETRY_POLICY_NOT_SET
    assert brain.state.timers == {}


def test_a_run_timeout_follows_the_retry_policy_and_an_execution_timeout_does_not() -> None:
    policy = {"maximum_attempts": 5}
    brain = Brain(workflow_run_timeout=seconds(60), retry_policy=policy)
    brain.tick(60)
    assert brain.successor is not None
    brain = Brain(workflow_execution_timeout=seconds(60), retry_policy=policy)
    brain.tick(60)
    assert brain.successor is None and brain.state.status == e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT


def test_a_signal_is_recorded_once_per_request() -> None:
    brain = Brain()
    brain.signal(request_id="a")
    brain.signal(request_id="a")
    brain.signal(request_id="b")
    assert brain.names.count("WorkflowExecutionSignaled") == 2


def test_a_cancel_request_is_recorded_once() -> None:
    brain = Brain()
    brain.request_cancel()
    brain.request_cancel()
    assert brain.names.count("WorkflowExecutionCancelRequested") == 1
    brain.turn(command(e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION))
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_CANCELED


def test_timers_fire_in_order_at_their_time() -> None:
    brain = Brain()
    brain.turn(start_timer("late", 20), start_timer("early", 10))
    assert brain.wakes_in == 10
    brain.tick(30)
    assert [ev.timer_fired_event_attributes.timer_id for ev in brain.events[-3:-1]] == ["early", "late"]
    assert brain.names[-1] == "WorkflowTaskScheduled"
    assert from_timestamp(brain.events[-2].event_time) == brain.now


def cancel_timer(timer_id: str = "1") -> object:
    return command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id=timer_id)


def test_a_cancelled_timer_does_not_fire() -> None:
    brain = Brain()
    brain.turn(start_timer("1", 10))
    brain.signal()
    brain.turn(cancel_timer())  # type: ignore[arg-type]
    assert brain.names[-1] == "TimerCanceled"
    assert brain.wakes_in is None


def test_cancelling_a_timer_takes_its_waiting_fire_back() -> None:
    brain = Brain()
    brain.turn(start_timer("1", 5))
    brain.signal()
    brain.poll()
    brain.tick(5)
    assert len(brain.state.buffered) == 1
    outcome = brain.complete(cancel_timer(), complete_workflow())  # type: ignore[arg-type]
    assert outcome.failure is None, "nothing waits any longer, so the workflow may close"
    assert "TimerFired" not in brain.names and brain.names[-2:] == ["TimerCanceled", "WorkflowExecutionCompleted"]


def test_cancelling_an_unknown_timer_fails_the_task() -> None:
    brain = Brain()
    outcome = brain.turn(cancel_timer())  # type: ignore[arg-type]
    assert outcome.failure is not None
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES


def test_memo_and_search_attributes_merge_and_null_removes() -> None:
    value, null = payloads(b'"x"').payloads[0], payloads(b"null").payloads[0]
    brain = Brain(memo={"fields": {"a": value, "b": value}})
    brain.turn(
        command(e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES, upserted_memo={"fields": {"a": null, "c": value}}),
        command(
            e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, search_attributes={"indexed_fields": {"Kind": value}}
        ),
    )
    from outlast.engine.execution.describe import info

    described = info(brain.state)
    assert sorted(described.memo.fields) == ["b", "c"]
    assert sorted(described.search_attributes.indexed_fields) == ["Kind"]


def test_search_attributes_of_a_command_are_checked() -> None:
    for name, data, message in (
        ("Kinde", b'"x"', "'Kinde' is not registered in this namespace; did you mean 'Kind'?"),
        ("Kind", b"1", "'Kind' is a Keyword: 1 is no string"),
        ("WorkflowId", b'"x"', "is the system's"),
    ):
        brain = Brain()
        outcome = brain.turn(
            command(
                e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
                search_attributes={"indexed_fields": {name: payloads(data).payloads[0]}},
            )
        )
        assert outcome.failure is not None and message in outcome.failure.message
        assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES


def test_the_builds_of_the_workers_are_a_search_attribute() -> None:
    from outlast.engine.execution.describe import info

    brain = Brain()
    brain.turn(start_timer("1", 5), worker_version_stamp={"build_id": "b1"})
    for build_id in ("b1", "b2", ""):
        brain.signal()
        brain.turn(worker_version_stamp={"build_id": build_id})
    builds = info(brain.state).search_attributes.indexed_fields["BuildIds"]
    assert builds.data == b'["unversioned", "unversioned:b1", "unversioned:b2"]'
    assert builds.metadata["type"] == b"KeywordList"
    for n in range(30):
        brain.signal()
        brain.turn(worker_version_stamp={"build_id": f"c{n}"})
    builds = info(brain.state).search_attributes.indexed_fields["BuildIds"]
    assert builds.data.startswith(b'["unversioned", "unversioned:c10", ') and builds.data.endswith(b':c29"]')


def test_an_unbuilt_command_is_refused_by_name() -> None:
    brain = Brain()
    outcome = brain.turn(command(e.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION))
    assert outcome.failure is not None and "ScheduleNexusOperation" in outcome.failure.message


def test_the_history_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from outlast.vocab import limits

    monkeypatch.setattr(limits, "HISTORY_EVENTS_MAX", 6)
    brain = Brain()
    while brain.state.running:
        brain.signal()
    assert brain.names.count("WorkflowExecutionSignaled") == 4
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_TERMINATED
    assert "exceeds limit" in brain.events[-1].workflow_execution_terminated_event_attributes.reason
