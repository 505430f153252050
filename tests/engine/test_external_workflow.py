"""Signals and cancel requests to other workflows: what may be asked, what the target does, what the sender learns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from brain import Brain, complete_workflow, payloads
from family import CHILD_RUN_ID, cancel_external, child_state, initiated, signal_external, start_child

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.engine.effects import RequestCancelExternal, SignalExternal
from outlast.engine.execution import delivery, due, external_workflow
from outlast.engine.execution.draft import Draft
from outlast.engine.execution.state import ExecutionState
from outlast.vocab import limits

BAD_SIGNAL = e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES
BAD_CANCEL = e.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES
ASK = {"signal": signal_external, "cancel": cancel_external}
DELIVERED = {"signal": "ExternalWorkflowExecutionSignaled", "cancel": "ExternalWorkflowExecutionCancelRequested"}
REFUSED = {
    "signal": "SignalExternalWorkflowExecutionFailed",
    "cancel": "RequestCancelExternalWorkflowExecutionFailed",
}


def asked(kind: str, **attributes: object) -> Brain:
    brain = Brain()
    assert brain.turn(ASK[kind](**attributes)).failure is None  # type: ignore[operator]
    return brain


def other(workflow_id: str = "other") -> ExecutionState:
    return Brain(workflow_id=workflow_id).state


def deliver(brain: Brain, target: ExecutionState) -> Draft:
    """What the latest request does to the target."""
    draft = Draft(target, brain.now)
    draft.apply(delivery.deliver(brain.state, initiated(brain), draft.state, brain.now))
    return draft


def answer(brain: Brain, cause: int | None = None) -> bool:
    draft = brain.draft()
    event = initiated(brain)
    if cause is None:
        draft.apply(external_workflow.record_delivery(draft.state, event, brain.now))
    else:
        draft.apply(external_workflow.record_refusal(draft.state, event, cause, brain.now))
    brain.keep(draft)
    return draft.changed


@pytest.mark.parametrize(("kind", "effect"), [("signal", SignalExternal(5)), ("cancel", RequestCancelExternal(5))])
def test_asking_is_an_event_and_an_effect(kind: str, effect: object) -> None:
    brain = asked(kind)
    assert brain.effects == [effect]
    assert due.owed(brain.state) == [effect]
    assert due.has_open_work(brain.state)


@pytest.mark.parametrize("kind", ASK)
@pytest.mark.parametrize("cause", [None, delivery.NOT_FOUND, delivery.NAMESPACE_NOT_FOUND])
def test_the_answer_ends_the_request_once(kind: str, cause: int | None) -> None:
    brain = asked(kind)
    assert answer(brain, cause)
    assert brain.names[-2:] == [(DELIVERED if cause is None else REFUSED)[kind], "WorkflowTaskScheduled"]
    assert due.owed(brain.state) == []
    for repeated in (None, delivery.NOT_FOUND):
        assert not answer(brain, repeated)


@pytest.mark.parametrize("kind", ASK)
def test_a_closed_sender_sends_nothing_and_learns_nothing(kind: str) -> None:
    brain = asked(kind)
    brain.terminate()
    assert due.owed(brain.state) == [] and brain.draft().finish().wake_at is None
    assert not answer(brain)


@pytest.mark.parametrize("kind", ASK)
def test_the_answer_waits_for_the_started_task(kind: str) -> None:
    brain = asked(kind)
    brain.signal()
    brain.poll()
    assert answer(brain)
    assert brain.names[-1] == "WorkflowTaskScheduled"
    brain.complete()
    assert brain.names[-2] == DELIVERED[kind]


def test_a_signal_arrives_with_everything() -> None:
    brain = asked("signal", input=payloads(b"1"), header={"fields": {"trace": payloads(b"2").payloads[0]}})
    draft = deliver(brain, other())
    attributes = draft.events[0].workflow_execution_signaled_event_attributes
    assert attributes.signal_name == "go"
    assert attributes.input == payloads(b"1")
    assert "trace" in attributes.header.fields
    assert attributes.external_workflow_execution.workflow_id == "order-42"
    assert attributes.external_workflow_execution.run_id == brain.state.run_id
    assert not deliver(brain, draft.state).events, "the request id is fixed: a signal arrives once"


def test_a_cancel_request_arrives_with_everything() -> None:
    brain = asked("cancel", reason="late")
    draft = deliver(brain, other())
    attributes = draft.events[0].workflow_execution_cancel_requested_event_attributes
    assert (attributes.cause, attributes.external_initiated_event_id) == ("late", 5)
    assert attributes.external_workflow_execution.workflow_id == "order-42"
    assert not deliver(brain, draft.state).events


def test_a_closed_target_takes_a_cancel_request_and_no_signal() -> None:
    closed = Brain(workflow_id="other")
    closed.turn(complete_workflow())
    assert deliver(asked("cancel"), closed.state).events == []
    with pytest.raises(delivery.Undeliverable) as refused:
        deliver(asked("signal"), closed.state)
    assert refused.value.cause == delivery.NOT_FOUND


@pytest.mark.parametrize("kind", ASK)
def test_nobody_sends_to_itself(kind: str) -> None:
    brain = asked(kind, workflow_id="order-42")
    with pytest.raises(delivery.Undeliverable) as refused:
        deliver(brain, brain.state)
    assert refused.value.cause == delivery.NOT_FOUND


@pytest.mark.parametrize("kind", ASK)
def test_only_a_child_where_only_a_child_will_do(kind: str) -> None:
    brain = Brain()
    brain.turn(start_child("other"), force_create_new_workflow_task=True)
    child = child_state(brain)
    assert brain.turn(ASK[kind](child_workflow_only=True)).failure is None  # type: ignore[operator]
    assert deliver(brain, child).events
    with pytest.raises(delivery.Undeliverable) as refused:
        deliver(brain, other())
    assert refused.value.cause == delivery.NOT_FOUND
    child.parent_run_id = CHILD_RUN_ID
    with pytest.raises(delivery.Undeliverable):
        deliver(brain, child)


def test_a_target_has_had_all_its_signals() -> None:
    target = other()
    target.signal_count = limits.SIGNALS_PER_RUN_MAX
    with pytest.raises(delivery.Undeliverable) as refused:
        deliver(asked("signal"), target)
    assert refused.value.cause == delivery.TOO_MANY_SIGNALS


@pytest.mark.parametrize(
    ("asking", "cause", "message"),
    [
        (lambda: signal_external(""), BAD_SIGNAL, "workflow_id"),
        (lambda: signal_external("x" * 1001), BAD_SIGNAL, "1000 bytes"),
        (lambda: signal_external(name=""), BAD_SIGNAL, "signal_name is empty"),
        (lambda: signal_external(run_id="x"), BAD_SIGNAL, "not a UUID"),
        (lambda: signal_external(namespace="elsewhere"), BAD_SIGNAL, "across namespaces"),
        (lambda: cancel_external(""), BAD_CANCEL, "workflow_id"),
        (lambda: cancel_external(run_id="x"), BAD_CANCEL, "not a UUID"),
        (lambda: cancel_external(namespace="elsewhere"), BAD_CANCEL, "across namespaces"),
    ],
)
def test_a_request_that_cannot_be_fails_the_task(asking: Callable[[], Command], cause: int, message: str) -> None:
    outcome = Brain().turn(asking())
    assert outcome.failure is not None
    assert outcome.failure.cause == cause
    assert message in outcome.failure.message


@pytest.mark.parametrize("kind", ASK)
def test_a_namespace_that_nobody_has_is_asked_for_and_refused_later(kind: str) -> None:
    brain = asked(kind, namespace="nowhere")
    assert due.owed(brain.state)


@pytest.mark.parametrize(
    ("kind", "most", "cause"),
    [
        ("signal", limits.PENDING_SIGNALS_MAX, e.WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED),
        (
            "cancel",
            limits.PENDING_CANCEL_REQUESTS_MAX,
            e.WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
        ),
    ],
)
def test_the_number_of_pending_requests_has_a_limit(kind: str, most: int, cause: int) -> None:
    brain = Brain()
    many = [ASK[kind](f"w{n}") for n in range(most)]  # type: ignore[operator]
    assert brain.turn(*many, force_create_new_workflow_task=True).failure is None
    outcome = brain.turn(ASK[kind]("one-more"))  # type: ignore[operator]
    assert outcome.failure is not None and outcome.failure.cause == cause
