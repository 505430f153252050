"""A run's state as the messages that describe it: DescribeWorkflowExecution and the visibility's WorkflowExecutionInfo.

Source: DescribeWorkflowExecutionResponse; rules 3.2.5, 3.8.
"""

from __future__ import annotations

from typing import Any

from outlast.api.common.v1 import Payloads, RetryPolicy, WorkflowExecution, WorkflowType
from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.taskqueue.v1 import TaskQueue
from outlast.api.workflow.v1 import (
    PendingActivityInfo,
    PendingChildExecutionInfo,
    PendingWorkflowTaskInfo,
    WorkflowExecutionConfig,
    WorkflowExecutionExtendedInfo,
    WorkflowExecutionInfo,
)
from outlast.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from outlast.vocab.times import duration, timestamp

from . import activity_operations
from .state import Activity, Child, ExecutionState


def describe(state: ExecutionState) -> DescribeWorkflowExecutionResponse:
    """Everything about a run that is not its history."""
    response = DescribeWorkflowExecutionResponse(
        execution_config=_config(state),
        workflow_execution_info=info(state),
        pending_activities=[_pending_activity(activity) for activity in state.activities.values()],
        pending_children=[_pending_child(child) for child in state.children.values()],
        workflow_extended_info=_extended(state),
    )
    task = state.task
    if task is not None:
        pending = PendingWorkflowTaskInfo(
            state=_e.PENDING_WORKFLOW_TASK_STATE_STARTED if task.started else _e.PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
            scheduled_time=timestamp(task.scheduled_at),
            original_scheduled_time=timestamp(task.original_scheduled_at),
            attempt=task.attempt,
        )
        if task.started:
            pending.started_time.CopyFrom(timestamp(task.started_at))
        response.pending_workflow_task.CopyFrom(pending)
    return response


def _config(state: ExecutionState) -> WorkflowExecutionConfig:
    config = WorkflowExecutionConfig(
        task_queue=TaskQueue(name=state.queue, kind=_e.TASK_QUEUE_KIND_NORMAL),
        workflow_execution_timeout=duration(state.execution_timeout_ns),
        workflow_run_timeout=duration(state.run_timeout_ns),
        default_workflow_task_timeout=duration(state.task_timeout_ns),
    )
    if state.user_metadata:
        config.user_metadata.MergeFromString(state.user_metadata)
    return config


def _extended(state: ExecutionState) -> WorkflowExecutionExtendedInfo:
    extended = WorkflowExecutionExtendedInfo(
        cancel_requested=state.cancel_requested,
        original_start_time=timestamp(state.original_started_at or state.started_at),
        reset_run_id=state.reset_run_id,
    )
    if state.pause is not None:
        extended.pause_info.paused_time.CopyFrom(timestamp(state.pause.paused_at))
        extended.pause_info.identity = state.pause.identity
        extended.pause_info.reason = state.pause.reason
    if state.execution_expires_at:
        extended.execution_expiration_time.CopyFrom(timestamp(state.execution_expires_at))
    if state.run_expires_at:
        extended.run_expiration_time.CopyFrom(timestamp(state.run_expires_at))
    return extended


def info(state: ExecutionState) -> WorkflowExecutionInfo:
    """The run as lists show it."""
    message = WorkflowExecutionInfo(
        execution=WorkflowExecution(workflow_id=state.workflow_id, run_id=state.run_id),
        type=WorkflowType(name=state.workflow_type),
        start_time=timestamp(state.started_at),
        execution_time=timestamp(state.first_task_at),
        status=state.status,
        history_length=state.next_event_id - 1,
        history_size_bytes=state.history_size,
        state_transition_count=state.transitions,
        task_queue=state.queue,
        root_execution=WorkflowExecution(workflow_id=state.root_workflow_id, run_id=state.root_run_id),
        first_run_id=state.first_run_id,
    )
    message.memo.MergeFromString(state.memo)
    message.search_attributes.MergeFromString(state.search_attributes)
    if state.parent_workflow_id:
        message.parent_execution.workflow_id = state.parent_workflow_id
        message.parent_execution.run_id = state.parent_run_id
        message.parent_namespace_id = state.parent_namespace_id
    if state.closed_at:
        message.close_time.CopyFrom(timestamp(state.closed_at))
        message.execution_duration.CopyFrom(duration(state.closed_at - state.first_task_at))
    _add_versioning(message, state)
    if state.reset_points:
        message.auto_reset_points.MergeFromString(state.reset_points)
    if state.priority:
        message.priority.MergeFromString(state.priority)
    return message


def _add_versioning(message: WorkflowExecutionInfo, state: ExecutionState) -> None:
    """What worker did the last workflow task, and which one the next is bound to."""
    if state.versioning_override:
        message.versioning_info.versioning_override.MergeFromString(state.versioning_override)
    worker = state.worker_version
    if worker is None:
        return
    message.worker_deployment_name = worker.deployment_name
    if not worker.versioned:
        message.most_recent_worker_version_stamp.build_id = worker.build_id
        return
    versioning = message.versioning_info
    versioning.behavior = worker.behavior
    versioning.version = f"{worker.deployment_name}.{worker.build_id}"
    versioning.deployment_version.deployment_name = worker.deployment_name
    versioning.deployment_version.build_id = worker.build_id


def _pending_child(child: Child) -> PendingChildExecutionInfo:
    return PendingChildExecutionInfo(
        workflow_id=child.workflow_id,
        run_id=child.run_id,
        workflow_type_name=child.type_name,
        initiated_id=child.initiated_event_id,
        parent_close_policy=child.parent_close_policy,
    )


def _pending_activity(activity: Activity) -> PendingActivityInfo:
    policy = RetryPolicy.FromString(activity.retry_policy)
    if activity.cancel_requested_event_id:
        state = _e.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
    elif activity.started:
        state = _e.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED if activity.paused else _e.PENDING_ACTIVITY_STATE_STARTED
    else:
        state = _e.PENDING_ACTIVITY_STATE_PAUSED if activity.paused else _e.PENDING_ACTIVITY_STATE_SCHEDULED
    fields: dict[str, Any] = {
        "activity_id": activity.activity_id,
        "activity_type": {"name": activity.type_name},
        "state": state,
        "attempt": activity.attempt,
        "maximum_attempts": policy.maximum_attempts,
        "scheduled_time": timestamp(activity.attempt_scheduled_at),
        "last_worker_identity": activity.identity,
    }
    options = fields["activity_options"] = activity_operations.options_of(activity)
    if options.HasField("priority"):
        fields["priority"] = options.priority
    operations = activity.operations
    if operations is not None and operations.paused_at:
        fields["paused"] = True
        fields["pause_info"] = {
            "pause_time": timestamp(operations.paused_at),
            "manual": {"identity": operations.pause_identity, "reason": operations.pause_reason},
        }
    if activity.schedule_to_close_ns:
        fields["expiration_time"] = timestamp(activity.expires_from + activity.schedule_to_close_ns)
    if activity.backing_off and not activity.paused:
        fields["next_attempt_schedule_time"] = timestamp(activity.attempt_scheduled_at)
        if activity.last_attempt_completed_at:
            fields["current_retry_interval"] = duration(
                activity.attempt_scheduled_at - activity.last_attempt_completed_at
            )
    if activity.heartbeat_details:
        fields["heartbeat_details"] = Payloads.FromString(activity.heartbeat_details)
    if activity.last_failure:
        fields["last_failure"] = Failure.FromString(activity.last_failure)
    for name, at in (
        ("last_heartbeat_time", activity.last_heartbeat_at),
        ("last_started_time", activity.last_started_at),
        ("last_attempt_complete_time", activity.last_attempt_completed_at),
    ):
        if at:
            fields[name] = timestamp(at)
    return PendingActivityInfo(**fields)
