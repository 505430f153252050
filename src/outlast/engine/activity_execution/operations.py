"""What operators do to a standalone activity: pause, unpause, reset, other options.

What becomes of the attempts is decided as for activities of workflows (``execution/activity_operations.py``). Stricter
here: what cannot be done in the state that the activity is in is refused, and a request id that was seen before is
answered as the first time. A start delay holds whatever is done to an activity that has not been started yet.

Source: PauseActivityExecution and its kin; rules 3.2.12 and 3.2.13; chasm/lib/activity of Temporal's server.
"""

from __future__ import annotations

from outlast.api.protobuf import FieldMask
from outlast.api.workflowservice.v1 import (
    PauseActivityExecutionRequest,
    ResetActivityExecutionRequest,
    UnpauseActivityExecutionRequest,
    UpdateActivityExecutionOptionsRequest,
)
from outlast.vocab.errors import FailedPrecondition, InvalidArgument
from outlast.vocab.times import from_duration

from ..execution import activity_operations, standalone
from ..execution.draft import Draft
from ..execution.state import Activity, ExecutionState
from ..transition import Transition

_START_DELAY = "start_delay"


def pause(draft: Draft, request: PauseActivityExecutionRequest) -> None:
    """Hand out no further attempt.

    Raises:
        FailedPrecondition: it is closed, paused, to be cancelled or to be reset.
    """
    if _seen(draft, "pause", request.request_id):
        return
    activity = _open(draft.state, "paused")
    _refuse(activity, "paused")
    if activity.paused:
        raise FailedPrecondition(f"activity {activity.activity_id!r} cannot be paused: it is paused already")
    draft.apply(activity_operations.pause(activity, draft.now, identity=request.identity, reason=request.reason))
    _remember(draft, "pause", request.request_id)


def unpause(draft: Draft, request: UnpauseActivityExecutionRequest, delay_ns: int) -> None:
    """Let a paused activity go on after ``delay_ns``, and not before the backoff or the start delay is over.

    Raises:
        FailedPrecondition: it is closed, or not paused.
    """
    if _seen(draft, "unpause", request.request_id):
        return
    activity = _open(draft.state, "unpaused")
    if not activity.paused:
        raise FailedPrecondition(f"activity {activity.activity_id!r} cannot be unpaused: it is not paused")
    delay_ns = max(delay_ns, activity.attempt_scheduled_at - draft.now)
    draft.apply(
        activity_operations.unpause(activity, draft.now, delay_ns=delay_ns, reset_attempts=False, reset_heartbeat=False)
    )
    _remember(draft, "unpause", request.request_id)


def reset(draft: Draft, request: ResetActivityExecutionRequest, delay_ns: int) -> None:
    """Begin anew after ``delay_ns``, without what is left of a backoff; a running attempt goes on and is told.

    Raises:
        FailedPrecondition: it is closed, to be cancelled, or to be reset already.
    """
    if _seen(draft, "reset", request.request_id):
        return
    activity = _open(draft.state, "reset")
    _refuse(activity, "reset")
    if not activity.last_started_at:
        delay_ns = max(delay_ns, _first_at(draft.state) - draft.now)
    draft.apply(
        activity_operations.reset(
            activity,
            draft.now,
            delay_ns=delay_ns,
            reset_heartbeat=request.reset_heartbeat,
            keep_paused=request.keep_paused,
            restore=request.restore_original_options,
        )
    )
    if request.restore_original_options:
        _restore_delay(draft)
    _remember(draft, "reset", request.request_id)


def update_options(draft: Draft, request: UpdateActivityExecutionOptionsRequest) -> None:
    """Change the options that the mask names, or restore the original ones.

    Raises:
        FailedPrecondition: it is closed, to be cancelled or to be reset, or a start delay would come too late.
        InvalidArgument: the mask names what there is not, or the outcome is not what an activity may have.
    """
    if _seen(draft, "update_options", request.request_id):
        return
    activity = _open(draft.state, "given other options")
    _refuse(activity, "given other options")
    if request.restore_original:
        draft.apply(activity_operations.restore_options(activity, draft.now))
        _restore_delay(draft)
    else:
        _change(draft, activity, request)
    _remember(draft, "update_options", request.request_id)


def _change(draft: Draft, activity: Activity, request: UpdateActivityExecutionOptionsRequest) -> None:
    others = FieldMask(paths=[path for path in request.update_mask.paths if path != _START_DELAY])
    delayed = len(others.paths) < len(request.update_mask.paths)
    delay_ns = from_duration(request.activity_options.start_delay)
    if delayed and delay_ns < 0:
        raise InvalidArgument(
            f"options of activity {activity.activity_id!r}: start_delay is below zero; give 0 for none"
        )
    if delayed and not (_first_at(draft.state) > draft.now or (activity.paused and not activity.last_started_at)):
        raise FailedPrecondition(
            f"options of activity {activity.activity_id!r}: start_delay cannot be changed, for the first attempt has "
            "been handed out or is about to be"
        )
    if others.paths or not delayed:
        options = request.activity_options
        draft.apply(activity_operations.update_options(draft.state, activity, options, others, draft.now))
    if delayed:
        _delay(draft, delay_ns)


def _first_at(state: ExecutionState) -> int:
    """Before when the first attempt is not handed out."""
    return state.started_at + standalone.own(state).start_delay_ns


def _restore_delay(draft: Draft) -> None:
    original = draft.state.first_task_at - draft.state.started_at
    if standalone.own(draft.state).start_delay_ns != original and not standalone.activity(draft.state).last_started_at:
        _delay(draft, original)


def _delay(draft: Draft, delay_ns: int) -> None:
    activity = standalone.activity(draft.state)
    draft.apply(activity_operations.delay(activity, draft.now, draft.state.started_at + delay_ns))
    draft.apply(Transition(folds=((standalone.on_delayed, delay_ns, None),)))


# -- what is refused, and what is remembered ---------------------------------------------------------------------


def _open(state: ExecutionState, done: str) -> Activity:
    if not state.running:
        raise FailedPrecondition(f"activity {state.workflow_id!r} run {state.run_id} cannot be {done}: it is closed")
    return standalone.activity(state)


def _refuse(activity: Activity, done: str) -> None:
    if activity.cancel_requested_event_id:
        raise FailedPrecondition(f"activity {activity.activity_id!r} cannot be {done}: its cancellation was requested")
    if activity.operations is not None and activity.operations.reset_requested:
        raise FailedPrecondition(
            f"activity {activity.activity_id!r} cannot be {done}: a reset waits for the running attempt to end"
        )


def _seen(draft: Draft, operation: str, request_id: str) -> bool:
    return bool(request_id) and standalone.own(draft.state).operation_request_ids.get(operation) == request_id


def _remember(draft: Draft, operation: str, request_id: str) -> None:
    if request_id:
        draft.apply(Transition(folds=((standalone.on_operated, operation, request_id),)))
