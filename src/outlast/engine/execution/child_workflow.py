"""Child workflows: asked for by a command, started as runs of their own, and reported on when their chain ends.

    (none) --initiate--> initiated --start--> started --close--> (gone)
                             |
                             +--refuse--> (gone)

The start of the child's run and the parent's ChildWorkflowExecutionStarted are one commit, and so are the parent's
event about the child's end and the child's note that it has reported: neither is there without the other. A parent that
closes first never starts the child, whatever the policy (rule 3.6.6); a child whose chain goes on does not report
(rule 3.6.7).

The parent's close leaves the started children that are not to be abandoned in ``state.owed_children`` until each has
been dealt with (rule 3.6.5).

Source: StartChildWorkflowExecution command; ChildWorkflowExecution* events; rules 3.3.3, 3.4.10, 3.6.5-3.6.8.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from outlast.api.command.v1 import StartChildWorkflowExecutionCommandAttributes
from outlast.api.common.v1 import Priority
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import StartWorkflowExecutionRequest
from outlast.vocab import ids, limits
from outlast.vocab.attributes import EVENT_FIELD, event_attributes
from outlast.vocab.errors import InvalidArgument, Unimplemented
from outlast.vocab.times import from_duration, parts

from ..command import BadCommand, CommandContext
from ..effects import StartChild
from ..transition import NOTHING, Transition
from . import start
from .events import new_event
from .state import Child, ExecutionState

_BAD = _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES

ALREADY_EXISTS = _e.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS
NAMESPACE_NOT_FOUND = _e.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND

_PASSED_ON = (
    "workflow_type",
    "task_queue",
    "input",
    "workflow_execution_timeout",
    "workflow_run_timeout",
    "workflow_task_timeout",
    "workflow_id_reuse_policy",
    "retry_policy",
    "cron_schedule",
    "header",
    "memo",
    "search_attributes",
    "versioning_override",
)
"""Fields of the command that the initiated event keeps and the child's own start has under the same names."""


class Ending(NamedTuple):
    """How a child's last run ended: the closing event and whose it is."""

    workflow_id: str
    run_id: str
    event: HistoryEvent
    initiated_event_id: int


# -- the parent asks --------------------------------------------------------------------------------------------------


def initiate(
    state: ExecutionState, command: StartChildWorkflowExecutionCommandAttributes, context: CommandContext
) -> Transition:
    """Ask for a child, with the server's defaults filled in.

    Raises:
        BadCommand: a start that no run can come of, another namespace, or too many children pending.
    """
    subject = f"StartChildWorkflowExecution {command.workflow_id!r}"
    if len(state.children) >= limits.PENDING_CHILDREN_MAX:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
            f"{subject}: {len(state.children)} child workflows are pending, the most a run may have; await some "
            "before starting more",
        )
    context.refuse_other_namespace(command.namespace, state.namespace_id, subject, _BAD)
    attributes: dict[str, Any] = {
        "namespace": command.namespace or context.namespace,
        "namespace_id": state.namespace_id,
        "workflow_id": command.workflow_id,
        "control": command.control,
        "parent_close_policy": command.parent_close_policy or _e.PARENT_CLOSE_POLICY_TERMINATE,
        "inherit_build_id": command.inherit_build_id,
        "workflow_task_completed_event_id": context.completed_event_id,
        **_present(command, (*_PASSED_ON, "priority")),
    }
    attributes["workflow_id_reuse_policy"] = (
        command.workflow_id_reuse_policy or _e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    )
    attributes["task_queue"] = {"name": command.task_queue.name or state.queue, "kind": _e.TASK_QUEUE_KIND_NORMAL}
    if not command.memo.fields:
        attributes.pop("memo", None)
    _, run_ns, task_ns = start.effective_timeouts(
        *(max(from_duration(getattr(command, f"workflow_{name}_timeout")), 0) for name in ("execution", "run", "task"))
    )
    for name, length in (("workflow_run_timeout", run_ns), ("workflow_task_timeout", task_ns)):
        if from_duration(getattr(command, name)) >= 0:
            attributes[name] = parts(length)
    if command.HasField("search_attributes"):
        attributes["search_attributes"] = context.typed(command.search_attributes, subject)
    event = new_event(_e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, context.now, attributes)
    try:
        start.validate(start_request(state, event))
    except (InvalidArgument, Unimplemented) as error:
        raise BadCommand(_BAD, f"{subject}: {error.message}") from error
    return Transition((event,), (StartChild(state.next_event_id),))


def _present(message: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields among ``names`` that are set."""
    return {field.name: value for field, value in message.ListFields() if field.name in names}


# -- the child starts -------------------------------------------------------------------------------------------------


def start_request(parent: ExecutionState, initiated: HistoryEvent) -> StartWorkflowExecutionRequest:
    """The request that starts the child; its request id is fixed by the event, so that asking twice starts one."""
    asked = initiated.start_child_workflow_execution_initiated_event_attributes
    request = StartWorkflowExecutionRequest(
        namespace=asked.namespace,
        workflow_id=asked.workflow_id,
        request_id=ids.request_id(parent.run_id, initiated.event_id),
        **_present(asked, _PASSED_ON),
    )
    if initiated.HasField("user_metadata"):
        request.user_metadata.CopyFrom(initiated.user_metadata)
    request.priority.CopyFrom(_inherited(parent, asked.priority))
    return request


def _inherited(parent: ExecutionState, asked: Priority) -> Priority:
    """The parent's priority with what the command says instead, field by field (rule 3.13.5)."""
    priority = Priority.FromString(parent.priority)
    priority.MergeFrom(asked)
    return priority


def run_id(parent: ExecutionState, initiated_event_id: int) -> str:
    """The id of the child's first run: derived, so that a start decided twice names the same run."""
    return ids.child_run_id(parent.run_id, initiated_event_id)


def begin(parent: ExecutionState, initiated: HistoryEvent, now: int) -> Transition:
    """The first event of the child's run, with its parent and its root."""
    asked = initiated.start_child_workflow_execution_initiated_event_attributes
    transition = start.begin(start_request(parent, initiated), now, run_id=run_id(parent, initiated.event_id))
    (event,) = transition.events
    attributes = event.workflow_execution_started_event_attributes
    attributes.parent_workflow_namespace = asked.namespace
    attributes.parent_workflow_namespace_id = parent.namespace_id
    attributes.parent_workflow_execution.workflow_id = parent.workflow_id
    attributes.parent_workflow_execution.run_id = parent.run_id
    attributes.parent_initiated_event_id = initiated.event_id
    attributes.root_workflow_execution.workflow_id = parent.root_workflow_id
    attributes.root_workflow_execution.run_id = parent.root_run_id
    return transition


def record_start(parent: ExecutionState, initiated: HistoryEvent, child_run_id: str, now: int) -> Transition:
    """Tell the parent that its child runs. Nothing when it does not wait for that."""
    if not _awaits_start(parent, initiated.event_id):
        return NOTHING
    asked = initiated.start_child_workflow_execution_initiated_event_attributes
    attributes: dict[str, Any] = {
        "namespace": asked.namespace,
        "namespace_id": asked.namespace_id,
        "initiated_event_id": initiated.event_id,
        "workflow_execution": {"workflow_id": asked.workflow_id, "run_id": child_run_id},
        "workflow_type": asked.workflow_type,
        **_present(asked, ("header",)),
    }
    event = new_event(_e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, now, attributes)
    return Transition((event,), wakes=True)


def refuse_start(parent: ExecutionState, initiated: HistoryEvent, cause: int, now: int) -> Transition:
    """Tell the parent that its child will never run. Nothing when it does not wait for that.

    Args:
        cause: a StartChildWorkflowExecutionFailedCause.
    """
    if not _awaits_start(parent, initiated.event_id):
        return NOTHING
    asked = initiated.start_child_workflow_execution_initiated_event_attributes
    attributes: dict[str, Any] = {
        "namespace": asked.namespace,
        "namespace_id": asked.namespace_id,
        "workflow_id": asked.workflow_id,
        "workflow_type": asked.workflow_type,
        "cause": cause,
        "control": asked.control,
        "initiated_event_id": initiated.event_id,
        "workflow_task_completed_event_id": asked.workflow_task_completed_event_id,
    }
    event = new_event(_e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, now, attributes)
    return Transition((event,), wakes=True)


def _awaits_start(parent: ExecutionState, initiated_event_id: int) -> bool:
    child = parent.children.get(initiated_event_id)
    return parent.running and child is not None and not child.started


# -- the child ends ---------------------------------------------------------------------------------------------------

_REPORT = {
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: _e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: _e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: _e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: _e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: _e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
}
"""The child's closing event -> the parent's event that tells of it; a continue-as-new tells nothing."""

CLOSING_INITIATED_ID = frozenset(_REPORT.values())
"""The parent's events that end a child."""

_TOLD = {
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: ("result",),
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: ("failure", "retry_state"),
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: ("details",),
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: (),
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: ("retry_state",),
}


def record_end(parent: ExecutionState, ending: Ending, now: int) -> Transition:
    """Tell the parent how its child ended. Nothing when it no longer waits for that child."""
    child = parent.children.get(ending.initiated_event_id)
    if not parent.running or child is None or not child.started or child.workflow_id != ending.workflow_id:
        return NOTHING
    attributes: dict[str, Any] = {
        "namespace": child.namespace,
        "namespace_id": parent.namespace_id,
        "workflow_execution": {"workflow_id": ending.workflow_id, "run_id": ending.run_id},
        "workflow_type": {"name": child.type_name},
        "initiated_event_id": child.initiated_event_id,
        "started_event_id": child.started_event_id,
        **_present(event_attributes(ending.event), _TOLD[ending.event.event_type]),
    }
    return Transition((new_event(_REPORT[ending.event.event_type], now, attributes),), wakes=True)


def reports(closing: HistoryEvent) -> bool:
    """Whether a child that closed with this event is the last run of its chain, so that its parent has to be told."""
    attributes = event_attributes(closing)
    return closing.event_type in _REPORT and not getattr(attributes, "new_execution_run_id", "")


def reported() -> Transition:
    """The parent knows, or is no longer there to know."""
    return Transition(folds=((on_reported, None, None),))


# -- the parent ends --------------------------------------------------------------------------------------------------


def owed(state: ExecutionState) -> dict[int, Child]:
    """The children that the close of this run has to do something to."""
    return {
        key: child
        for key, child in state.children.items()
        if child.started and child.parent_close_policy != _e.PARENT_CLOSE_POLICY_ABANDON
    }


def settled(child: Child) -> Transition:
    """The close of the parent has been applied to this child."""
    return Transition(folds=((on_settled, child.initiated_event_id, None),))


# -- folds ------------------------------------------------------------------------------------------------------------


def on_initiated(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.start_child_workflow_execution_initiated_event_attributes
    state.children[event.event_id] = Child(
        initiated_event_id=event.event_id,
        namespace=attributes.namespace,
        workflow_id=attributes.workflow_id,
        type_name=attributes.workflow_type.name,
        parent_close_policy=attributes.parent_close_policy,
    )


def on_start_failed(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.start_child_workflow_execution_failed_event_attributes
    state.children.pop(attributes.initiated_event_id, None)


def on_started(state: ExecutionState, event: HistoryEvent) -> None:
    """Also called when a buffered event gets its id, by which time the child may have ended."""
    attributes = event.child_workflow_execution_started_event_attributes
    child = state.children.get(attributes.initiated_event_id)
    if child is not None:
        state.children[child.initiated_event_id] = msgspec.structs.replace(
            child, started_event_id=event.event_id, run_id=attributes.workflow_execution.run_id
        )


def on_closed(state: ExecutionState, event: HistoryEvent) -> None:
    state.children.pop(getattr(event, EVENT_FIELD[event.event_type]).initiated_event_id, None)


def on_parent_closed(state: ExecutionState, event: HistoryEvent) -> None:
    """The run itself closed: what it owes to its children and to its parent stays until it is done."""
    state.owed_children = owed(state)
    state.children = {}
    state.owes_report = bool(state.parent_workflow_id) and reports(event)


def on_settled(state: ExecutionState, initiated_event_id: int, _: None) -> None:
    state.owed_children.pop(initiated_event_id, None)


def on_reported(state: ExecutionState, _: None, __: None) -> None:
    state.owes_report = False
