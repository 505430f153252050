"""Limits of size: what fails the workflow task, and what ends the run (rules 3.4.10, 3.5.11, 3.10.1)."""

from __future__ import annotations

from typing import Any

import pytest
from brain import Brain, command, complete_workflow, payloads, schedule_activity, start_timer
from family import signal_external, start_child

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.api.failure.v1 import Failure
from outlast.api.protocol.v1 import Message
from outlast.api.workflowservice.v1 import StartWorkflowExecutionRequest
from outlast.engine.execution import advance, completion, signal, size, start, tables, update, workflow_task
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument

BIG = payloads(b"x" * limits.BLOB_BYTES_MAX)
HALF = payloads(b"x" * (limits.BLOB_BYTES_MAX // 2))
CAUSE = "WORKFLOW_TASK_FAILED_CAUSE_"


def with_memo(key: str, data: bytes) -> Command:
    fields = {key: {"data": data}}
    return command(e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES, upserted_memo={"fields": fields})


TOO_LARGE: dict[str, tuple[Command, str, str]] = {
    "activity": (schedule_activity(input=BIG), "BAD_SCHEDULE_ACTIVITY_ATTRIBUTES", "input"),
    "child": (start_child(input=BIG), "BAD_START_CHILD_EXECUTION_ATTRIBUTES", "input"),
    "child's memo": (
        start_child(memo={"fields": {"a": BIG.payloads[0]}}),
        "BAD_START_CHILD_EXECUTION_ATTRIBUTES",
        "memo",
    ),
    "signal": (signal_external(input=BIG), "BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES", "input"),
    "marker": (
        command(e.COMMAND_TYPE_RECORD_MARKER, marker_name="m", details={"a": HALF, "b": HALF}),
        "BAD_RECORD_MARKER_ATTRIBUTES",
        "details",
    ),
    "memo": (
        with_memo("a", b"x" * limits.BLOB_BYTES_MAX),
        "BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES",
        "upserted_memo",
    ),
    "result": (
        complete_workflow(b"x" * limits.BLOB_BYTES_MAX),
        "BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES",
        "result",
    ),
    "failure": (
        command(e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, failure={"message": "x" * limits.BLOB_BYTES_MAX}),
        "BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES",
        "failure",
    ),
    "details": (
        command(e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, details=BIG),
        "BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES",
        "details",
    ),
    "continue as new": (
        command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION, input=BIG),
        "BAD_CONTINUE_AS_NEW_ATTRIBUTES",
        "input",
    ),
}


@pytest.mark.parametrize("what", TOO_LARGE)
def test_a_piece_above_2_mib_ends_the_run(what: str) -> None:
    big, cause, field = TOO_LARGE[what]
    brain = Brain()
    brain.poll()
    outcome = brain.complete(start_timer(), big)
    assert brain.names[-3:] == ["WorkflowTaskStarted", "WorkflowTaskFailed", "WorkflowExecutionTerminated"]
    failed = brain.events[-2].workflow_task_failed_event_attributes
    assert failed.cause == e.WorkflowTaskFailedCause.Value(CAUSE + cause)
    assert f"{field} takes 2,097," in failed.failure.message
    terminated = brain.events[-1].workflow_execution_terminated_event_attributes
    assert terminated.reason.startswith(cause.title().replace("_", "") + ": ")
    assert failed.failure.message in terminated.reason
    assert terminated.identity == "history-service"
    assert isinstance(outcome.failure, size.TooLarge)
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_TERMINATED and brain.successor is None


def test_what_waited_is_recorded_before_the_end() -> None:
    brain = Brain()
    brain.poll()
    brain.signal("while it runs")
    brain.complete(schedule_activity(input=BIG))
    assert brain.names[-3:] == ["WorkflowTaskFailed", "WorkflowExecutionSignaled", "WorkflowExecutionTerminated"]


def test_several_pieces_may_be_larger_together() -> None:
    brain = Brain()
    assert brain.turn(start_child(input=HALF, memo={"fields": {"a": HALF.payloads[0]}})).failure is None


def test_a_later_attempt_that_is_too_large_ends_the_run_as_well() -> None:
    brain = Brain()
    brain.poll()
    brain.fail_task()
    brain.turn(schedule_activity(input=BIG))
    assert brain.names[-2:] == ["WorkflowTaskFailed", "WorkflowExecutionTerminated"]


def test_the_memo_counts_as_a_whole() -> None:
    brain = Brain()
    brain.turn(with_memo("a", b"x" * 1_500_000))
    brain.signal()
    brain.turn(with_memo("a", b"x" * 1_000_000))
    brain.signal()
    brain.turn(with_memo("b", b"x" * 1_500_000))
    reason = brain.events[-1].workflow_execution_terminated_event_attributes.reason
    assert reason.startswith("BadModifyWorkflowPropertiesAttributes: ModifyWorkflowProperties: the memo takes 2,500,")


def test_the_search_attributes_count_as_a_whole() -> None:
    names = {f"Kind{number}": e.INDEXED_VALUE_TYPE_TEXT for number in range(30)}
    brain = Brain()
    for first in (0, 15):
        text = {"data": b'"' + b"x" * 1900 + b'"', "metadata": {"encoding": b"json/plain"}}
        fields = {f"Kind{number}": text for number in range(first, first + 15)}
        upsert = command(e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, search_attributes={"indexed_fields": fields})
        brain.turn(upsert, _search_attributes=names)
        if first == 0:
            assert brain.names[-1] == "UpsertWorkflowSearchAttributes"
            brain.signal()
    reason = brain.events[-1].workflow_execution_terminated_event_attributes.reason
    assert reason.startswith("BadSearchAttributes: ") and "together" in reason


def test_an_update_answered_with_too_much_ends_the_run() -> None:
    brain = Brain()
    brain.poll()
    message = Message(id="1", protocol_instance_id="u")
    message.body.type_url, message.body.value = "type.googleapis.com/temporal.api.update.v1.Response", b"x" * 3_000_000
    brain.complete(messages=[message])
    reason = brain.events[-1].workflow_execution_terminated_event_attributes.reason
    assert reason.startswith("BadUpdateWorkflowExecutionMessage: update 'u': its answer takes 3,000,")


def test_a_transaction_above_4_mib_ends_the_run() -> None:
    brain = Brain()
    assert brain.turn(*(schedule_activity(str(number), input=HALF) for number in range(3))).failure is None
    brain.signal()
    brain.turn(*(schedule_activity(f"more {number}", input=HALF) for number in range(5)))
    assert "Transaction size exceeds limit" in brain.events[-1].workflow_execution_terminated_event_attributes.reason
    assert brain.names.count("ActivityTaskScheduled") == 3


def test_a_completion_that_no_connection_carries_ends_the_run() -> None:
    brain = Brain()
    brain.poll()
    cause = e.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE
    failure = Failure(message="grpc: message larger than max")
    brain.keep(completion.reported(brain.state, brain.now, cause, failure, "worker"))
    assert brain.names[-2:] == ["WorkflowTaskFailed", "WorkflowExecutionTerminated"]
    assert brain.events[-2].workflow_task_failed_event_attributes.cause == cause
    reason = brain.events[-1].workflow_execution_terminated_event_attributes.reason
    assert reason == "GrpcMessageTooLarge: grpc: message larger than max"


def test_a_long_report_is_cut() -> None:
    brain = Brain()
    brain.poll()
    failure = Failure(message="x" * 3_000_000)
    brain.keep(completion.reported(brain.state, brain.now, 0, failure, "worker"))
    kept = brain.events[-1].workflow_task_failed_event_attributes.failure
    assert kept.message == "Failure exceeds size limit." and kept.ByteSize() <= limits.WORKFLOW_TASK_FAILURE_BYTES_MAX


def test_a_state_above_8_mib_ends_the_run() -> None:
    brain = Brain()
    for state_bytes, running in ((limits.STATE_BYTES_MAX, True), (limits.STATE_BYTES_MAX + 1, False)):
        draft = brain.draft()
        advance.outgrown(draft, state_bytes)
        brain.keep(draft)
        assert brain.state.running is running
    reason = brain.events[-1].workflow_execution_terminated_event_attributes.reason
    assert reason.startswith("Workflow mutable state size exceeds limit")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"links": [{}] * 33}, "33 links"),
        ({"memo": {"fields": {"a": HALF.payloads[0], "b": HALF.payloads[0]}}}, "the memo takes 2,097,"),
    ],
)
def test_a_start_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        Brain(**fields)


def test_a_signal_with_too_many_links_is_refused() -> None:
    brain = Brain()
    links = [{"workflow_event": {"workflow_id": "x"}}] * 33
    with pytest.raises(InvalidArgument, match="33 links"):
        signal.signal(brain.state, brain.now, name="a", request_id="", identity="", links=links)


def test_every_command_has_a_cause_of_its_own() -> None:
    assert set(size._BAD) == set(tables.ON_COMMAND)
    assert len(set(size._BAD.values())) == len(size._BAD)


# -- how many ----------------------------------------------------------------------------------------------------------

MANY: dict[str, tuple[str, int, Any, str]] = {
    "activities": (
        "activities",
        limits.PENDING_ACTIVITIES_MAX,
        lambda n: schedule_activity(str(n)),
        "PENDING_ACTIVITIES_LIMIT_EXCEEDED",
    ),
    "children": (
        "children",
        limits.PENDING_CHILDREN_MAX,
        lambda n: start_child(f"child-{n}"),
        "PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED",
    ),
    "signals": (
        "external_signals",
        limits.PENDING_SIGNALS_MAX,
        lambda n: signal_external(f"other-{n}"),
        "PENDING_SIGNALS_LIMIT_EXCEEDED",
    ),
    "cancel requests": (
        "external_cancels",
        limits.PENDING_CANCEL_REQUESTS_MAX,
        lambda n: command(e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, workflow_id=f"other-{n}"),
        "PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED",
    ),
}


@pytest.mark.parametrize("what", MANY)
def test_more_than_2000_pending_fail_the_task(what: str) -> None:
    name, limit, make, cause = MANY[what]
    brain = Brain()
    assert brain.turn(*(make(number) for number in range(limit))).failure is None
    assert len(getattr(brain.state, name)) == limit == 2000
    brain.signal()
    brain.turn(make(limit))
    failed = brain.events[-1].workflow_task_failed_event_attributes
    assert failed.cause == e.WorkflowTaskFailedCause.Value(CAUSE + cause)
    assert len(getattr(brain.state, name)) == limit and brain.state.running


def test_a_run_near_its_2000_updates_is_told_to_continue_as_new() -> None:
    brain = Brain()
    for number in range(limits.UPDATES_SUGGEST):
        brain.state.updates[f"u{number}"] = update.Update(1, 1)
    started = workflow_task.start(
        brain.state, brain.now, scheduled_event_id=2, attempt=1, identity="worker", request_id=""
    )
    assert started is not None
    draft = brain.draft()
    draft.apply(started)
    (event,) = workflow_task.unwritten_events(draft.state)
    attributes = event.workflow_task_started_event_attributes
    assert attributes.suggest_continue_as_new
    assert attributes.suggest_continue_as_new_reasons == [e.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES]


def test_a_run_remembers_the_latest_starts_that_were_attached_to_it() -> None:
    brain = Brain()
    draft = brain.draft()
    for number in range(limits.REQUEST_IDS_MAX + 1):
        options = {"attach_request_id": True}
        request = StartWorkflowExecutionRequest(request_id=f"again-{number}", on_conflict_options=options)
        draft.apply(start.attach(draft.state, request, brain.now))
    brain.keep(draft)
    assert len(brain.state.attached_request_ids) == limits.REQUEST_IDS_MAX
    assert "again-0" not in brain.state.attached_request_ids and "again-1" in brain.state.attached_request_ids
