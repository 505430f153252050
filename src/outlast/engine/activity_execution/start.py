"""Starting a standalone activity: what a request must hold, which run an id leads to, and the first two events.

The conflict policy looks at a run that is open, the reuse policy at the last one that is closed. A request id that was
seen before is answered with the run it led to.

Source: StartActivityExecution; rules 3.1.1, 3.2.1 and 3.2.13; chasm/lib/activity of Temporal's server.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from outlast.api.command.v1 import ScheduleActivityTaskCommandAttributes
from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import StartActivityExecutionRequest
from outlast.vocab import limits
from outlast.vocab.errors import ActivityExecutionAlreadyStarted, InvalidArgument, Unimplemented
from outlast.vocab.times import from_duration, parts

from ..command import BadCommand
from ..effects import OfferActivityTask
from ..execution import activity_options, size, standalone
from ..execution.events import new_event
from ..execution.start import on_request
from ..execution.state import ExecutionState, Standalone
from ..transition import NOTHING, Transition

_SCHEDULED_EVENT_ID: Final = 2
_TIMEOUTS: Final = (
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "start_to_close_timeout",
    "heartbeat_timeout",
)
_POLICIES: Final = {"id_reuse_policy": _e.ActivityIdReusePolicy, "id_conflict_policy": _e.ActivityIdConflictPolicy}
_FAILED: Final = (
    _e.WORKFLOW_EXECUTION_STATUS_FAILED,
    _e.WORKFLOW_EXECUTION_STATUS_CANCELED,
    _e.WORKFLOW_EXECUTION_STATUS_TERMINATED,
    _e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
)


class Way(Enum):
    """What a start request leads to."""

    NEW = "a new run"
    SAME_REQUEST = "the run that this very request started, or was attached to"
    EXISTING = "the open run"


def validate(request: StartActivityExecutionRequest) -> None:
    """Refuse what no activity can be started from.

    Raises:
        InvalidArgument: with the field, the rule and the cure.
        Unimplemented: for a feature that this version lacks.
    """
    subject = _subject(request)
    _bounded("activity_id", request.activity_id, subject)
    _bounded("activity_type", request.activity_type.name, subject)
    _bounded("task_queue", request.task_queue.name, subject)
    for name in ("request_id", "identity"):
        if len(getattr(request, name).encode()) > limits.ID_BYTES_MAX:
            raise InvalidArgument(f"{subject}: {name} is longer than {limits.ID_BYTES_MAX} bytes")
    for name, policies in _POLICIES.items():
        if getattr(request, name) not in policies.values():
            raise InvalidArgument(f"{subject}: {name} {getattr(request, name)} is none that there is")
    if from_duration(request.start_delay) < 0:
        raise InvalidArgument(f"{subject}: start_delay is below zero; leave it out for none")
    size.check_request(request.user_metadata, len(request.links), subject)
    if request.completion_callbacks or request.on_conflict_options.attach_completion_callbacks:
        raise Unimplemented(f"{subject}: completion_callbacks are not built in this version of outlast")
    if request.on_conflict_options.attach_request_id and not request.links:
        raise InvalidArgument(
            f"{subject}: on_conflict_options has attach_request_id and nothing to attach with it; give links"
        )
    _options(request)


def _subject(request: StartActivityExecutionRequest) -> str:
    return f"start of activity {request.activity_id!r}"


def _bounded(name: str, value: str, subject: str) -> None:
    if not value:
        raise InvalidArgument(f"{subject}: {name} is empty; it is required")
    if len(value.encode()) > limits.ID_BYTES_MAX:
        raise InvalidArgument(f"{subject}: {name} is longer than {limits.ID_BYTES_MAX} bytes")


def _options(request: StartActivityExecutionRequest) -> activity_options.Options:
    """The options with the server's defaults, as a workflow's command with them would have come out."""
    command = ScheduleActivityTaskCommandAttributes(activity_type=request.activity_type)
    command.task_queue.name = request.task_queue.name
    for name in (*_TIMEOUTS, "retry_policy", "priority"):
        if request.HasField(name):
            getattr(command, name).CopyFrom(getattr(request, name))
    try:
        return activity_options.of(command, "", 0)
    except BadCommand as error:
        raise InvalidArgument(f"{_subject(request)}: {error}") from error


def route(current: ExecutionState | None, request: StartActivityExecutionRequest) -> Way:
    """Decide what the request leads to, given the current run of its activity id (None when there is none).

    Raises:
        ActivityExecutionAlreadyStarted: the policies forbid another run.
    """
    if current is None:
        return Way.NEW
    if request.request_id and (
        request.request_id == current.start_request_id or request.request_id in current.attached_request_ids
    ):
        return Way.SAME_REQUEST
    if current.running:
        if request.id_conflict_policy == _e.ACTIVITY_ID_CONFLICT_POLICY_USE_EXISTING:
            return Way.EXISTING
        raise _already_started(current, "is already running; wait for it, or choose the conflict policy USE_EXISTING")
    if request.id_reuse_policy == _e.ACTIVITY_ID_REUSE_POLICY_REJECT_DUPLICATE:
        raise _already_started(current, "has run before, and the reuse policy REJECT_DUPLICATE forbids another run")
    failed_only = request.id_reuse_policy == _e.ACTIVITY_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
    if failed_only and current.status not in _FAILED:
        raise _already_started(
            current, "did not fail, and the reuse policy ALLOW_DUPLICATE_FAILED_ONLY forbids another run"
        )
    return Way.NEW


def _already_started(current: ExecutionState, why: str) -> ActivityExecutionAlreadyStarted:
    return ActivityExecutionAlreadyStarted(
        f"activity {current.workflow_id!r} (run {current.run_id}) {why}",
        start_request_id=current.start_request_id,
        run_id=current.run_id,
    )


def begin(
    request: StartActivityExecutionRequest, now: int, *, run_id: str, search_attributes: SearchAttributes
) -> Transition:
    """The first events of a run, and the offer of its first attempt unless that is delayed.

    Args:
        search_attributes: the request's, checked and with their types.
    """
    delay_ns = from_duration(request.start_delay)
    options = _options(request)
    started = _started(request, now, run_id, search_attributes)
    scheduled = HistoryEvent.FromString(options.event)
    # All the activity's clocks begin when the delay is over.
    scheduled.event_time.MergeFrom(type(scheduled.event_time)(**parts(now + delay_ns)))
    attributes = scheduled.activity_task_scheduled_event_attributes
    attributes.activity_id = request.activity_id
    for name in ("input", "header"):
        if request.HasField(name):
            getattr(attributes, name).CopyFrom(getattr(request, name))
    first = OfferActivityTask(options.queue, _SCHEDULED_EVENT_ID, 1, options.priority_key)
    return Transition(
        (started, scheduled),
        () if delay_ns else (first,),
        (
            (on_request, request.request_id, None),
            (standalone.on_begun, Standalone(start_delay_ns=delay_ns, links=len(request.links)), None),
        ),
    )


def _started(
    request: StartActivityExecutionRequest, now: int, run_id: str, search_attributes: SearchAttributes
) -> HistoryEvent:
    attributes: dict[str, Any] = {
        "workflow_id": request.activity_id,
        "workflow_type": {"name": request.activity_type.name},
        "task_queue": {"name": request.task_queue.name, "kind": _e.TASK_QUEUE_KIND_NORMAL},
        "original_execution_run_id": run_id,
        "first_execution_run_id": run_id,
        "identity": request.identity,
        "attempt": 1,
        "first_workflow_task_backoff": parts(from_duration(request.start_delay)),
        "root_workflow_execution": {"workflow_id": request.activity_id, "run_id": run_id},
        "search_attributes": search_attributes,
    }
    event_fields: dict[str, Any] = {}
    if request.HasField("user_metadata"):
        event_fields["user_metadata"] = request.user_metadata
    if request.links:
        event_fields["links"] = request.links
    return new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, now, attributes, **event_fields)


def attach(state: ExecutionState, request: StartActivityExecutionRequest, now: int) -> Transition:
    """USE_EXISTING with ``on_conflict_options``: attach the links, and the request id with them, to the open run.

    Raises:
        InvalidArgument: the run would have more links than are kept.
    """
    options = request.on_conflict_options
    if not (options.attach_links and request.links):
        return NOTHING
    links = standalone.own(state).links + len(request.links)
    if links > limits.ACTIVITY_LINKS_MAX:
        raise InvalidArgument(
            f"{_subject(request)}: it would have {links} links, more than the {limits.ACTIVITY_LINKS_MAX:,} that are "
            "kept; leave attach_links out"
        )
    attributes: dict[str, Any] = {"identity": request.identity, "attached_request_id": request.request_id}
    attached = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED, now, attributes, links=request.links)
    return Transition((attached,), folds=((standalone.on_linked, links, None),))
