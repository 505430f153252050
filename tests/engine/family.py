"""Children and requests to others, asked for by a brain and carried out by hand."""

from __future__ import annotations

from typing import Any

from brain import Brain, command, payloads

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.engine.execution import child_workflow
from outlast.engine.execution.draft import Draft
from outlast.engine.execution.events import new_event
from outlast.engine.execution.state import Child, ExecutionState
from outlast.vocab.attributes import EVENT_NAMES

CHILD_RUN_ID = "22222222-2222-4222-8222-222222222222"
ENDINGS: dict[str, tuple[int, dict[str, Any]]] = {
    "completed": (e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, {"result": payloads(b"7")}),
    "failed": (
        e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        {"failure": Failure(message="no"), "retry_state": e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED},
    ),
    "canceled": (e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, {"details": payloads(b"8")}),
    "terminated": (e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, {"reason": "enough"}),
    "timed out": (e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, {"retry_state": e.RETRY_STATE_TIMEOUT}),
}


def start_child(workflow_id: str = "child-1", **attributes: Any) -> Command:
    attributes.setdefault("workflow_type", {"name": "Ship"})
    return command(e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION, workflow_id=workflow_id, **attributes)


def signal_external(workflow_id: str = "other", name: str = "go", run_id: str = "", **attributes: Any) -> Command:
    execution = {"workflow_id": workflow_id, "run_id": run_id}
    return command(
        e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, execution=execution, signal_name=name, **attributes
    )


def cancel_external(workflow_id: str = "other", **attributes: Any) -> Command:
    return command(e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, workflow_id=workflow_id, **attributes)


def child_of(brain: Brain) -> Child:
    """The only pending child."""
    (child,) = brain.state.children.values()
    return child


def initiated(brain: Brain, event_id: int = 0) -> HistoryEvent:
    """The event with this id, or the latest Initiated one."""
    if event_id:
        return brain.events[event_id - 1]
    return next(event for event in reversed(brain.events) if EVENT_NAMES[event.event_type].endswith("Initiated"))


def record_start(brain: Brain, event: HistoryEvent | None = None) -> bool:
    """The child runs; answers whether that was news."""
    draft = brain.draft()
    draft.apply(child_workflow.record_start(draft.state, event or initiated(brain), CHILD_RUN_ID, brain.now))
    brain.keep(draft)
    return draft.changed


def refuse_start(brain: Brain, event: HistoryEvent | None = None) -> bool:
    draft = brain.draft()
    cause = child_workflow.ALREADY_EXISTS
    draft.apply(child_workflow.refuse_start(draft.state, event or initiated(brain), cause, brain.now))
    brain.keep(draft)
    return draft.changed


def record_end(brain: Brain, how: str, initiated_event_id: int = 5, workflow_id: str = "child-1") -> bool:
    event_type, attributes = ENDINGS[how]
    closing = new_event(event_type, brain.now, attributes)
    draft = brain.draft()
    ending = child_workflow.Ending(workflow_id, CHILD_RUN_ID, closing, initiated_event_id)
    draft.apply(child_workflow.record_end(draft.state, ending, brain.now))
    brain.keep(draft)
    return draft.changed


def child_state(brain: Brain) -> ExecutionState:
    """The state of the child that the brain asks for, as its start leaves it."""
    event = initiated(brain)
    attributes = event.start_child_workflow_execution_initiated_event_attributes
    run_id = child_workflow.run_id(brain.state, event.event_id)
    draft = Draft(ExecutionState("namespace-1", attributes.workflow_id, run_id), brain.now)
    draft.apply(child_workflow.begin(brain.state, event, brain.now))
    return draft.finish().state
