"""Names in list filters: which column one means.

Custom search attributes win over the system's; ``Temporal`` may be left out or put before; a schedule's id is a
workflow id. Names are case-sensitive, as Temporal's are.

Source: rules 3.11.2, 3.11.3, 3.11.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from outlast.vocab.filters import Attribute, Column, Field
from outlast.vocab.search_attributes import PREDEFINED, RESERVED_PREFIX, SYSTEM

COLUMNS: Final[Mapping[str, Column]] = {
    "WorkflowId": Column.WORKFLOW_ID,
    "RunId": Column.RUN_ID,
    "WorkflowType": Column.WORKFLOW_TYPE,
    "StartTime": Column.START_TIME,
    "ExecutionTime": Column.EXECUTION_TIME,
    "CloseTime": Column.CLOSE_TIME,
    "ExecutionStatus": Column.STATUS,
    "TaskQueue": Column.TASK_QUEUE,
    "HistoryLength": Column.HISTORY_LENGTH,
    "HistorySizeBytes": Column.HISTORY_SIZE_BYTES,
    "ExecutionDuration": Column.EXECUTION_DURATION,
    "StateTransitionCount": Column.STATE_TRANSITION_COUNT,
    "ParentWorkflowId": Column.PARENT_WORKFLOW_ID,
    "ParentRunId": Column.PARENT_RUN_ID,
    "RootWorkflowId": Column.ROOT_WORKFLOW_ID,
    "RootRunId": Column.ROOT_RUN_ID,
}
assert set(COLUMNS) == set(SYSTEM)
assert set(COLUMNS.values()) == set(Column)

ACTIVITY_COLUMNS: Final[Mapping[str, Column]] = {
    **{name: column for name, column in COLUMNS.items() if name not in ("WorkflowId", "WorkflowType")},
    "ActivityId": Column.WORKFLOW_ID,
    "ActivityType": Column.WORKFLOW_TYPE,
}
"""The same columns as filters over standalone activities call them."""

_SCHEDULE_ID: Final = "ScheduleId"


def resolve(name: str, custom: Mapping[str, int]) -> Field | None:
    """What a name means in a namespace; None when nothing is called so.

    Args:
        custom: the namespace's own search attributes, name -> INDEXED_VALUE_TYPE_*.
    """
    if name in custom:
        return Attribute(name, custom[name])
    for spelling in (name, RESERVED_PREFIX + name, name.removeprefix(RESERVED_PREFIX)):
        if spelling in COLUMNS:
            return COLUMNS[spelling]
        if spelling in PREDEFINED:
            return Attribute(spelling, PREDEFINED[spelling])
        if spelling == _SCHEDULE_ID:
            return Column.WORKFLOW_ID
    return None


def resolve_activity(name: str, custom: Mapping[str, int]) -> Field | None:
    """The same for a filter over standalone activities, which still takes the column of the id by its old name."""
    if name not in custom and name in ACTIVITY_COLUMNS:
        return ACTIVITY_COLUMNS[name]
    return None if name == "WorkflowType" else resolve(name, custom)


def similar(name: str, custom: Mapping[str, int], columns: Iterable[str] = COLUMNS) -> str | None:
    """The known name that is meant or spelled most like this one; None when none comes near."""
    of_activities = name.replace("Workflow", "Activity")
    if of_activities in columns:
        return of_activities
    known = {each.lower(): each for each in (*PREDEFINED, *columns, *custom)}
    near = get_close_matches(name.lower(), known, n=1)
    return known[near[0]] if near else None
