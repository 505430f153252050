"""Batch operations: one request done to each of many workflows, or of many standalone activities, at a limited rate.

    running --all done--> completed
       |  \\
       |   +--the query cannot be read any more--> failed
       +--stop--> failed

A job is two values: what was asked (``Job``, kept once) and how far it is (``Progress``, kept after each page). A page
that was begun and not kept is done again after a crash. That is harmless: what is done to a workflow carries a request
id that follows from the job and the workflow, and what is closed or gone already counts as done. An activity is named
as a workflow is, with its own id in place of the workflow's.

Source: StartBatchOperation and its kin; rules 3.7.5 and 3.13.7; service/worker/batcher of Temporal's server.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from google.protobuf.message import Message

from outlast.api.batch.v1 import BatchOperationInfo, BatchOperationReset
from outlast.api.common.v1 import Execution, WorkflowExecution
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflow.v1 import ResetPoints
from outlast.api.workflowservice import v1 as _messages
from outlast.api.workflowservice.v1 import DescribeBatchOperationResponse, StartBatchOperationRequest
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument, NotFound
from outlast.vocab.times import SECOND_NS, timestamp

_replace = msgspec.structs.replace


class Job(msgspec.Struct, frozen=True, array_like=True):
    """What was asked for."""

    job_id: str
    request: bytes
    """The StartBatchOperationRequest."""
    started_at: int
    total: int
    """The executions that were found or named when it began."""


class Progress(msgspec.Struct, frozen=True, array_like=True):
    """How far a job is."""

    state: int = _e.BATCH_OPERATION_STATE_RUNNING
    closed_at: int = 0
    done: int = 0
    failed: int = 0
    taken: int = 0
    """How many of the executions named are on pages that are finished."""
    page_token: bytes = b""
    """Of the next page of those that the query finds."""
    stop_reason: str = ""
    stop_identity: str = ""

    @property
    def running(self) -> bool:
        return self.state == _e.BATCH_OPERATION_STATE_RUNNING


# -- what is asked -----------------------------------------------------------------------------------------------


def check(request: StartBatchOperationRequest) -> None:
    """Refuse a request that no job can come of.

    Raises:
        InvalidArgument: an id, reason, operation or choice of workflows that is missing or cannot be.
    """
    subject = f"StartBatchOperation {request.job_id!r}"
    if not 1 <= len(request.job_id.encode()) <= limits.ID_BYTES_MAX:
        raise InvalidArgument(f"{subject}: job_id must have 1 to {limits.ID_BYTES_MAX} bytes; a UUID is a good one")
    if not request.reason:
        raise InvalidArgument(f"{subject}: reason is empty; say why")
    if request.WhichOneof("operation") is None:
        raise InvalidArgument(f"{subject}: no operation is given; set one, such as termination_operation")
    named = len(request.executions) + len(request.target_executions)
    if bool(request.visibility_query) == bool(named):
        raise InvalidArgument(f"{subject}: give either a visibility_query or executions, and not both")
    if named > limits.BATCH_EXECUTIONS_MAX:
        raise InvalidArgument(
            f"{subject}: {named} executions are named, the most is {limits.BATCH_EXECUTIONS_MAX}; use a "
            "visibility_query, or several jobs"
        )
    for execution in executions(request):
        if not execution.workflow_id:
            noun = "activity" if over_activities(request) else "workflow"
            raise InvalidArgument(f"{subject}: an execution has no {noun} id; give one")
    if request.max_operations_per_second < 0 or not math.isfinite(request.max_operations_per_second):
        raise InvalidArgument(f"{subject}: max_operations_per_second is below zero; leave it out for the default")
    operation = _operation(request)
    for target in request.target_executions:
        if target.type not in operation.targets:
            names = _e.ExecutionType.DESCRIPTOR.values_by_number
            given = names[target.type].name if target.type in names else target.type
            wanted = names[operation.targets[0]].name
            raise InvalidArgument(f"{subject}: a target_execution is {given}, but the operation is for {wanted}")
    operation.check(subject, _chosen(request))


def over_activities(request: StartBatchOperationRequest) -> bool:
    """Whether the job goes over standalone activities; else over workflows."""
    return _operation(request).targets is _ACTIVITY


def executions(request: StartBatchOperationRequest) -> list[WorkflowExecution]:
    """The workflows or activities that the request names, in its order."""
    targets = [
        WorkflowExecution(workflow_id=each.business_id, run_id=each.run_id) for each in request.target_executions
    ]
    return [*request.executions, *targets]


def rate(request: StartBatchOperationRequest) -> float:
    """Operations a second: what was asked for, within what the server allows."""
    return min(request.max_operations_per_second or limits.BATCH_RATE_MAX, limits.BATCH_RATE_MAX)


# -- what is done to one execution --------------------------------------------------------------------------------


def rpc(request: StartBatchOperationRequest) -> str:
    """The RPC of WorkflowService that is called for each execution."""
    return _operation(request).rpc


def resets(request: StartBatchOperationRequest) -> bool:
    """Whether ``call`` has to be told at which event."""
    return request.WhichOneof("operation") == "reset_operation"


def call(request: StartBatchOperationRequest, execution: WorkflowExecution, event_id: int = 0) -> Message:
    """The request of that RPC for one execution; equal on every try.

    Args:
        event_id: where a reset begins anew, see ``reset_event_id``.
    """
    operation = _operation(request)
    chosen = _chosen(request)
    message: Any = getattr(_messages, f"{operation.rpc}Request")()
    fields = message.DESCRIPTOR.fields_by_name
    message.namespace = request.namespace
    if over_activities(request):
        message.activity_id, message.run_id = execution.workflow_id, execution.run_id
    else:
        getattr(message, operation.execution).CopyFrom(execution)
    if "identity" in fields:
        message.identity = chosen.identity
    if "request_id" in fields:
        message.request_id = f"{request.job_id}/{execution.workflow_id}/{execution.run_id}"
    if "reason" in fields and "reason" not in operation.fields:
        message.reason = request.reason
    for theirs, ours in operation.fields.items():
        _copy(chosen, theirs, message, ours)
    if event_id:
        message.workflow_task_finish_event_id = event_id
        message.reset_reapply_type = chosen.options.reset_reapply_type or chosen.reset_reapply_type
        message.reset_reapply_exclude_types.extend(chosen.options.reset_reapply_exclude_types)
    return cast(Message, message)


def _copy(source: Any, theirs: str, target: Any, ours: str) -> None:
    """Copy a field that is set."""
    field = source.DESCRIPTOR.fields_by_name[theirs]
    value = getattr(source, theirs)
    if field.is_repeated:
        getattr(target, ours).extend(value)
    elif field.message_type is not None:
        if source.HasField(theirs):
            getattr(target, ours).CopyFrom(value)
    elif value and not (field.containing_oneof and source.WhichOneof(field.containing_oneof.name) != theirs):
        setattr(target, ours, value)


def reset_point(operation: BatchOperationReset, points: ResetPoints, run_id: str) -> tuple[str, int]:
    """Where a build began to work on a workflow, as run and event id; the run may be an earlier one of the chain.

    Raises:
        NotFound: it never did.
        InvalidArgument: it did in an earlier run, and the operation is for the run that is named.
    """
    options = operation.options
    for point in points.points:
        if point.build_id == options.build_id:
            if options.current_run_only and point.run_id != run_id:
                raise InvalidArgument(f"build {options.build_id!r} began in an earlier run, {point.run_id}")
            return point.run_id, point.first_workflow_task_completed_id
    raise NotFound(f"no worker of build {options.build_id!r} has worked on the workflow")


def reset_event_id(operation: BatchOperationReset, history: Sequence[HistoryEvent]) -> int:
    """The end of the workflow task at which a workflow is to begin anew.

    Args:
        history: all of it.

    Raises:
        NotFound: it has no workflow task.
    """
    target = operation.options.WhichOneof("target")
    if target == "workflow_task_id":
        return operation.options.workflow_task_id
    first = target == "first_workflow_task" or operation.reset_type == _e.RESET_TYPE_FIRST_WORKFLOW_TASK
    scheduled = 0
    for event in history if first else reversed(history):
        if event.event_type == _e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return event.event_id
        if event.event_type == _e.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
            scheduled = scheduled or event.event_id + 1
    if not scheduled:
        raise NotFound("the workflow has no workflow task yet, so that there is nothing to reset it to")
    return scheduled


_WORKFLOW = (_e.EXECUTION_TYPE_WORKFLOW, _e.EXECUTION_TYPE_UNSPECIFIED)
_ACTIVITY = (_e.EXECUTION_TYPE_ACTIVITY,)


class _Operation(NamedTuple):
    kind: int
    """BATCH_OPERATION_TYPE_*."""
    rpc: str
    execution: str
    """The field of the RPC's request that names the workflow; empty for activities, whose requests are flat."""
    fields: Mapping[str, str]
    """Field of the operation -> field of the RPC's request."""
    check: Callable[[str, Any], None] = lambda subject, operation: None
    targets: tuple[int, ...] = _WORKFLOW
    """The types of target_executions that it is for, EXECUTION_TYPE_*."""


def _check_signal(subject: str, operation: Any) -> None:
    if not operation.signal:
        raise InvalidArgument(f"{subject}: signal_operation has no signal; name one")


def _check_reset(subject: str, operation: BatchOperationReset) -> None:
    target = operation.options.WhichOneof("target")
    if target is None and operation.reset_type == _e.RESET_TYPE_UNSPECIFIED:
        raise InvalidArgument(f"{subject}: reset_operation has no target; set options, such as last_workflow_task")


def _check_activity(subject: str, operation: Any) -> None:
    if operation.WhichOneof("activity") is None:
        raise InvalidArgument(f"{subject}: no activity is named; give its type, or match_all")


_ACTIVITIES: Mapping[str, str] = {"type": "type", "match_all": "match_all"}

_OPERATIONS: Mapping[str, _Operation] = {
    "termination_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_TERMINATE_WORKFLOW,
        "TerminateWorkflowExecution",
        "workflow_execution",
        {"details": "details"},
    ),
    "cancellation_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_CANCEL_WORKFLOW, "RequestCancelWorkflowExecution", "workflow_execution", {}
    ),
    "signal_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_SIGNAL_WORKFLOW,
        "SignalWorkflowExecution",
        "workflow_execution",
        {"signal": "signal_name", "input": "input", "header": "header"},
        _check_signal,
    ),
    "deletion_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_DELETE_WORKFLOW, "DeleteWorkflowExecution", "workflow_execution", {}
    ),
    "reset_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_RESET_WORKFLOW,
        "ResetWorkflowExecution",
        "workflow_execution",
        {"post_reset_operations": "post_reset_operations"},
        _check_reset,
    ),
    "update_workflow_options_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_UPDATE_WORKFLOW_EXECUTION_OPTIONS,
        "UpdateWorkflowExecutionOptions",
        "workflow_execution",
        {"workflow_execution_options": "workflow_execution_options", "update_mask": "update_mask"},
    ),
    "unpause_activities_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_UNPAUSE_ACTIVITY,
        "UnpauseActivity",
        "execution",
        {
            "type": "type",
            "match_all": "unpause_all",
            "reset_attempts": "reset_attempts",
            "reset_heartbeat": "reset_heartbeat",
            "jitter": "jitter",
        },
        _check_activity,
    ),
    "reset_activities_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_RESET_ACTIVITY,
        "ResetActivity",
        "execution",
        {
            **_ACTIVITIES,
            "reset_heartbeat": "reset_heartbeat",
            "keep_paused": "keep_paused",
            "jitter": "jitter",
            "restore_original_options": "restore_original_options",
        },
        _check_activity,
    ),
    "update_activity_options_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_UPDATE_ACTIVITY_OPTIONS,
        "UpdateActivityOptions",
        "execution",
        {
            **_ACTIVITIES,
            "activity_options": "activity_options",
            "update_mask": "update_mask",
            "restore_original": "restore_original",
        },
        _check_activity,
    ),
    "cancel_activities_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_CANCEL_ACTIVITY,
        "RequestCancelActivityExecution",
        "",
        {"reason": "reason"},
        targets=_ACTIVITY,
    ),
    "terminate_activities_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_TERMINATE_ACTIVITY,
        "TerminateActivityExecution",
        "",
        {"reason": "reason"},
        targets=_ACTIVITY,
    ),
    "delete_activities_operation": _Operation(
        _e.BATCH_OPERATION_TYPE_DELETE_ACTIVITY, "DeleteActivityExecution", "", {}, targets=_ACTIVITY
    ),
}
"""Operation of the request -> what it is."""
_KNOWN = {field.name for field in StartBatchOperationRequest.DESCRIPTOR.oneofs_by_name["operation"].fields}
assert set(_OPERATIONS) == _KNOWN, set(_OPERATIONS) ^ _KNOWN


def _operation(request: StartBatchOperationRequest) -> _Operation:
    return _OPERATIONS[str(request.WhichOneof("operation"))]


def _chosen(request: StartBatchOperationRequest) -> Any:
    return getattr(request, str(request.WhichOneof("operation")))


class Pace:
    """When the next operation may begin: ``per_second`` of them, and a second's worth at once."""

    __slots__ = ("_interval_ns", "_next_at", "_slack_ns")

    def __init__(self, per_second: float) -> None:
        self._interval_ns = int(SECOND_NS / per_second)
        self._slack_ns = self._interval_ns * (math.ceil(per_second) - 1)
        self._next_at = 0

    def slot(self, now: int) -> int:
        """Take the next place; answers its instant, which is not before ``now``."""
        at = max(self._next_at, now - self._slack_ns)
        self._next_at = at + self._interval_ns
        return max(at, now)


# -- how far it is -----------------------------------------------------------------------------------------------


def counted(progress: Progress, *, succeeded: bool) -> Progress:
    """One more execution is through."""
    if succeeded:
        return _replace(progress, done=progress.done + 1)
    return _replace(progress, failed=progress.failed + 1)


def turned(progress: Progress, *, taken: int = 0, page_token: bytes = b"") -> Progress:
    """A page is finished."""
    return _replace(progress, taken=progress.taken + taken, page_token=page_token)


def closed(progress: Progress, now: int, *, failed: bool = False, reason: str = "", identity: str = "") -> Progress:
    """The job has ended; ``reason`` and ``identity`` say why and by whom it was stopped."""
    state = _e.BATCH_OPERATION_STATE_FAILED if failed else _e.BATCH_OPERATION_STATE_COMPLETED
    return _replace(progress, state=state, closed_at=now, stop_reason=reason, stop_identity=identity)


def describe(job: Job, progress: Progress) -> DescribeBatchOperationResponse:
    """The job as its own page shows it."""
    request = StartBatchOperationRequest.FromString(job.request)
    description = DescribeBatchOperationResponse(
        operation_type=_operation(request).kind,
        job_id=job.job_id,
        state=progress.state,
        start_time=timestamp(job.started_at),
        total_operation_count=job.total,
        complete_operation_count=progress.done,
        failure_operation_count=progress.failed,
        identity=getattr(_chosen(request), "identity", ""),  # a deletion of activities has none
        reason=request.reason,
        query=request.visibility_query,
        executions=[
            Execution(type=_operation(request).targets[0], business_id=each.workflow_id, run_id=each.run_id)
            for each in executions(request)
        ],
    )
    if progress.closed_at:
        description.close_time.CopyFrom(timestamp(progress.closed_at))
    return description


def info(job: Job, progress: Progress) -> BatchOperationInfo:
    """The job as a list shows it."""
    message = BatchOperationInfo(
        job_id=job.job_id,
        state=progress.state,
        start_time=timestamp(job.started_at),
        operation_type=_operation(StartBatchOperationRequest.FromString(job.request)).kind,
    )
    if progress.closed_at:
        message.close_time.CopyFrom(timestamp(progress.closed_at))
    return message
