"""A schedule's row in the lists, written in the same commit as its state, and the entry of a list that it becomes.

The row's memo is the user's, with what else a list shows in a field of its own.

Source: ListSchedules, ScheduleListEntry.
"""

from __future__ import annotations

from typing import Final

from outlast.api.common.v1 import Memo, Payload, SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.schedule.v1 import ScheduleListEntry, ScheduleListInfo
from outlast.engine.schedule import describe
from outlast.engine.schedule.state import ScheduleState
from outlast.storage.listing import Listed
from outlast.storage.port import VisibilityRow
from outlast.vocab import search_attributes
from outlast.vocab.filters import Indexed

PAUSED: Final = "TemporalSchedulePaused"
"""The search attribute by which lists find schedules that are paused."""
_INFO: Final = "ScheduleInfo"


def _attributes(state: ScheduleState) -> SearchAttributes:
    attributes = SearchAttributes.FromString(state.search_attributes)
    attributes.indexed_fields[PAUSED].CopyFrom(
        Payload(
            metadata={"encoding": b"json/plain", search_attributes.TYPE_METADATA: b"Bool"},
            data=b"true" if state.paused else b"false",
        )
    )
    return attributes


def indexed(state: ScheduleState) -> Indexed:
    """The schedule's search attributes as lists compare them."""
    return search_attributes.indexed(_attributes(state))


def row(state: ScheduleState) -> VisibilityRow:
    """The schedule as lists find and show it."""
    memo = Memo.FromString(state.memo)
    info = describe.list_info(state)
    memo.fields[_INFO].data = info.SerializeToString(deterministic=True)
    return VisibilityRow(
        workflow_type=info.workflow_type.name,
        task_queue="",
        status=_e.WORKFLOW_EXECUTION_STATUS_RUNNING,
        start_time=state.created_at,
        execution_time=state.created_at,
        close_time=None,
        history_length=0,
        history_size_bytes=0,
        state_transition_count=0,
        memo=memo.SerializeToString(deterministic=True),
        search_attributes=_attributes(state).SerializeToString(deterministic=True),
        parent_workflow_id="",
        parent_run_id="",
        root_workflow_id="",
        root_run_id="",
    )


def entry(listed: Listed) -> ScheduleListEntry:
    """A row of a list as the message that shows it."""
    memo = Memo.FromString(listed.row.memo)
    answer = ScheduleListEntry(
        schedule_id=listed.key.workflow_id, info=ScheduleListInfo.FromString(memo.fields[_INFO].data)
    )
    del memo.fields[_INFO]
    if memo.fields:
        answer.memo.CopyFrom(memo)
    attributes = SearchAttributes.FromString(listed.row.search_attributes)
    del attributes.indexed_fields[PAUSED]
    if attributes.indexed_fields:
        answer.search_attributes.CopyFrom(attributes)
    return answer
