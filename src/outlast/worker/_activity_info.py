"""``activity.Info`` from an activity task. Made when activity code first asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from outlast.activity import Info
from outlast.api.protobuf import Duration, Timestamp
from outlast.api.workflowservice.v1 import PollActivityTaskQueueResponse
from outlast.common import Priority, RetryPolicy


def info_of(
    task: PollActivityTaskQueueResponse,
    *,
    namespace: str,
    task_queue: str,
    heartbeat_details: Sequence[Any],
    is_local: bool,
) -> Info:
    """The facts of an attempt.

    Args:
        namespace, task_queue: of the worker.
        heartbeat_details: decoded.
        is_local: whether it runs inside a workflow task.
    """
    workflow_id = task.workflow_execution.workflow_id
    return Info(
        activity_id=task.activity_id,
        activity_type=task.activity_type.name,
        attempt=task.attempt,
        current_attempt_scheduled_time=_datetime(task.current_attempt_scheduled_time),
        heartbeat_details=heartbeat_details,
        heartbeat_timeout=_timedelta(task.heartbeat_timeout),
        is_local=is_local,
        namespace=task.workflow_namespace or namespace,
        schedule_to_close_timeout=_timedelta(task.schedule_to_close_timeout),
        scheduled_time=_datetime(task.scheduled_time),
        start_to_close_timeout=_timedelta(task.start_to_close_timeout),
        started_time=_datetime(task.started_time),
        task_queue=task_queue,
        task_token=task.task_token,
        workflow_id=workflow_id or None,
        workflow_namespace=task.workflow_namespace or None,
        workflow_run_id=task.workflow_execution.run_id or None,
        workflow_type=task.workflow_type.name or None,
        priority=Priority._from_proto(task.priority),
        retry_policy=RetryPolicy.from_proto(task.retry_policy) if task.HasField("retry_policy") else None,
        activity_run_id=None if workflow_id else task.activity_run_id,
    )


def _datetime(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)


def _timedelta(duration: Duration) -> timedelta | None:
    return duration.ToTimedelta() if duration.seconds or duration.nanos else None
