"""ResetWorkflowExecution: a new run that shares a history's beginning, and hears again what came later.

    base:  1 ... scheduled started | completed ...            (closed: terminated if it was open)
    new:   1 ... scheduled started | failed (RESET_WORKFLOW)  signals and updates of later  scheduled

What is heard again are signals, updates (admitted, for the new code has not seen them), attached requests, and what
became of children that are pending at the point: of the base behind the point and of the runs that continued it as new.
Cancel requests and terminations are not (rule 3.7.3). Pending children now answer to the new run.

Source: ResetWorkflowExecution; rules 3.7.1 to 3.7.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflow.v1 import PostResetOperation
from outlast.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from outlast.vocab.attributes import event_attributes
from outlast.vocab.errors import InvalidArgument, Unimplemented

from ..transition import NOTHING, Transition
from . import child_workflow, options, reset_point, start, tables
from .draft import Draft
from .events import new_event
from .state import ExecutionState

_EXCLUDED_BY_TYPE = {
    _e.RESET_REAPPLY_TYPE_SIGNAL: (_e.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,),
    _e.RESET_REAPPLY_TYPE_NONE: (_e.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, _e.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE),
}
"""What the older field ``reset_reapply_type`` leaves out."""


def validate(request: ResetWorkflowExecutionRequest, base: ExecutionState, end: int) -> None:
    """Refuse a point that cannot be one.

    Args:
        end: the id after the last event that the base's history has or is about to have.

    Raises:
        InvalidArgument: the point lies outside of the history.
        Unimplemented: for an operation after the reset that this version lacks.
    """
    point = request.workflow_task_finish_event_id
    if not 1 < point <= end:
        raise InvalidArgument(
            f"{_subject(base)}: workflow_task_finish_event_id {point} is outside of the history; give the id of a "
            f"WorkflowTaskCompleted, WorkflowTaskFailed or WorkflowTaskTimedOut event, 2 to {end}"
        )
    for operation in request.post_reset_operations:
        variant = operation.WhichOneof("variant")
        if variant == "update_workflow_options":
            changes = operation.update_workflow_options
            options.check(_subject(base), changes.workflow_execution_options, changes.update_mask)
        elif variant != "signal_workflow":
            raise Unimplemented(
                f"{_subject(base)}: the post_reset_operation {variant} is not built in this version of outlast; "
                "signal_workflow and update_workflow_options are"
            )


def begin(
    draft: Draft,
    request: ResetWorkflowExecutionRequest,
    base: ExecutionState,
    history: Sequence[HistoryEvent],
    later: Iterable[HistoryEvent],
) -> None:
    """Make the draft of a new run the reset of ``base``.

    Args:
        history: the base's events from the first to the point at least.
        later: what came after the point, in the base and the runs that continued it as new, in order.

    Raises:
        InvalidArgument: no workflow task is open at the point.
    """
    point = request.workflow_task_finish_event_id
    draft.apply(Transition(tuple(_copy(event) for event in history if event.event_id < point)))
    if draft.state.task is None:
        raise InvalidArgument(
            f"{_subject(base)}: no workflow task is open before event {point}; give the id of a "
            "WorkflowTaskCompleted, WorkflowTaskFailed or WorkflowTaskTimedOut event"
        )
    pending = draft.state.activities
    started = frozenset(
        event.activity_task_started_event_attributes.scheduled_event_id
        for event in draft.events
        if event.event_type == _e.EVENT_TYPE_ACTIVITY_TASK_STARTED
    ).intersection(pending)
    draft.apply(Transition(folds=((start.on_request, request.request_id, None),)))
    draft.apply(
        reset_point.fail_task(
            draft.state, draft.now, base_run_id=base.run_id, reason=request.reason, identity=request.identity
        )
    )
    draft.apply(reset_point.end_activities(draft.state, started, draft.now, reason=request.reason))
    excluded = {*request.reset_reapply_exclude_types, *_EXCLUDED_BY_TYPE.get(request.reset_reapply_type, ())}
    for event in later:
        draft.apply(again(draft.state, event, draft.now, excluded))
    for operation in request.post_reset_operations:
        draft.apply(_operate(draft.state, operation, request, draft.now))
    draft.schedule_task()


def again(state: ExecutionState, event: HistoryEvent, now: int, excluded: Iterable[int]) -> Transition:
    """What a later event of the base is in the new run; nothing for most."""
    if event.event_type in _CHILDREN:
        attributes: Any = event_attributes(event)
        waits = attributes.initiated_event_id in state.children
        return Transition((_same(event, now),)) if waits else NOTHING
    retold = _RETOLD.get(event.event_type)
    if retold is None:
        return NOTHING
    kind, tell = retold
    if kind in excluded:
        return NOTHING
    told = tell(event, now)
    return Transition((told,)) if told is not None and told.event_type in tables.ON_EVENT else NOTHING


def _same(event: HistoryEvent, now: int) -> HistoryEvent:
    told = _copy(event)
    told.event_id = 0
    told.event_time.seconds, told.event_time.nanos = divmod(now, 1_000_000_000)
    return told


def _admitted(event: HistoryEvent, now: int) -> HistoryEvent | None:
    """The request of an accepted or admitted update. An acceptance after an admission does not carry it again."""
    if event.event_type == _e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
        request = event.workflow_execution_update_admitted_event_attributes.request
    else:
        accepted = event.workflow_execution_update_accepted_event_attributes
        if not accepted.HasField("accepted_request"):
            return None
        request = accepted.accepted_request
    attributes = {"request": request, "origin": _e.UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY}
    return new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED, now, attributes)


_Tell = Callable[[HistoryEvent, int], "HistoryEvent | None"]

_RETOLD: Mapping[int, tuple[int, _Tell]] = {
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: (_e.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, _same),
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: (_e.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE, _admitted),
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: (_e.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE, _admitted),
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: (_e.RESET_REAPPLY_EXCLUDE_TYPE_UNSPECIFIED, _same),
}
"""Event type -> what excludes it, and what it becomes."""

_CHILDREN = frozenset({_e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, *child_workflow.CLOSING_INITIATED_ID})


def _operate(
    state: ExecutionState, operation: PostResetOperation, request: ResetWorkflowExecutionRequest, now: int
) -> Transition:
    if operation.HasField("update_workflow_options"):
        changes = operation.update_workflow_options
        return options.update(state, changes.workflow_execution_options, changes.update_mask, now, request.identity)
    signal = operation.signal_workflow
    attributes: dict[str, Any] = {"signal_name": signal.signal_name, "identity": request.identity}
    for name in ("input", "header"):
        if signal.HasField(name):
            attributes[name] = getattr(signal, name)
    links = {"links": signal.links} if signal.links else {}
    return Transition((new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, now, attributes, **links),))


def _copy(event: HistoryEvent) -> HistoryEvent:
    copied = HistoryEvent()
    copied.CopyFrom(event)
    return copied


def _subject(base: ExecutionState) -> str:
    return f"reset of workflow {base.workflow_id!r} run {base.run_id}"
