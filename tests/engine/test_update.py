"""Updates in the engine: acceptance and answer, limits, and the life of a speculative workflow task."""

from __future__ import annotations

from typing import Any

import pytest
from brain import SECOND, Brain, command, complete_workflow, payloads, schedule_activity, seconds, start_timer

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.api.protobuf import Any as Packed
from outlast.api.protocol.v1 import Message
from outlast.api.update.v1 import Acceptance, Meta, Outcome, Rejection, Request, Response
from outlast.api.workflowservice.v1 import UpdateWorkflowExecutionRequest
from outlast.engine.effects import OfferWorkflowTask
from outlast.engine.execution import update, workflow_task
from outlast.engine.execution.draft import Draft
from outlast.engine.execution.events import new_event
from outlast.engine.transition import Transition
from outlast.vocab.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    WorkflowNotReady,
)

STICKY = {"worker_task_queue": {"name": "sticky-1"}, "schedule_to_start_timeout": seconds(10)}
CAPABLE = {"discard_speculative_workflow_task_with_events": True}
TASK = ["WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"]
ACCEPTED, COMPLETED = "WorkflowExecutionUpdateAccepted", "WorkflowExecutionUpdateCompleted"


def request(update_id: str = "u") -> Request:
    return Request(meta=Meta(update_id=update_id, identity="client"), input={"name": "add"})


def message(step: str, body: Any, update_id: str = "u") -> Message:
    packed = Packed()
    packed.Pack(body)
    return Message(id=f"{update_id}/{step}", protocol_instance_id=update_id, body=packed)


def accept(update_id: str = "u", **fields: Any) -> Message:
    fields.setdefault("accepted_request", request(update_id))
    return message("accept", Acceptance(accepted_request_message_id=f"{update_id}/request", **fields), update_id)


def respond(update_id: str = "u") -> Message:
    body = Response(meta=Meta(update_id=update_id), outcome=Outcome(success=payloads(b"1")))
    return message("complete", body, update_id)


def reject(update_id: str = "u") -> Message:
    return message("reject", Rejection(failure=Failure(message="no")), update_id)


def place(*messages: Message) -> list[Command]:
    return [command(e.COMMAND_TYPE_PROTOCOL_MESSAGE, message_id=one.id) for one in messages]


def answering(brain: Brain, *messages: Message) -> Any:
    return brain.complete(*place(*messages), messages=messages)


def idle(**options: Any) -> Brain:
    """A run whose first task did nothing."""
    brain = Brain(**options)
    brain.turn()
    return brain


def fill(brain: Brain, count: int) -> None:
    """Let a run have had many updates."""
    draft = Draft(brain.state, brain.now)
    for number in range(count):
        attributes = {"protocol_instance_id": f"old {number}", "accepted_request": request()}
        draft.apply(Transition((new_event(e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, brain.now, attributes),)))
        done = {"meta": {"update_id": f"old {number}"}, "accepted_event_id": draft.state.next_event_id - 1}
        draft.apply(Transition((new_event(e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, brain.now, done),)))
    brain.keep(draft)


# -- answers -------------------------------------------------------------------------------------------------------


def test_an_update_is_accepted_and_completed() -> None:
    brain = idle()
    assert update.reached(brain.state, "u") is None
    brain.want_task()
    brain.poll()
    answering(brain, accept())
    assert update.reached(brain.state, "u") == update.Reached(update.ACCEPTED)
    brain.signal()
    brain.poll()
    answering(brain, respond())
    assert brain.names[4:] == [*TASK, ACCEPTED, "WorkflowExecutionSignaled", *TASK, COMPLETED]
    assert update.reached(brain.state, "u") == update.Reached(update.COMPLETED, len(brain.events))
    completed = brain.events[-1].workflow_execution_update_completed_event_attributes
    assert (completed.accepted_event_id, completed.meta.update_id) == (8, "u")


def test_messages_without_a_command_come_last() -> None:
    brain = idle()
    brain.want_task()
    brain.poll()
    brain.complete(start_timer(), messages=[accept(), respond()])
    assert brain.names[7:] == ["TimerStarted", ACCEPTED, COMPLETED]


def test_an_acceptance_without_its_request_needs_one_that_waits() -> None:
    brain = Brain()
    brain.poll()
    failed = answering(brain, message("accept", Acceptance()))
    assert failed.failure is not None
    assert failed.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE
    assert "nobody sent it" in failed.failure.message


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([respond()], "not accepted"),
        ([accept(), accept()], "accepted a second time"),
        ([accept(), respond(), respond()], "answered before"),
        ([accept(), message("complete", Response())], "without an outcome"),
        ([accept(), reject()], "rejected after"),
        ([message("x", Meta())], "no answer"),
    ],
)
def test_answers_that_make_no_sense_fail_the_task(messages: list[Message], why: str) -> None:
    brain = Brain()
    brain.poll()
    for number, one in enumerate(messages):
        one.id = str(number)
    outcome = answering(brain, *messages)
    assert outcome.failure is not None and why in outcome.failure.message
    assert brain.names[-1] == "WorkflowTaskFailed"


def test_a_command_has_to_name_a_message() -> None:
    brain = Brain()
    brain.poll()
    outcome = brain.complete(*place(accept()))
    assert outcome.failure is not None and "names no message" in outcome.failure.message


def test_an_admitted_update_is_accepted_without_its_request() -> None:
    brain = idle()
    draft = brain.draft()
    admitted: HistoryEvent = new_event(
        e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED, brain.now, {"request": request()}
    )
    draft.apply(Transition((admitted,), wakes=True))
    brain.keep(draft)
    assert update.reached(brain.state, "u") == update.Reached(update.ADMITTED)
    brain.poll()
    answering(brain, accept())
    accepted = brain.events[-1].workflow_execution_update_accepted_event_attributes
    assert not accepted.HasField("accepted_request")


def test_updates_do_not_keep_a_run_from_closing_and_fail_with_it() -> None:
    brain = idle()
    brain.want_task()
    brain.poll()
    brain.complete(*place(accept()), complete_workflow(), messages=[accept()])
    reached = update.reached(brain.state, "u")
    assert reached is not None and reached.stage == update.COMPLETED and reached.outcome is not None
    assert reached.outcome.failure.application_failure_info.type == "AcceptedUpdateCompletedWorkflow"
    assert reached.outcome.failure.source == "Server"


# -- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"workflow_execution": {}}, InvalidArgument),
        ({"request": {"input": {}}}, InvalidArgument),
        ({"request": {"input": {"name": "add"}, "meta": {"update_id": "x" * 1001}}}, InvalidArgument),
        ({"wait_policy": {"lifecycle_stage": 1}}, PermissionDenied),
    ],
)
def test_bad_requests_are_refused(fields: dict[str, Any], error: type[Exception]) -> None:
    good = {"workflow_execution": {"workflow_id": "order-42"}, "request": {"input": {"name": "add"}}}
    update.validate(UpdateWorkflowExecutionRequest(**good))
    with pytest.raises(error):
        update.validate(UpdateWorkflowExecutionRequest(**{**good, **fields}))


def test_limits_of_updates() -> None:
    brain = idle()
    update.admit(brain.state, request(), [1] * 9)
    with pytest.raises(ResourceExhausted, match="10 updates in flight") as busy:
        update.admit(brain.state, request(), [1] * 10)
    assert busy.value.cause == e.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT
    with pytest.raises(ResourceExhausted, match="larger than"):
        update.admit(brain.state, request(), [20 * 1024 * 1024])
    brain.want_task()
    brain.poll()
    answering(brain, accept())
    with pytest.raises(ResourceExhausted, match="10 updates in flight"):
        update.admit(brain.state, request(), [1] * 9)


def test_a_run_may_have_two_thousand_updates_and_is_told_in_time() -> None:
    brain = idle()
    fill(brain, 1799)
    brain.signal()
    brain.poll()
    assert brain.state.task is not None and not brain.state.task.suggest_continue_as_new
    answering(brain, accept(), respond())
    brain.signal()
    started = brain.poll()[-1].workflow_task_started_event_attributes
    assert started.suggest_continue_as_new
    assert list(started.suggest_continue_as_new_reasons) == [e.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES]
    brain.complete()
    fill(brain, 2000)
    with pytest.raises(FailedPrecondition, match="2000 distinct updates"):
        update.admit(brain.state, request(), [])


def test_a_closed_run_and_a_broken_one_take_no_update() -> None:
    brain = idle()
    brain.signal()
    for _ in range(2):
        update.admit(brain.state, request(), [])
        brain.poll()
        brain.fail_task()
    with pytest.raises(WorkflowNotReady, match="failed 2 times"):
        update.admit(brain.state, request(), [])
    brain.terminate()
    with pytest.raises(NotFound, match="already completed"):
        update.admit(brain.state, request(), [])


def test_a_run_that_is_about_to_close_is_busy() -> None:
    brain = Brain()
    brain.poll()
    brain.signal()
    brain.complete(complete_workflow())
    update.admit(brain.state, request(), [])
    brain.poll()
    with pytest.raises(ResourceExhausted, match="workflow is closing") as busy:
        update.admit(brain.state, request(), [])
    assert busy.value.cause == e.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW
    brain.complete()
    update.admit(brain.state, request(), [])


# -- speculative tasks -----------------------------------------------------------------------------------------------


def test_a_speculative_task_is_not_in_history() -> None:
    brain = idle()
    brain.want_task()
    assert brain.effects == [OfferWorkflowTask("orders", "orders", 5, 1)]
    assert len(brain.events) == 4 and brain.wakes_in == 5
    shown = brain.poll()
    assert [event.event_id for event in shown] == [1, 2, 3, 4, 5, 6]
    assert brain.state.task is not None
    assert update.request_message(request(), brain.state.task).event_id == 5
    assert len(brain.events) == 4


def test_it_vanishes_when_it_only_rejected() -> None:
    brain = idle()
    brain.want_task()
    brain.poll()
    outcome = brain.complete(messages=[reject()], sticky_attributes=STICKY)
    assert outcome.reset_to == 3 and outcome.rejections["u"].message == "no"
    assert len(brain.events) == 4 and brain.state.task is None and brain.state.sticky_queue == "sticky-1"
    brain.want_task()
    assert brain.effects == [OfferWorkflowTask("sticky-1", "orders", 5, 1)]


def test_it_vanishes_when_nothing_was_answered() -> None:
    brain = idle()
    brain.want_task()
    brain.poll()
    assert brain.complete().reset_to == 3
    assert len(brain.events) == 4 and brain.state.task is None


def test_it_stays_when_the_worker_asked_for_more_time() -> None:
    brain = idle()
    brain.want_task()
    brain.poll()
    assert brain.complete(messages=[reject()], force_create_new_workflow_task=True).reset_to is None
    assert brain.names[4:7] == TASK


@pytest.mark.parametrize(
    ("timers", "capabilities", "dropped"), [(0, {}, True), (1, {}, False), (8, CAPABLE, True), (9, CAPABLE, False)]
)
def test_it_stays_when_it_shipped_many_events(timers: int, capabilities: dict[str, bool], dropped: bool) -> None:
    brain = Brain()
    brain.turn(*(start_timer(str(number)) for number in range(timers)))
    brain.want_task()
    brain.poll()
    outcome = brain.complete(messages=[reject()], capabilities=capabilities)
    assert (outcome.reset_to is not None) is dropped


def test_an_event_makes_a_waiting_one_normal() -> None:
    brain = idle()
    brain.want_task()
    brain.signal()
    assert brain.names[4:] == ["WorkflowTaskScheduled", "WorkflowExecutionSignaled"]
    assert brain.state.task is not None and not brain.state.task.speculative
    assert brain.wakes_in is None
    brain.turn()
    assert brain.names[6:] == TASK[1:]


def test_an_event_makes_a_running_one_normal_and_waits_for_it() -> None:
    brain = idle()
    brain.want_task()
    brain.poll()
    brain.signal()
    assert brain.names[4:] == ["WorkflowTaskScheduled"]
    answering(brain, accept())
    assert brain.names[5:] == [*TASK[1:], ACCEPTED, "WorkflowExecutionSignaled", "WorkflowTaskScheduled"]


def test_whatever_is_kept_makes_it_normal() -> None:
    brain = Brain()
    brain.turn(schedule_activity())
    brain.want_task()
    brain.start_activity()
    assert brain.names[-1] == "WorkflowTaskScheduled"
    assert brain.state.task is not None and brain.state.task.written


def test_nobody_takes_it_for_five_seconds() -> None:
    brain = idle()
    brain.want_task()
    assert brain.wakes_in == 5
    brain.tick(5)
    assert brain.names[4:] == ["WorkflowTaskScheduled", "WorkflowTaskTimedOut", "WorkflowTaskScheduled"]
    timed_out = brain.events[5].workflow_task_timed_out_event_attributes
    assert timed_out.timeout_type == e.TIMEOUT_TYPE_SCHEDULE_TO_START
    assert brain.state.task is not None and not brain.state.task.speculative and brain.wakes_in is None


def test_a_dead_sticky_queue_does_not_prolong_it() -> None:
    brain = Brain()
    brain.poll()
    brain.complete(sticky_attributes=STICKY)
    brain.want_task()
    draft = brain.draft()
    draft.apply(workflow_task.unstick(draft.state))
    brain.hold(draft)
    assert brain.effects == [OfferWorkflowTask("orders", "orders", 5, 1)] and brain.wakes_in == 5


@pytest.mark.parametrize("ending", ["WorkflowTaskFailed", "WorkflowTaskTimedOut"])
def test_its_failure_is_written(ending: str) -> None:
    brain = idle()
    brain.want_task()
    brain.poll()
    if ending == "WorkflowTaskFailed":
        brain.fail_task()
    else:
        brain.tick(10)
    assert brain.names[4:] == [*TASK[:2], ending]
    assert brain.state.task is not None and brain.state.task.attempt == 2


def test_a_close_from_outside() -> None:
    waiting = idle()
    waiting.want_task()
    waiting.terminate()
    assert waiting.names[4:] == ["WorkflowExecutionTerminated"]
    running = idle()
    running.want_task()
    running.poll()
    running.terminate()
    assert running.names[4:] == [*TASK[:2], "WorkflowTaskFailed", "WorkflowExecutionTerminated"]


def test_no_task_is_wanted_while_one_is_pending_or_the_run_is_closed() -> None:
    brain = Brain()
    brain.want_task()
    assert brain.effects == [] and len(brain.events) == 2
    brain.turn(complete_workflow())
    brain.want_task()
    assert brain.state.task is None


def test_a_start_delay_ends_with_the_first_update() -> None:
    brain = Brain(workflow_start_delay=seconds(3600))
    brain.want_task()
    assert brain.names == ["WorkflowExecutionStarted", "WorkflowTaskScheduled"]
    assert brain.state.task is not None and not brain.state.task.speculative


def test_a_restart_takes_up_what_it_became() -> None:
    brain = idle()
    brain.want_task()
    brain.now += SECOND
    brain.signal()
    brain.poll()
    brain.recover()
    assert brain.state.task is not None and brain.state.task.scheduled_event_id == 5
    assert [event.event_id for event in brain.poll()] == list(range(1, 8))


def test_an_update_that_a_reset_brought_may_be_rejected() -> None:
    brain = idle()
    attributes = {"request": request("u"), "origin": e.UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY}
    event = new_event(e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED, brain.now, attributes)
    draft = brain.draft()
    draft.apply(Transition((event,), wakes=True))
    brain.keep(draft)
    assert update.reached(brain.state, "u") == update.Reached(update.ADMITTED)
    outcome = brain.turn(messages=[reject("u")])
    assert outcome.failure is None and [*outcome.rejections] == ["u"]
    assert brain.names[-1] == "WorkflowTaskCompleted"
    assert update.reached(brain.state, "u") is None
