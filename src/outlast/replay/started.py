"""What the first event of a run says, and ``workflow.Info`` made of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from outlast.api.common.v1 import WorkflowExecution
from outlast.api.history.v1 import HistoryEvent
from outlast.common import Priority, RetryPolicy, TypedSearchAttributes
from outlast.converter import decode_search_attributes, decode_typed_search_attributes
from outlast.workflow import Info, ParentInfo, RootInfo


class Beginning:
    """The start of one run: ``event`` and its ``attributes``; ``first_task_ns`` is when the first task started."""

    __slots__ = ("attributes", "event", "first_task_ns", "run_id", "workflow_id", "workflow_type")

    def __init__(self, execution: WorkflowExecution, event: HistoryEvent) -> None:
        self.workflow_id, self.run_id = execution.workflow_id, execution.run_id
        self.event = event
        self.attributes = event.workflow_execution_started_event_attributes
        self.workflow_type = self.attributes.workflow_type.name
        self.first_task_ns = 0

    def info(self, namespace: str, task_queue: str) -> Info:
        """What ``workflow.info()`` says in a worker of this namespace and task queue."""
        return _info_of(
            self.event,
            namespace=namespace,
            task_queue=task_queue,
            workflow_id=self.workflow_id,
            run_id=self.run_id,
            task_started_ns=self.first_task_ns,
        )


def _info_of(
    event: HistoryEvent, *, namespace: str, task_queue: str, workflow_id: str, run_id: str, task_started_ns: int
) -> Info:
    """What the run can know about itself.

    Args:
        event: WorkflowExecutionStarted.
        task_started_ns: when its first workflow task started.
    """
    a = event.workflow_execution_started_event_attributes
    parent = root = None
    if a.HasField("parent_workflow_execution"):
        execution = a.parent_workflow_execution
        parent = ParentInfo(
            namespace=a.parent_workflow_namespace, run_id=execution.run_id, workflow_id=execution.workflow_id
        )
    if a.HasField("root_workflow_execution"):
        root = RootInfo(run_id=a.root_workflow_execution.run_id, workflow_id=a.root_workflow_execution.workflow_id)
    has_attributes = bool(a.search_attributes.indexed_fields)
    return Info(
        attempt=a.attempt,
        continued_run_id=a.continued_execution_run_id or None,
        cron_schedule=a.cron_schedule or None,
        execution_timeout=_timedelta(a, "workflow_execution_timeout"),
        first_execution_run_id=a.first_execution_run_id,
        headers=dict(a.header.fields),
        namespace=namespace,
        original_execution_run_id=a.original_execution_run_id or run_id,
        parent=parent,
        root=root,
        priority=Priority._from_proto(a.priority) if a.HasField("priority") else Priority.default,
        raw_memo=dict(a.memo.fields),
        retry_policy=RetryPolicy.from_proto(a.retry_policy) if a.HasField("retry_policy") else None,
        run_id=run_id,
        run_timeout=_timedelta(a, "workflow_run_timeout"),
        search_attributes=dict(decode_search_attributes(a.search_attributes)) if has_attributes else {},
        start_time=_datetime(task_started_ns),
        task_queue=task_queue,
        task_timeout=a.workflow_task_timeout.ToTimedelta(),
        typed_search_attributes=_typed(a) if has_attributes else TypedSearchAttributes([]),
        workflow_id=workflow_id,
        workflow_start_time=event.event_time.ToDatetime(tzinfo=UTC),
        workflow_type=a.workflow_type.name,
    )


def _typed(attributes: Any) -> TypedSearchAttributes:
    # A list, because upserts change it in place.
    return TypedSearchAttributes(list(decode_typed_search_attributes(attributes.search_attributes)))


def _timedelta(attributes: Any, field: str) -> timedelta | None:
    if not attributes.HasField(field):
        return None
    value: timedelta = getattr(attributes, field).ToTimedelta()
    return value


def _datetime(at_ns: int) -> datetime:
    seconds, nanos = divmod(at_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=nanos // 1000)
