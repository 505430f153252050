"""What workflow code asks for, as values: one dataclass per call, the inputs of the workflow interceptors.

Rule: the public functions of ``outlast.workflow`` build these, interceptors may change them, replay turns them into
commands. Names and fields are those of ``temporalio.worker``'s interceptor inputs, where workers export them too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import outlast.common
from outlast.api.common.v1 import Payload

from ._exceptions import ContinueAsNewVersioningBehavior, VersioningIntent

if TYPE_CHECKING:
    from ._activities import ActivityCancellationType
    from ._children import ChildWorkflowCancellationType, ParentClosePolicy
    from ._event_groups import EventGroup


@dataclass
class ExecuteWorkflowInput:
    """Run the workflow's main method."""

    type: type
    run_fn: Callable[..., Awaitable[Any]]
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleSignalInput:
    """Run the handler of one signal."""

    signal: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleQueryInput:
    """Run the handler of one query."""

    id: str
    query: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleUpdateInput:
    """Run the validator or the handler of one update."""

    id: str
    update: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class ContinueAsNewInput:
    """Close the run and start the next one; None means "as this run has it"."""

    workflow: str | None
    args: Sequence[Any]
    task_queue: str | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    backoff_start_interval: timedelta | None
    retry_policy: outlast.common.RetryPolicy | None
    memo: Mapping[str, Any] | None
    search_attributes: outlast.common.SearchAttributes | outlast.common.TypedSearchAttributes | None
    headers: Mapping[str, Payload]
    versioning_intent: VersioningIntent | None
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None
    event_groups: Sequence[EventGroup] | None = None
    arg_types: list[type] | None = None


@dataclass
class StartActivityInput:
    """Schedule an activity."""

    activity: str
    args: Sequence[Any]
    activity_id: str | None
    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: outlast.common.RetryPolicy | None
    cancellation_type: ActivityCancellationType
    headers: Mapping[str, Payload]
    disable_eager_execution: bool
    versioning_intent: VersioningIntent | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None = field(default=None, kw_only=True)
    priority: outlast.common.Priority
    arg_types: list[type] | None
    ret_type: type | None


@dataclass
class StartLocalActivityInput:
    """Run an activity inside the workflow task."""

    activity: str
    args: Sequence[Any]
    activity_id: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    retry_policy: outlast.common.RetryPolicy | None
    local_retry_threshold: timedelta | None
    cancellation_type: ActivityCancellationType
    headers: Mapping[str, Payload]
    summary: str | None
    event_groups: Sequence[EventGroup] | None = None
    arg_types: list[type] | None = None
    ret_type: type | None = None


@dataclass
class StartChildWorkflowInput:
    """Start a child workflow."""

    workflow: str
    args: Sequence[Any]
    id: str
    task_queue: str | None
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: outlast.common.WorkflowIDReusePolicy
    retry_policy: outlast.common.RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: outlast.common.SearchAttributes | outlast.common.TypedSearchAttributes | None
    headers: Mapping[str, Payload]
    versioning_intent: VersioningIntent | None
    static_summary: str | None
    static_details: str | None
    versioning_override: outlast.common.VersioningOverride | None = field(default=None, kw_only=True)
    event_groups: Sequence[EventGroup] | None = field(default=None, kw_only=True)
    priority: outlast.common.Priority
    arg_types: list[type] | None
    ret_type: type | None


@dataclass
class SignalChildWorkflowInput:
    """Signal a child of this workflow."""

    signal: str
    args: Sequence[Any]
    child_workflow_id: str
    headers: Mapping[str, Payload]
    event_groups: Sequence[EventGroup] | None = None


@dataclass
class SignalExternalWorkflowInput:
    """Signal any workflow of the namespace."""

    signal: str
    args: Sequence[Any]
    namespace: str
    workflow_id: str
    workflow_run_id: str | None
    headers: Mapping[str, Payload]
    event_groups: Sequence[EventGroup] | None = None
