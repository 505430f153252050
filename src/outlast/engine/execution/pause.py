"""Pausing a run: nobody gets work of it until it is unpaused.

    running --pause--> paused --unpause--> running
       |                  |
       +------ close -----+

While a run is paused no workflow task is scheduled, and no activity is handed out. Time goes on: timers fire, deadlines
pass. Signals, cancel requests and results are recorded and wait. Queries and updates are refused, for nobody would
answer them. Whoever has a task or an attempt may finish it; a workflow task that no worker has is taken back.

Rule: the gates stand in ``Draft``, which schedules no workflow task and lets no offer of an activity through, and in
``activity.start``, for offers that were made before. The end of the pause makes all offers anew.

Source: PauseWorkflowExecution, UnpauseWorkflowExecution; WorkflowExecution{Paused,Unpaused} events; rule 3.6.9.
"""

from __future__ import annotations

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import limits
from outlast.vocab.errors import FailedPrecondition, InvalidArgument
from outlast.vocab.times import from_timestamp

from ..transition import NOTHING, Transition
from . import activity, pause_info, workflow_task
from .events import new_event
from .state import PAUSED, RUNNING, ExecutionState, Pause


def check(subject: str, *, reason: str, request_id: str, identity: str) -> None:
    """Refuse words that are too long to be kept.

    Raises:
        InvalidArgument: with the field.
    """
    for name, value in (("reason", reason), ("request_id", request_id), ("identity", identity)):
        if len(value.encode()) > limits.ID_BYTES_MAX:
            raise InvalidArgument(f"{subject}: {name} is longer than {limits.ID_BYTES_MAX} bytes")


def pause(state: ExecutionState, now: int, *, reason: str, request_id: str, identity: str) -> Transition:
    """Pause an open run; nothing when this very request has paused it.

    Raises:
        FailedPrecondition: another request has.
    """
    if state.paused:
        assert state.pause is not None
        if request_id and request_id == state.pause.request_id:
            return NOTHING
        raise FailedPrecondition(
            f"workflow is already paused: workflow {state.workflow_id!r} run {state.run_id}, by "
            f"{state.pause.identity!r}; unpause it before pausing it again"
        )
    withdrawn = workflow_task.withdraw(state, now)
    attributes = {"identity": identity, "reason": reason, "request_id": request_id}
    paused = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED, now, attributes, worker_may_ignore=True)
    return Transition((*withdrawn.events, paused), folds=withdrawn.folds)


def unpause(state: ExecutionState, now: int, *, reason: str, request_id: str, identity: str) -> Transition:
    """Let a paused run go on; nothing when this very request has done so.

    Raises:
        FailedPrecondition: it is not paused.
    """
    if not state.paused:
        if request_id and state.request_ids.get(request_id) == _e.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED:
            return NOTHING
        raise FailedPrecondition(f"workflow is not paused: workflow {state.workflow_id!r} run {state.run_id}")
    attributes = {"identity": identity, "reason": reason, "request_id": request_id}
    unpaused = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED, now, attributes, worker_may_ignore=True)
    offers = tuple(activity.offer(pending) for pending in state.activities.values() if pending.on_offer)
    return Transition((unpaused,), offers, wakes=True)


def on_paused(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_paused_event_attributes
    state.status = PAUSED
    state.pause = Pause(from_timestamp(event.event_time), attributes.identity, attributes.reason, attributes.request_id)
    pause_info.show(state)


def on_unpaused(state: ExecutionState, event: HistoryEvent) -> None:
    state.status = RUNNING
    state.pause = None
    pause_info.show(state)
    request_id = event.workflow_execution_unpaused_event_attributes.request_id
    if request_id:
        state.request_ids[request_id] = event.event_type
        if len(state.request_ids) > limits.REQUEST_IDS_MAX:
            del state.request_ids[next(iter(state.request_ids))]
