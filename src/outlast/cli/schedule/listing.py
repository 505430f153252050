"""``outlast schedule list`` and ``list-matching-times``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import click

from outlast.api.protobuf import Timestamp
from outlast.api.schedule.v1 import ScheduleListEntry
from outlast.api.workflowservice.v1 import ListScheduleMatchingTimesRequest, ListSchedulesRequest

from .. import values
from ..connection import Session, connected
from ..paging import paged
from ..printing import Row
from .options import INSTANT, SCHEDULE_ID
from .wording import calendar_line, spec_lines

_SHORT: Final = ("ScheduleId", "Action", "Paused", "NextRunTime", "LastRunTime")
_LONG: Final = ("Spec", "Notes")
_REALLY_LONG: Final = ("SkipSpec", "StartAt", "EndAt", "Jitter", "TimeZoneName", "SearchAttributes", "Memo")


@click.command("list")
@click.option("--query", "-q", default="", help="List filter.")
@click.option("--long", "-l", is_flag=True, help="Also their specs and notes.")
@click.option("--really-long", is_flag=True, help="Everything that a list has.")
@connected
async def list_all(session: Session, *, query: str, long: bool, really_long: bool) -> None:
    """List schedules."""
    columns = _SHORT + (_LONG if long or really_long else ()) + (_REALLY_LONG if really_long else ())
    await session.printer.pages(columns, _pages(session, query, columns))


async def _pages(session: Session, query: str, columns: tuple[str, ...]) -> AsyncIterator[list[Row]]:
    request = ListSchedulesRequest(namespace=session.namespace, query=query)
    async for found in paged(session.service.list_schedules, request, "schedules"):
        yield [(_cells(session, entry, columns), entry) for entry in found]


def _cells(session: Session, entry: ScheduleListEntry, columns: tuple[str, ...]) -> list[str]:
    time, info = session.printer.time, entry.info
    cells = {
        "ScheduleId": entry.schedule_id,
        "Action": info.workflow_type.name,
        "Paused": str(info.paused).lower(),
        "NextRunTime": time(info.future_action_times[0]) if info.future_action_times else "",
        "LastRunTime": time(info.recent_actions[-1].schedule_time) if info.recent_actions else "",
        "Spec": "; ".join(spec_lines(info.spec)),
        "Notes": info.notes,
        "SkipSpec": "; ".join(map(calendar_line, info.spec.exclude_structured_calendar)),
        "StartAt": time(info.spec.start_time),
        "EndAt": time(info.spec.end_time),
        "Jitter": values.duration(info.spec.jitter),
        "TimeZoneName": info.spec.timezone_name,
        "SearchAttributes": values.fields(entry.search_attributes.indexed_fields),
        "Memo": values.fields(entry.memo.fields),
    }
    return [cells[column] for column in columns]


@click.command("list-matching-times")
@SCHEDULE_ID
@click.option("--start-time", type=INSTANT, required=True, help="After this time.")
@click.option("--end-time", type=INSTANT, required=True, help="Up to this time.")
@connected
async def list_matching_times(
    session: Session, *, schedule_id: str, start_time: Timestamp, end_time: Timestamp
) -> None:
    """List when a schedule acts, or would have acted, in a stretch of time; at most a thousand times."""
    request = ListScheduleMatchingTimesRequest(
        namespace=session.namespace, schedule_id=schedule_id, start_time=start_time, end_time=end_time
    )
    found = await session.service.list_schedule_matching_times(request, retry=True)
    rows: list[Row] = [((values.time(at, "raw"),), {"time": at.ToJsonString()}) for at in found.start_time]
    session.printer.table(("Time",), rows, data=found)
