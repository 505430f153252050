"""Cut a history into the workflow tasks that the workflow was run for.

Rule: a cut ends with the WorkflowTaskStarted at which workflow code ran. What the code did, WorkflowTaskCompleted and
its command events, opens the next cut. A workflow task that failed or timed out ran nothing and is swallowed by the
next one; so is an empty one that was completed only to keep the task alive (a heartbeat). The events after the last
started event, if any, are the last cut.

    1 Started  2 Scheduled  3 STARTED | 4 Completed  5 ActivityScheduled  ...  9 Scheduled  10 STARTED | 11 Completed ..

An accepted update is run in the task that delivered it, which may lie before the task whose completion recorded it.

Source: sdk-core ``history_update.rs`` (find_end_index_of_next_wft_seq), arch_docs/workflow_task_chunking.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import outlast.api.enums.v1 as e
from outlast.api.history.v1 import HistoryEvent

from .events import COMMAND, FINAL, WORKFLOW_TASK_ENDED_WITHOUT_COMPLETION

_STARTED = e.EVENT_TYPE_WORKFLOW_TASK_STARTED
_COMPLETED = e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
_SCHEDULED = e.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED
_EXECUTION_STARTED = e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
_UPDATE_ACCEPTED = e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED

# After one of these, the started event before it ran nothing.
_VOID = WORKFLOW_TASK_ENDED_WITHOUT_COMPLETION | {
    e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
}


class Cut(NamedTuple):
    """One workflow task.

    Attributes:
        events: never empty, ascending; ends with the started event at which the code ran, or with history.
        ahead: the events of the next cut, where this one's commands, markers and accepted updates are recorded.
        is_last: nothing follows.
    """

    events: Sequence[HistoryEvent]
    ahead: Sequence[HistoryEvent]
    is_last: bool


def cut(events: Sequence[HistoryEvent]) -> Iterator[Cut]:
    """The workflow tasks in ``events``.

    Args:
        events: ascending, without gaps, up to the end of what the server has sent; starts with the first event, or
            right after a started event.
    """
    start, end = 0, _end_of_cut(events, 0)
    while start < len(events):
        following = _end_of_cut(events, end)
        yield Cut(events[start:end], events[end:following], end == len(events))
        start, end = end, following


def _end_of_cut(events: Sequence[HistoryEvent], start: int) -> int:
    """The index after the last event of the cut that begins at ``start``."""
    saw_command = saw_start = False
    candidates: list[int] = []
    for index in range(start, len(events)):
        kind = events[index].event_type
        if kind in COMMAND:
            saw_command = True
        if kind == _EXECUTION_STARTED:
            saw_start = True
        if kind in FINAL:
            return index + 1
        if kind != _STARTED:
            continue
        following = events[index + 1].event_type if index + 1 < len(events) else None
        if following in _VOID:
            continue
        candidates.append(index)
        if following == _COMPLETED and index + 2 < len(events):
            after = events[index + 2]
            if not saw_command and after.event_type == _SCHEDULED:
                continue
            return _where_update_ran(events, candidates, after, index) + 1
        if saw_command or saw_start:
            return index + 1
    return len(events)


def _where_update_ran(
    events: Sequence[HistoryEvent], candidates: Sequence[int], after: HistoryEvent, index: int
) -> int:
    if after.event_type == _UPDATE_ACCEPTED:
        sequenced = after.workflow_execution_update_accepted_event_attributes.accepted_request_sequencing_event_id
        for candidate in reversed(candidates):
            if events[candidate].event_id < sequenced:
                return candidate
    return index
