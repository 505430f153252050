"""Starting a run: what a request must hold, which run an id leads to, and the first event.

Rule 3.5.1: the conflict policy looks at a run that is open, the reuse policy at the last one that is closed. Rule
3.5.5: a request id that was seen before is answered with the run it led to, whatever the policies say.

Source: StartWorkflowExecution, SignalWithStartWorkflowExecution; WorkflowExecutionStarted; rules 3.5 and 3.6.1.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeAlias

from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionRequest
from outlast.vocab import cron, limits, priorities, queues, retry
from outlast.vocab.errors import InvalidArgument, Unimplemented, WorkflowExecutionAlreadyStarted
from outlast.vocab.times import from_duration, from_timestamp, parts

from ..transition import NOTHING, Transition
from . import size
from .events import new_event
from .state import ExecutionState

StartRequest: TypeAlias = StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest

_FAILED = (
    _e.WORKFLOW_EXECUTION_STATUS_FAILED,
    _e.WORKFLOW_EXECUTION_STATUS_CANCELED,
    _e.WORKFLOW_EXECUTION_STATUS_TERMINATED,
    _e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
)
_TIMEOUTS = ("workflow_execution_timeout", "workflow_run_timeout", "workflow_task_timeout")


class Way(Enum):
    """What a start request leads to."""

    NEW = "a new run"
    SAME_REQUEST = "the run that this very request started"
    ATTACHED_REQUEST = "the run that this very request was attached to"
    EXISTING = "the open run"
    REPLACE = "a new run, after the open one is terminated"


def validate(request: StartRequest) -> None:
    """Refuse what no run can be started from.

    Raises:
        InvalidArgument: with the field, the rule and the cure.
        Unimplemented: for a feature that this version lacks.
    """
    subject = f"start of workflow {request.workflow_id!r}"
    _bounded("workflow_id", request.workflow_id, subject)
    _bounded("workflow_type", request.workflow_type.name, subject)
    _bounded("task_queue", request.task_queue.name, subject)
    if len(request.request_id.encode()) > limits.ID_BYTES_MAX:
        raise InvalidArgument(f"{subject}: request_id is longer than {limits.ID_BYTES_MAX} bytes")
    size.check_links(len(request.links), subject)
    if request.memo.ByteSize() > limits.BLOB_BYTES_MAX:
        raise InvalidArgument(
            f"{subject}: the memo takes {request.memo.ByteSize():,} bytes, more than the {limits.BLOB_BYTES_MAX:,} "
            "that a run may have; keep what is large elsewhere"
        )
    for name in (*_TIMEOUTS, "workflow_start_delay"):
        length = getattr(request, name)
        if from_duration(length) < 0 or length.seconds * length.nanos < 0:
            raise InvalidArgument(f"{subject}: {name} is below zero, or half of it; leave it out for no limit")
    if problem := queues.problem(request.task_queue.name) or priorities.problem(request.priority):
        raise InvalidArgument(f"{subject}: {problem}")
    if request.HasField("retry_policy"):
        retry.validate(retry.complete(request.retry_policy), subject)
    if request.cron_schedule and request.HasField("workflow_start_delay"):
        raise InvalidArgument(
            f"{subject}: workflow_start_delay cannot be combined with cron_schedule; give one of them"
        )
    if request.cron_schedule:
        cron.parse(request.cron_schedule)
    _validate_policies(request, subject)
    if isinstance(request, StartWorkflowExecutionRequest):
        on_conflict = request.on_conflict_options
        if on_conflict.attach_completion_callbacks and not on_conflict.attach_request_id:
            raise InvalidArgument(
                f"{subject}: on_conflict_options attach callbacks without the request id; set attach_request_id as well"
            )
    if isinstance(request, StartWorkflowExecutionRequest) and request.completion_callbacks:
        raise Unimplemented(f"{subject}: completion_callbacks are not built in this version of outlast")


def _bounded(name: str, value: str, subject: str) -> None:
    if not value:
        raise InvalidArgument(f"{subject}: {name} is empty; it is required")
    if len(value.encode()) > limits.ID_BYTES_MAX:
        raise InvalidArgument(f"{subject}: {name} is longer than {limits.ID_BYTES_MAX} bytes")


def _validate_policies(request: StartRequest, subject: str) -> None:
    reuse, conflict = request.workflow_id_reuse_policy, request.workflow_id_conflict_policy
    signals = isinstance(request, SignalWithStartWorkflowExecutionRequest)
    if signals and conflict == _e.WORKFLOW_ID_CONFLICT_POLICY_FAIL:
        raise InvalidArgument(f"{subject}: a signal-with-start cannot have the conflict policy FAIL; use USE_EXISTING")
    if conflict and reuse == _e.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
        raise InvalidArgument(
            f"{subject}: the reuse policy TERMINATE_IF_RUNNING cannot be combined with a conflict policy; "
            "use ALLOW_DUPLICATE with TERMINATE_EXISTING"
        )
    if (
        conflict == _e.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
        and reuse == _e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    ):
        raise InvalidArgument(f"{subject}: TERMINATE_EXISTING contradicts REJECT_DUPLICATE; choose one of them")


def route(current: ExecutionState | None, request: StartRequest) -> Way:
    """Decide what the request leads to, given the current run of its workflow id (None when there is none).

    Raises:
        WorkflowExecutionAlreadyStarted: the policies forbid another run.
    """
    if current is None:
        return Way.NEW
    if request.request_id:
        if request.request_id == current.start_request_id:
            return Way.SAME_REQUEST
        if request.request_id in current.attached_request_ids:
            return Way.ATTACHED_REQUEST
    reuse, conflict = request.workflow_id_reuse_policy, request.workflow_id_conflict_policy
    if reuse == _e.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
        reuse = _e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
        conflict = _e.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
    if not conflict:
        signals = isinstance(request, SignalWithStartWorkflowExecutionRequest)
        conflict = _e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING if signals else _e.WORKFLOW_ID_CONFLICT_POLICY_FAIL
    if current.running:
        if conflict == _e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING:
            return Way.EXISTING
        if conflict == _e.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
            return Way.REPLACE
        raise _already_started(current, "is already running; wait for it, or choose a conflict policy")
    if reuse == _e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
        raise _already_started(current, "has run before, and the reuse policy REJECT_DUPLICATE forbids another run")
    if reuse == _e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY and current.status not in _FAILED:
        raise _already_started(
            current, "did not fail, and the reuse policy ALLOW_DUPLICATE_FAILED_ONLY forbids another run"
        )
    return Way.NEW


def _already_started(current: ExecutionState, why: str) -> WorkflowExecutionAlreadyStarted:
    return WorkflowExecutionAlreadyStarted(
        f"workflow {current.workflow_id!r} (run {current.run_id}) {why}",
        start_request_id=current.start_request_id,
        run_id=current.run_id,
        first_execution_run_id=current.first_run_id,
    )


def begin(
    request: StartRequest,
    now: int,
    *,
    run_id: str,
    eager: bool = False,
    search_attributes: SearchAttributes | None = None,
) -> Transition:
    """The first event of a run that a caller asked for, with the server's defaults filled in.

    Args:
        search_attributes: the request's, checked and with their types; None takes them as they are.
    """
    execution, run, task = effective_timeouts(*(from_duration(getattr(request, name)) for name in _TIMEOUTS))
    delay = from_duration(request.workflow_start_delay) or cron.backoff_ns(request.cron_schedule, now, now)
    attributes: dict[str, Any] = {
        "workflow_type": request.workflow_type,
        "task_queue": {"name": request.task_queue.name, "kind": _e.TASK_QUEUE_KIND_NORMAL},
        "workflow_task_timeout": parts(task),
        "original_execution_run_id": run_id,
        "first_execution_run_id": run_id,
        "identity": request.identity,
        "attempt": 1,
        "cron_schedule": request.cron_schedule,
        "first_workflow_task_backoff": parts(delay),
        "workflow_id": request.workflow_id,
        "eager_execution_accepted": eager,
    }
    if execution:
        attributes["workflow_execution_timeout"] = parts(execution)
        attributes["workflow_execution_expiration_time"] = parts(now + delay + execution)
    if run:
        attributes["workflow_run_timeout"] = parts(run)
    if request.HasField("retry_policy"):
        attributes["retry_policy"] = retry.complete(request.retry_policy)
    for name in ("input", "memo", "search_attributes", "header", "priority", "versioning_override"):
        if request.HasField(name):
            attributes[name] = getattr(request, name)
    if isinstance(request, StartWorkflowExecutionRequest):
        if request.HasField("last_completion_result"):
            attributes["last_completion_result"] = request.last_completion_result
        if request.HasField("continued_failure"):
            attributes["continued_failure"] = request.continued_failure
    if search_attributes is not None and request.HasField("search_attributes"):
        attributes["search_attributes"] = search_attributes
    event_fields: dict[str, Any] = {}
    if request.HasField("user_metadata"):
        event_fields["user_metadata"] = request.user_metadata
    if request.links:
        event_fields["links"] = request.links
    event = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, now, attributes, **event_fields)
    return Transition((event,), folds=((on_request, request.request_id, None),), wakes=True)


def effective_timeouts(execution_ns: int, run_ns: int, task_ns: int) -> tuple[int, int, int]:
    """Fill in and cap the timeouts: task 10 s by default and 120 s at most; run within execution; task within run."""
    run_ns = min(filter(None, (execution_ns, run_ns)), default=0)
    task_ns = min(task_ns or limits.WORKFLOW_TASK_TIMEOUT_DEFAULT_NS, limits.WORKFLOW_TASK_TIMEOUT_MAX_NS)
    return execution_ns, run_ns, min(task_ns, run_ns) if run_ns else task_ns


def attach(state: ExecutionState, request: StartRequest, now: int) -> Transition:
    """USE_EXISTING with ``on_conflict_options``: attach the request id (and links) to the open run."""
    if not isinstance(request, StartWorkflowExecutionRequest) or not request.HasField("on_conflict_options"):
        return NOTHING
    options = request.on_conflict_options
    if options.attach_completion_callbacks:
        raise Unimplemented(
            f"start of workflow {request.workflow_id!r}: attach_completion_callbacks is not built in this version of "
            "outlast"
        )
    attributes: dict[str, Any] = {"identity": request.identity}
    if options.attach_request_id:
        attributes["attached_request_id"] = request.request_id
    if len(attributes) == 1 and not options.attach_links:
        return NOTHING
    event_fields = {"links": request.links} if options.attach_links and request.links else {}
    event = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED, now, attributes, **event_fields)
    return Transition((event,))


def on_request(state: ExecutionState, request_id: str, _: None) -> None:
    state.start_request_id = request_id


def on_started(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_started_event_attributes
    at = from_timestamp(event.event_time)
    backoff = from_duration(attributes.first_workflow_task_backoff)
    state.workflow_type = attributes.workflow_type.name
    state.queue = attributes.task_queue.name
    state.first_run_id = attributes.first_execution_run_id
    state.original_run_id = attributes.original_execution_run_id
    state.attempt = attributes.attempt
    state.started_at = state.original_started_at = at
    state.first_task_at = at + backoff
    state.first_task_pending = backoff > 0
    state.execution_timeout_ns = from_duration(attributes.workflow_execution_timeout)
    state.run_timeout_ns = from_duration(attributes.workflow_run_timeout)
    state.task_timeout_ns = from_duration(attributes.workflow_task_timeout)
    if attributes.HasField("workflow_execution_expiration_time"):
        state.execution_expires_at = from_timestamp(attributes.workflow_execution_expiration_time)
    if state.run_timeout_ns:
        expires_at = at + backoff + state.run_timeout_ns
        state.run_expires_at = min(expires_at, state.execution_expires_at or expires_at)
    if attributes.HasField("retry_policy"):
        state.retry_policy = attributes.retry_policy.SerializeToString()
    state.cron_schedule = attributes.cron_schedule
    state.memo = attributes.memo.SerializeToString(deterministic=True)
    state.search_attributes = attributes.search_attributes.SerializeToString(deterministic=True)
    state.user_metadata = event.user_metadata.SerializeToString()
    state.priority = attributes.priority.SerializeToString()
    state.versioning_override = attributes.versioning_override.SerializeToString()
    state.reset_points = attributes.prev_auto_reset_points.SerializeToString()
    state.parent_workflow_id = attributes.parent_workflow_execution.workflow_id
    state.parent_run_id = attributes.parent_workflow_execution.run_id
    state.parent_namespace_id = attributes.parent_workflow_namespace_id
    state.parent_initiated_event_id = attributes.parent_initiated_event_id
    # A workflow without a parent is its own root, and its history does not say so.
    state.root_workflow_id = attributes.root_workflow_execution.workflow_id or state.workflow_id
    state.root_run_id = attributes.root_workflow_execution.run_id or state.run_id
