"""A schedule as descriptions and lists show it.

Source: DescribeSchedule, ScheduleInfo, ScheduleListInfo; rules 3.12.4 and 3.12.6.
"""

from __future__ import annotations

import itertools
from typing import Any

from outlast.api.common.v1 import Memo, SearchAttributes, WorkflowExecution
from outlast.api.protobuf import Timestamp
from outlast.api.schedule.v1 import (
    Schedule,
    ScheduleAction,
    ScheduleActionResult,
    ScheduleInfo,
    ScheduleListInfo,
    SchedulePolicies,
    ScheduleSpec,
)
from outlast.api.schedule.v1 import ScheduleState as UserState
from outlast.api.workflowservice.v1 import DescribeScheduleResponse
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import duration, timestamp

from .definition import token_of
from .spec import series, shown, times
from .state import Recent, ScheduleState


def describe(state: ScheduleState) -> DescribeScheduleResponse:
    """Everything about the schedule."""
    fields: dict[str, Any] = {}
    if state.memo:
        fields["memo"] = Memo.FromString(state.memo)
    if state.search_attributes:
        fields["search_attributes"] = SearchAttributes.FromString(state.search_attributes)
    return DescribeScheduleResponse(
        schedule=schedule(state), info=_info(state), conflict_token=token_of(state), **fields
    )


def schedule(state: ScheduleState) -> Schedule:
    """What users set, in the form of a request that sets it."""
    return Schedule(
        spec=shown(ScheduleSpec.FromString(state.spec)),
        action=ScheduleAction.FromString(state.action),
        policies=SchedulePolicies(
            overlap_policy=state.overlap,
            catchup_window=duration(state.catchup_ns),
            pause_on_failure=state.pause_on_failure,
            keep_original_workflow_id=state.keep_workflow_id,
        ),
        state=UserState(
            notes=state.notes,
            paused=state.paused,
            limited_actions=state.limited,
            remaining_actions=state.remaining,
        ),
    )


def _info(state: ScheduleState) -> ScheduleInfo:
    info = ScheduleInfo(
        action_count=state.actions,
        missed_catchup_window=state.missed,
        overlap_skipped=state.overlapped,
        buffer_dropped=state.dropped,
        buffer_size=len(state.buffer),
        running_workflows=[
            WorkflowExecution(workflow_id=each.workflow_id, run_id=each.run_id) for each in state.running
        ],
        recent_actions=_recent(state, limits.SCHEDULE_RECENT_ACTIONS_MAX),
        future_action_times=future(state, limits.SCHEDULE_RECENT_ACTIONS_MAX),
        create_time=timestamp(state.created_at),
    )
    if state.updated_at:
        info.update_time.CopyFrom(timestamp(state.updated_at))
    return info


def list_info(state: ScheduleState) -> ScheduleListInfo:
    """What a list shows, without what is large."""
    spec = shown(ScheduleSpec.FromString(state.spec))
    spec.ClearField("timezone_data")
    for name in ("structured_calendar", "exclude_structured_calendar", "interval"):
        del getattr(spec, name)[limits.SCHEDULE_LIST_SPECS_MAX :]
    return ScheduleListInfo(
        spec=spec,
        workflow_type=ScheduleAction.FromString(state.action).start_workflow.workflow_type,
        notes=state.notes,
        paused=state.paused,
        recent_actions=_recent(state, limits.SCHEDULE_LIST_ACTIONS_MAX),
        future_action_times=future(state, limits.SCHEDULE_LIST_ACTIONS_MAX),
    )


def _recent(state: ScheduleState, most: int) -> list[ScheduleActionResult]:
    return [_result(recent) for recent in state.recent[-most:]]


def _result(recent: Recent) -> ScheduleActionResult:
    return ScheduleActionResult(
        schedule_time=timestamp(recent.at),
        actual_time=timestamp(recent.started_at),
        start_workflow_result=WorkflowExecution(workflow_id=recent.workflow_id, run_id=recent.run_id),
        start_workflow_status=recent.status,
    )


def future(state: ScheduleState, most: int) -> list[Timestamp]:
    """When the next actions are due, also those of a paused schedule; at most as many as are left."""
    if state.limited:
        most = min(most, state.remaining)
    coming = (
        time.at for time in series(times(state.spec), state.seed, state.done_until) if time.at >= state.updated_at
    )
    return [timestamp(at) for at in itertools.islice(coming, most)]


def matching(state: ScheduleState, start_at: int, end_at: int) -> list[int]:
    """The times, ns since the epoch, later than ``start_at`` and not later than ``end_at``; if very many, the first.

    Raises:
        InvalidArgument: the stretch ends before it starts.
    """
    if end_at < start_at:
        raise InvalidArgument(
            f"schedule {state.schedule_id!r}: the end_time of the matching times is earlier than their start_time; "
            "exchange them"
        )
    coming = series(times(state.spec), state.seed, start_at)
    within = itertools.takewhile(lambda time: time.at <= end_at, coming)
    return [time.at for time in itertools.islice(within, limits.SCHEDULE_MATCHING_TIMES_MAX)]
