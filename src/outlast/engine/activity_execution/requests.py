"""What is asked of a standalone activity that there is: to cancel itself, to end, to go.

A request id that was seen before is answered as the first time, also when the activity has closed since.

Source: RequestCancelActivityExecution, TerminateActivityExecution; rule 3.3.1.
"""

from __future__ import annotations

import json

from outlast.api.common.v1 import Payloads
from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import RequestCancelActivityExecutionRequest, TerminateActivityExecutionRequest
from outlast.vocab import limits
from outlast.vocab.errors import FailedPrecondition, InvalidArgument

from ..execution import activity as activities
from ..execution import advance, standalone
from ..execution.draft import Draft
from ..execution.events import new_event
from ..execution.state import ExecutionState
from ..transition import NOTHING, Transition


def check(request: RequestCancelActivityExecutionRequest | TerminateActivityExecutionRequest) -> None:
    """Refuse what is too long to be kept.

    Raises:
        InvalidArgument: with the field, the rule and the cure.
    """
    subject = type(request).DESCRIPTOR.name
    for name in ("request_id", "identity"):
        if len(getattr(request, name).encode()) > limits.ID_BYTES_MAX:
            raise InvalidArgument(f"{subject}: {name} is longer than {limits.ID_BYTES_MAX} bytes")
    if len(request.reason.encode()) > limits.BLOB_BYTES_MAX:
        raise InvalidArgument(f"{subject}: reason is longer than {limits.BLOB_BYTES_MAX:,} bytes; shorten it")


def request_cancel(state: ExecutionState, request: RequestCancelActivityExecutionRequest, now: int) -> Transition:
    """Ask a running attempt to cancel itself; an activity that no worker has is cancelled at once.

    Raises:
        FailedPrecondition: it is closed, or another request has asked before.
    """
    own = standalone.own(state)
    if own.cancel_request_id == request.request_id:
        return NOTHING
    _require_open(state)
    activity = standalone.activity(state)
    if activity.cancel_requested_event_id:
        raise FailedPrecondition(
            f"activity {state.workflow_id!r}: its cancellation was requested before, by request "
            f"{own.cancel_request_id!r}; wait for it, or terminate it"
        )
    requested = new_event(
        _e.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, now, {"scheduled_event_id": activity.scheduled_event_id}
    )
    who = (request.request_id, request.identity, request.reason)
    folds = ((standalone.on_cancel_requested, who, None),)
    if activity.started:
        return Transition((requested,), folds=folds)
    reason = Payloads()
    reason.payloads.add(metadata={"encoding": b"json/plain"}, data=json.dumps(request.reason).encode())
    ended = activities.canceled(activity, now, state.next_event_id, reason, request.identity)
    return Transition((requested, *ended.events), folds=folds, wakes=True)


def terminate(draft: Draft, request: TerminateActivityExecutionRequest) -> None:
    """End the activity without asking its worker.

    Raises:
        FailedPrecondition: it is closed, unless this very request has ended it.
    """
    state = draft.state
    if standalone.own(state).terminate_request_id == request.request_id:
        return
    _require_open(state)
    advance.terminate(draft, reason=request.reason, identity=request.identity)
    draft.apply(Transition(folds=((standalone.on_terminated, request.request_id, None),)))


def _require_open(state: ExecutionState) -> None:
    if not state.running:
        status = _e.ActivityExecutionStatus.Name(standalone.status(state)).removeprefix("ACTIVITY_EXECUTION_STATUS_")
        raise FailedPrecondition(
            f"activity {state.workflow_id!r} run {state.run_id} is closed ({status}); nothing can be asked of it"
        )
