"""The reorder rule: what waits for the end of a workflow task follows it in order, but the terminal events come last.

Terminal are the ends of activities and of children (rule 3.4.6).
The buffer is filled in every kind of order, and the task ends in every way.
"""

from __future__ import annotations

from collections.abc import Callable

import family
import pytest
from brain import Brain, command, schedule_activity, start_timer
from hypothesis import given, settings
from hypothesis import strategies as st

from outlast.api.enums import v1 as e
from outlast.engine.execution import completion, delivery, external_workflow, snapshot, tables, workflow_task
from outlast.engine.execution.draft import Draft
from outlast.vocab.attributes import EVENT_FIELD, EVENT_NAMES


def answer(brain: Brain, event_id: int, *, delivered: bool) -> None:
    draft = brain.draft()
    event = brain.events[event_id - 1]
    if delivered:
        draft.apply(external_workflow.record_delivery(draft.state, event, brain.now))
    else:
        draft.apply(external_workflow.record_refusal(draft.state, event, delivery.NOT_FOUND, brain.now))
    brain.keep(draft)


def prepared() -> Brain:
    """Three activities (5-7), three children (8-10), two requests (11, 12), a timer; a workflow task runs."""
    brain = Brain()
    brain.turn(
        *(schedule_activity(str(number)) for number in (1, 2, 3)),
        *(family.start_child(f"child-{number}") for number in (1, 2, 3)),
        family.signal_external(),
        family.cancel_external(),
        start_timer("1", 1),
    )
    for number in (1, 2, 3):
        brain.start_activity(str(number))
    family.record_start(brain, brain.events[7])
    brain.poll()
    return brain


def fires(brain: Brain) -> None:
    brain.tick(1)


def time_out(brain: Brain) -> None:
    """The workflow task's own deadline passes, and nothing else's."""
    draft = Draft(brain.state, workflow_task.deadline(brain.state))
    draft.apply(workflow_task.time_out(draft.state, draft.now))
    completion.try_again(draft)
    brain.keep(draft)


NEWS: dict[str, Callable[[Brain], object]] = {
    "WorkflowExecutionSignaled": lambda brain: brain.signal("again"),
    "WorkflowExecutionCancelRequested": lambda brain: brain.request_cancel(),
    "ActivityTaskCompleted": lambda brain: brain.complete_activity("1"),
    "ActivityTaskFailed": lambda brain: brain.fail_activity("2", non_retryable=True),
    "TimerFired": fires,
    "ChildWorkflowExecutionCompleted": lambda brain: family.record_end(brain, "completed", 8, "child-1"),
    "ChildWorkflowExecutionStarted": lambda brain: family.record_start(brain, brain.events[8]),
    "StartChildWorkflowExecutionFailed": lambda brain: family.refuse_start(brain, brain.events[9]),
    "ExternalWorkflowExecutionSignaled": lambda brain: answer(brain, 11, delivered=True),
    "RequestCancelExternalWorkflowExecutionFailed": lambda brain: answer(brain, 12, delivered=False),
}
TERMINAL = {EVENT_NAMES[kind] for kind in tables.TERMINAL}
ENDS: dict[str, Callable[[Brain], object]] = {
    "completed": lambda brain: brain.complete(),
    "failed": lambda brain: brain.fail_task(),
    "timed out": time_out,
    "unhandled": lambda brain: brain.complete(command(e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)),
    "restarted": lambda brain: brain.recover(),
    "terminated": lambda brain: brain.terminate(),
}


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(sorted(NEWS)), unique=True, min_size=1), st.sampled_from(sorted(ENDS)))
def test_what_waited_follows_in_order_with_the_ends_last(order: list[str], how: str) -> None:
    brain = prepared()
    before = len(brain.events)
    for name in order:
        NEWS[name](brain)
        assert len(brain.events) == before, f"{name} was recorded while the workflow task runs"
    ENDS[how](brain)
    of_interest = {*NEWS, "ActivityTaskStarted"}
    arrived = [event for event in brain.events[before:] if EVENT_NAMES[event.event_type] in of_interest]
    names = [EVENT_NAMES[event.event_type] for event in arrived]
    expected: list[str] = []
    for name in order:
        if name.startswith("ActivityTask"):
            expected.append("ActivityTaskStarted")
        if name not in TERMINAL:
            expected.append(name)
    expected += [name for name in order if name in TERMINAL]
    assert names == expected
    for event in arrived:
        if event.event_type in tables.TERMINAL:
            attributes = getattr(event, EVENT_FIELD[event.event_type])
            started = brain.events[attributes.started_event_id - 1]
            kind = EVENT_NAMES[started.event_type]
            assert (
                kind in ("ActivityTaskStarted", "ChildWorkflowExecutionStarted") and started.event_id < event.event_id
            )
    rebuilt = snapshot.rebuild(brain.state.namespace_id, brain.state.workflow_id, brain.state.run_id, brain.events)
    assert snapshot.historic(rebuilt) == snapshot.historic(brain.state)
    if how != "terminated":
        task = brain.state.task
        assert task is not None and not task.started and task.attempt == 1, "the workflow has not been asked to look"


def test_a_child_that_starts_and_ends_while_the_task_runs_is_told_of_in_order() -> None:
    brain = prepared()
    family.record_start(brain, brain.events[8])
    family.record_end(brain, "failed", 9, "child-2")
    brain.signal("between")
    brain.complete()
    names = [name for name in brain.names[-5:] if not name.startswith("WorkflowTask")]
    assert names[-3:] == [
        "ChildWorkflowExecutionStarted",
        "WorkflowExecutionSignaled",
        "ChildWorkflowExecutionFailed",
    ]
    failed = next(event for event in brain.events if event.event_type == e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
    started_event_id = failed.child_workflow_execution_failed_event_attributes.started_event_id
    assert EVENT_NAMES[brain.events[started_event_id - 1].event_type] == "ChildWorkflowExecutionStarted"


@pytest.mark.parametrize("name", sorted(EVENT_NAMES[kind] for kind in tables.BUFFERED))
def test_every_event_that_may_wait_is_known_to_come_from_outside(name: str) -> None:
    """No command's own event waits, nor does the close of the run or an event of its workflow tasks."""
    assert not name.endswith(("Initiated", "CancelRequested")) or name in (
        "WorkflowExecutionCancelRequested",
        "ExternalWorkflowExecutionCancelRequested",
    )
    assert not name.startswith("WorkflowTask") and name not in ("TimerStarted", "TimerCanceled", "MarkerRecorded")
