"""Children: what a parent may ask for, every state of a child times all that can happen, and the parent's close."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from brain import Brain, command, complete_workflow, fail_workflow, payloads, schedule_activity, seconds
from family import (
    CHILD_RUN_ID,
    ENDINGS,
    cancel_external,
    child_of,
    child_state,
    initiated,
    record_end,
    record_start,
    refuse_start,
    start_child,
)

from outlast.api.enums import v1 as e
from outlast.engine.effects import CloseChild, ReportToParent, StartChild
from outlast.engine.execution import child_workflow, delivery, describe, due
from outlast.engine.execution.draft import Draft
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument


def asked(**attributes: object) -> Brain:
    """A run with one initiated child."""
    brain = Brain()
    brain.turn(start_child(**attributes))  # type: ignore[arg-type]
    return brain


def begun(**attributes: object) -> Brain:
    """A run with one started child."""
    brain = asked(**attributes)
    assert record_start(brain)
    return brain


def gone() -> Brain:
    brain = begun()
    record_end(brain, "completed")
    return brain


def parent_gone() -> Brain:
    brain = begun()
    brain.terminate()
    return brain


# -- asking ------------------------------------------------------------------------------------------------------------


def test_asking_is_an_event_and_an_effect() -> None:
    brain = asked()
    assert brain.names[-1] == "StartChildWorkflowExecutionInitiated"
    assert brain.effects == [StartChild(5)]
    attributes = brain.events[-1].start_child_workflow_execution_initiated_event_attributes
    assert attributes.parent_close_policy == e.PARENT_CLOSE_POLICY_TERMINATE
    assert attributes.workflow_id_reuse_policy == e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    assert attributes.task_queue.name == "orders"
    assert attributes.namespace_id == "namespace-1"


def test_every_option_reaches_the_first_event_of_the_child() -> None:
    options: dict[str, object] = {
        "task_queue": {"name": "ships"},
        "input": payloads(b"1"),
        "workflow_execution_timeout": seconds(300),
        "workflow_run_timeout": seconds(200),
        "workflow_task_timeout": seconds(5),
        "retry_policy": {"maximum_attempts": 3},
        "header": {"fields": {"trace": payloads(b"2").payloads[0]}},
        "memo": {"fields": {"note": payloads(b"3").payloads[0]}},
        "search_attributes": {"indexed_fields": {"Kind": payloads(b'"x"').payloads[0]}},
        "priority": {"priority_key": 2},
    }
    brain = Brain(priority={"priority_key": 4, "fairness_key": "eu"})
    asking = start_child(**options)
    asking.user_metadata.summary.CopyFrom(payloads(b"5").payloads[0])
    brain.turn(asking)
    transition = child_workflow.begin(brain.state, initiated(brain), brain.now)
    (event,) = transition.events
    first = event.workflow_execution_started_event_attributes
    wanted = asking.start_child_workflow_execution_command_attributes
    for name in ("input", "header", "memo", "workflow_type", "workflow_execution_timeout"):
        assert getattr(first, name) == getattr(wanted, name), name
    assert first.search_attributes.indexed_fields["Kind"].metadata["type"] == b"Keyword"
    assert first.workflow_run_timeout.seconds == 200 and first.workflow_task_timeout.seconds == 5
    assert first.task_queue.name == "ships"
    assert first.retry_policy.maximum_attempts == 3 and first.retry_policy.backoff_coefficient == 2
    assert (first.priority.priority_key, first.priority.fairness_key) == (2, "eu")
    assert event.user_metadata == asking.user_metadata
    assert first.parent_workflow_execution.workflow_id == "order-42"
    assert first.parent_workflow_execution.run_id == brain.state.run_id
    assert first.parent_initiated_event_id == 5
    assert first.root_workflow_execution == first.parent_workflow_execution


def test_a_grandchild_has_the_same_root() -> None:
    brain = asked()
    child = child_state(brain)
    assert (child.root_workflow_id, child.root_run_id) == ("order-42", brain.state.run_id)
    brain.state = brain.state.__class__("namespace-1", "child-1", child.run_id)
    brain.events = []
    draft = brain.draft()
    draft.apply(child_workflow.begin(asked().state, initiated(asked()), brain.now))
    brain.keep(draft)
    brain.turn(start_child("grandchild"))
    assert child_state(brain).root_workflow_id == "order-42"
    assert child_state(brain).parent_workflow_id == "child-1"


def test_a_cron_schedule_is_passed_on() -> None:
    brain = asked(cron_schedule="@hourly")
    assert child_state(brain).cron_schedule == "@hourly"
    assert child_state(brain).first_task_pending


def test_asking_twice_names_the_same_run() -> None:
    assert child_state(asked()).run_id == child_state(asked()).run_id
    assert child_state(asked()).start_request_id == child_state(asked()).start_request_id != ""


def test_a_search_attribute_that_nobody_defined_fails_the_task() -> None:
    unknown = {"indexed_fields": {"Unknown": payloads(b"1").payloads[0]}}
    outcome = Brain().turn(start_child(search_attributes=unknown))
    assert outcome.failure is not None
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"workflow_id": ""}, "workflow_id is empty"),
        ({"workflow_id": "x" * 1001}, "1000 bytes"),
        ({"workflow_type": {}}, "workflow_type is empty"),
        ({"workflow_run_timeout": {"seconds": -1}}, "below zero"),
        ({"retry_policy": {"maximum_attempts": -1}}, "maximum_attempts"),
        ({"cron_schedule": "nonsense"}, "nonsense"),
        ({"namespace": "elsewhere"}, "across namespaces"),
    ],
)
def test_a_child_that_cannot_be_fails_the_task(attributes: dict[str, object], message: str) -> None:
    brain = Brain()
    outcome = brain.turn(start_child(**attributes))  # type: ignore[arg-type]
    assert outcome.failure is not None
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES
    assert message in outcome.failure.message
    assert brain.state.children == {}


def test_the_number_of_pending_children_has_a_limit() -> None:
    brain = Brain()
    most = limits.PENDING_CHILDREN_MAX
    assert brain.turn(*(start_child(f"c{n}") for n in range(most)), force_create_new_workflow_task=True).failure is None
    outcome = brain.turn(start_child("one-more"))
    assert outcome.failure is not None
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED
    assert len(brain.state.children) == most


def test_a_child_may_not_be_started_and_cancelled_in_one_task() -> None:
    brain = Brain()
    outcome = brain.turn(start_child(), cancel_external("child-1", child_workflow_only=True))
    assert outcome.failure is not None
    assert (
        outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES
    )
    assert "starts this child" in outcome.failure.message
    assert brain.turn(start_child(), cancel_external("somebody-else")).failure is None


# -- every state of a child times everything that can happen -----------------------------------------------------------

STATES: dict[str, Callable[[], Brain]] = {
    "none": lambda: _nobody(),
    "initiated": asked,
    "started": begun,
    "gone": gone,
    "parent gone": parent_gone,
}


def _nobody() -> Brain:
    brain = Brain()
    brain.turn(schedule_activity())
    return brain


NEWS: dict[str, Callable[[Brain], bool]] = {
    "start": lambda brain: record_start(brain, initiated(asked())),
    "refuse": lambda brain: refuse_start(brain, initiated(asked())),
    **{how: (lambda brain, how=how: record_end(brain, how)) for how in ENDINGS},  # type: ignore[misc]
    "end of another workflow": lambda brain: record_end(brain, "completed", workflow_id="child-2"),
    "end of another child": lambda brain: record_end(brain, "completed", initiated_event_id=4),
}
TAKEN = {
    ("initiated", "start"): "ChildWorkflowExecutionStarted",
    ("initiated", "refuse"): "StartChildWorkflowExecutionFailed",
    ("started", "completed"): "ChildWorkflowExecutionCompleted",
    ("started", "failed"): "ChildWorkflowExecutionFailed",
    ("started", "canceled"): "ChildWorkflowExecutionCanceled",
    ("started", "terminated"): "ChildWorkflowExecutionTerminated",
    ("started", "timed out"): "ChildWorkflowExecutionTimedOut",
}


@pytest.mark.parametrize("news", NEWS)
@pytest.mark.parametrize("state", STATES)
def test_every_state_times_everything_that_can_happen(state: str, news: str) -> None:
    brain = STATES[state]()
    length = len(brain.events)
    taken = NEWS[news](brain)
    recorded = [name for name in brain.names[length:] if name != "WorkflowTaskScheduled"]
    assert recorded == [TAKEN.get((state, news), "")] * taken
    assert taken == ((state, news) in TAKEN)
    if taken:
        assert brain.state.task is not None, "the workflow has to look"


@pytest.mark.parametrize("how", ENDINGS)
def test_the_end_carries_what_the_child_left(how: str) -> None:
    brain = begun()
    record_end(brain, how)
    event = next(event for event in brain.events if event.event_id == 8)
    name = f"child_workflow_execution_{how.replace(' ', '_')}_event_attributes"
    attributes = getattr(event, name)
    assert (attributes.initiated_event_id, attributes.started_event_id) == (5, 6)
    assert attributes.workflow_execution.workflow_id == "child-1"
    assert attributes.workflow_execution.run_id == CHILD_RUN_ID
    assert attributes.workflow_type.name == "Ship"
    for field, value in ENDINGS[how][1].items():
        if field != "reason":
            assert getattr(attributes, field) == value


def test_news_waits_for_the_started_task_and_ends_come_last() -> None:
    brain = asked()
    brain.signal()
    brain.poll()
    assert record_start(brain)
    assert record_end(brain, "completed")
    brain.signal("late")
    assert brain.names[-1] == "WorkflowTaskScheduled"
    brain.complete()
    assert brain.names[-4:] == [
        "ChildWorkflowExecutionStarted",
        "WorkflowExecutionSignaled",
        "ChildWorkflowExecutionCompleted",
        "WorkflowTaskScheduled",
    ]
    started, completed = brain.events[-4], brain.events[-2]
    attributes = completed.child_workflow_execution_completed_event_attributes
    assert attributes.started_event_id == started.event_id


def test_a_buffered_start_gets_its_id_before_a_later_end() -> None:
    brain = asked()
    brain.signal()
    brain.poll()
    record_start(brain)
    brain.complete()
    started = next(
        event for event in brain.events if event.HasField("child_workflow_execution_started_event_attributes")
    )
    assert child_of(brain).started_event_id == started.event_id
    record_end(brain, "failed")
    assert brain.events[-1].child_workflow_execution_failed_event_attributes.started_event_id == started.event_id


# -- what is owed ------------------------------------------------------------------------------------------------------


def test_a_run_is_under_way_as_long_as_it_asks_for_something() -> None:
    brain = asked()
    assert due.under_way(brain.state)
    record_start(brain)
    brain.turn()
    assert not due.under_way(brain.state) and not due.has_open_work(brain.state)
    brain.terminate()
    assert due.under_way(brain.state) and due.has_open_work(brain.state)


def test_what_is_asked_for_is_found_again_in_the_order_of_asking() -> None:
    brain = Brain()
    brain.turn(start_child("a"), cancel_external("x"), start_child("b"))
    assert [request.initiated_event_id for request in due.owed(brain.state)] == [5, 6, 7]  # type: ignore[union-attr]
    assert due.has_open_work(brain.state)


CLOSES: dict[str, Callable[[Brain], object]] = {
    "complete": lambda brain: brain.turn(complete_workflow()),
    "fail": lambda brain: brain.turn(fail_workflow()),
    "cancel": lambda brain: brain.turn(command(e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)),
    "continue as new": lambda brain: brain.turn(command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)),
    "terminate": lambda brain: brain.terminate(),
    "time out": lambda brain: brain.tick(3600),
}
TERMINATE = e.PARENT_CLOSE_POLICY_TERMINATE
ABANDON = e.PARENT_CLOSE_POLICY_ABANDON
REQUEST_CANCEL = e.PARENT_CLOSE_POLICY_REQUEST_CANCEL


@pytest.mark.parametrize("close", CLOSES)
@pytest.mark.parametrize("policy", [TERMINATE, ABANDON, REQUEST_CANCEL])
def test_every_close_applies_the_policy(close: str, policy: int) -> None:
    brain = Brain(workflow_run_timeout=seconds(3600))
    brain.turn(start_child(parent_close_policy=policy))
    record_start(brain)
    CLOSES[close](brain)
    assert not brain.state.running
    owed = [] if policy == ABANDON else [CloseChild(5)]
    assert due.owed(brain.state) == owed
    assert [effect for effect in brain.effects if isinstance(effect, CloseChild)] == owed
    assert brain.draft().finish().wake_at == (brain.now if owed else None)
    for child in list(brain.state.owed_children.values()):
        draft = brain.draft()
        draft.apply(child_workflow.settled(child))
        brain.keep(draft)
    assert due.owed(brain.state) == [] and brain.draft().finish().wake_at is None


@pytest.mark.parametrize("policy", [TERMINATE, ABANDON, REQUEST_CANCEL])
def test_a_child_that_has_not_started_never_does_once_the_parent_is_closed(policy: int) -> None:
    brain = asked(parent_close_policy=policy)
    brain.terminate()
    assert due.owed(brain.state) == []
    assert not record_start(brain, initiated(asked()))


@pytest.mark.parametrize(("policy", "event"), [(TERMINATE, "terminated"), (REQUEST_CANCEL, "cancel_requested")])
def test_the_policy_reaches_the_current_run_of_the_childs_chain(policy: int, event: str) -> None:
    brain = asked(parent_close_policy=policy)
    target = child_state(brain)
    record_start(brain)
    child = child_of(brain)
    later = Draft(target, brain.now)
    delivery.close_child(later, brain.state, child)
    assert later.events == [], "the recorded run id is another's: a later workflow of the same id is left alone"
    target.first_run_id = CHILD_RUN_ID
    draft = Draft(target, brain.now)
    delivery.close_child(draft, brain.state, child)
    (recorded,) = [found for found in draft.events if event in (found.WhichOneof("attributes") or "")]
    if policy == TERMINATE:
        assert recorded.workflow_execution_terminated_event_attributes.reason == "by parent close policy"
        assert not draft.state.running
    else:
        attributes = recorded.workflow_execution_cancel_requested_event_attributes
        assert attributes.external_workflow_execution.workflow_id == "order-42"
    again = Draft(draft.state, brain.now)
    delivery.close_child(again, brain.state, child)
    assert again.events == []


@pytest.mark.parametrize(
    ("close", "reports"),
    [("complete", True), ("fail", True), ("cancel", True), ("continue as new", False), ("terminate", True)],
)
def test_a_child_reports_unless_its_chain_goes_on(close: str, reports: bool) -> None:
    child = Brain()
    child.state.parent_workflow_id = "parent"
    child.state.parent_run_id = CHILD_RUN_ID
    draft = child.draft()
    child.check = lambda: None  # type: ignore[method-assign]  # no event says who its parent is
    child.keep(draft)
    CLOSES[close](child)
    assert (ReportToParent() in child.effects) == reports
    assert (ReportToParent() in due.owed(child.state)) == reports
    draft = child.draft()
    draft.apply(child_workflow.reported())
    child.keep(draft)
    assert due.owed(child.state) == [] and child.effects == []


def test_a_failed_attempt_with_a_next_one_does_not_report() -> None:
    child = Brain(retry_policy={"maximum_attempts": 2})
    child.check = lambda: None  # type: ignore[method-assign]  # no event says who its parent is
    child.state.parent_workflow_id = "parent"
    child.turn(fail_workflow())
    assert child.successor is not None and due.owed(child.state) == []


def test_a_workflow_without_a_parent_reports_to_nobody() -> None:
    brain = Brain()
    brain.turn(complete_workflow())
    assert due.owed(brain.state) == [] and brain.effects == []


# -- looks -------------------------------------------------------------------------------------------------------------


def test_pending_children_and_the_parent_are_described() -> None:
    brain = begun()
    (shown,) = describe.describe(brain.state).pending_children
    assert (shown.workflow_id, shown.run_id, shown.initiated_id) == ("child-1", CHILD_RUN_ID, 5)
    assert (shown.workflow_type_name, shown.parent_close_policy) == ("Ship", TERMINATE)
    info = describe.info(child_state(asked()))
    assert info.parent_execution.workflow_id == info.root_execution.workflow_id == "order-42"
    assert info.parent_namespace_id == "namespace-1"


def test_the_bad_task_at_a_later_attempt_is_refused() -> None:
    brain = Brain()
    brain.poll()
    brain.fail_task()
    brain.poll()
    brain.fail_task()
    brain.poll()
    with pytest.raises(InvalidArgument, match="workflow_id is empty"):
        brain.complete(start_child(""))
