"""A run's row in the lists: written in the same commit as the events that change it."""

from __future__ import annotations

from collections.abc import Iterable

from outlast.api.common.v1 import SearchAttributes, WorkflowExecution, WorkflowType
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflow.v1 import WorkflowExecutionInfo
from outlast.engine.execution import standalone
from outlast.engine.execution.close import STATUS
from outlast.engine.execution.state import ExecutionState
from outlast.storage.listing import Listed
from outlast.storage.port import VisibilityRow
from outlast.vocab import search_attributes
from outlast.vocab.filters import Indexed
from outlast.vocab.times import duration, timestamp

_VISIBLE = frozenset(
    {
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        _e.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        _e.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
        *STATUS,
    }
)


def changes(events: Iterable[HistoryEvent]) -> bool:
    """Whether one of the events shows in the lists."""
    return any(event.event_type in _VISIBLE for event in events)


def differs(before: ExecutionState, after: ExecutionState) -> bool:
    """Whether what no event tells has changed and shows in the lists."""
    if before.search_attributes != after.search_attributes:
        return True
    return after.standalone is not None and shown(before) != shown(after)


def shown(state: ExecutionState) -> tuple[int, str, int]:
    """Status, task queue and execution time as lists show them.

    The status of a standalone activity is an ACTIVITY_EXECUTION_STATUS_*.
    """
    own = state.standalone
    if own is None:
        return state.status, state.queue, state.first_task_at
    return standalone.status(state), standalone.activity(state).queue, state.started_at + own.start_delay_ns


def indexed(state: ExecutionState) -> Indexed:
    """The run's search attributes as lists compare them."""
    return search_attributes.indexed(SearchAttributes.FromString(state.search_attributes))


def row(state: ExecutionState) -> VisibilityRow:
    """The run as lists find and show it."""
    status, queue, execution_time = shown(state)
    return VisibilityRow(
        workflow_type=state.workflow_type,
        task_queue=queue,
        status=status,
        start_time=state.started_at,
        execution_time=execution_time,
        close_time=state.closed_at or None,
        history_length=state.next_event_id - 1,
        history_size_bytes=state.history_size,
        state_transition_count=state.transitions,
        memo=state.memo,
        search_attributes=state.search_attributes,
        parent_workflow_id=state.parent_workflow_id,
        parent_run_id=state.parent_run_id,
        root_workflow_id=state.root_workflow_id,
        root_run_id=state.root_run_id,
    )


def info(listed: Listed) -> WorkflowExecutionInfo:
    """A run of a list as the message that shows it."""
    key, row = listed
    message = WorkflowExecutionInfo(
        execution=WorkflowExecution(workflow_id=key.workflow_id, run_id=key.run_id),
        type=WorkflowType(name=row.workflow_type),
        start_time=timestamp(row.start_time),
        execution_time=timestamp(row.execution_time),
        status=row.status,
        history_length=row.history_length,
        history_size_bytes=row.history_size_bytes,
        state_transition_count=row.state_transition_count,
        task_queue=row.task_queue,
        root_execution=WorkflowExecution(workflow_id=row.root_workflow_id, run_id=row.root_run_id),
    )
    message.memo.MergeFromString(row.memo)
    message.search_attributes.MergeFromString(row.search_attributes)
    if row.parent_workflow_id:
        message.parent_execution.workflow_id = row.parent_workflow_id
        message.parent_execution.run_id = row.parent_run_id
    if row.close_time is not None:
        message.close_time.CopyFrom(timestamp(row.close_time))
        message.execution_duration.CopyFrom(duration(row.close_time - row.execution_time))
    return message
