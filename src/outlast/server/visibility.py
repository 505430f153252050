"""A run's row in the lists: written in the same commit as the events that change it."""

from __future__ import annotations

from collections.abc import Iterable

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.engine.execution.close import STATUS
from outlast.engine.execution.state import ExecutionState
from outlast.storage.port import VisibilityRow

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


def row(state: ExecutionState) -> VisibilityRow:
    """The run as lists find and show it."""
    return VisibilityRow(
        workflow_type=state.workflow_type,
        task_queue=state.queue,
        status=state.status,
        start_time=state.started_at,
        execution_time=state.first_task_at,
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
