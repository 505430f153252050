"""``outlast schedule create``, ``update`` and ``delete``.

Source: the option sets ``schedule-configuration`` and ``schedule-create-only`` of Temporal's CLI.
"""

from __future__ import annotations

from typing import Any, Final

import click
from google.protobuf import json_format

from outlast.api.common.v1 import Memo, Payloads, SearchAttributes
from outlast.api.schedule.v1 import CalendarSpec, IntervalSpec, Schedule
from outlast.api.workflowservice.v1 import CreateScheduleRequest, DeleteScheduleRequest, UpdateScheduleRequest
from outlast.vocab import times

from ..connection import Session, connected
from ..inputs import DURATION, json_pairs, payload_options
from ..options import Option, with_options
from ..reference import fresh_id
from ..workflow.starting import SHARED_START_OPTIONS, fill_shared
from .options import INSTANT, OVERLAP, SCHEDULE_ID, policy

_CONFIGURATION: Final[Option] = with_options(
    click.option("--calendar", multiple=True, help='As JSON, {"hour": "17", "dayOfWeek": "Fri"}; repeatable.'),
    click.option("--cron", multiple=True, help='As a cron string, "30 12 * * Fri"; repeatable.'),
    click.option("--interval", multiple=True, help="90m, or 60m/15m with a phase; repeatable."),
    click.option("--start-time", type=INSTANT, help="No action before."),
    click.option("--end-time", type=INSTANT, help="No action after."),
    click.option("--jitter", type=DURATION, help="Put each action off by up to this much."),
    click.option("--time-zone", default="", help="IANA name of the zone of all wall times; UTC if not given."),
    click.option("--catchup-window", type=DURATION, help="How late an action may be taken; a year if not given."),
    click.option("--pause-on-failure", is_flag=True, help="Pause when a workflow fails."),
    click.option("--paused", is_flag=True, help="Take no actions yet."),
    click.option("--notes", default="", help="Note about the state."),
    click.option("--remaining-actions", type=click.IntRange(0), default=0, help="So many actions; 0 for no limit."),
)


def _schedule(options: dict[str, Any], schedule_id: str, input: Payloads | None) -> Schedule:
    """The schedule that the options ask for; takes its options out of the dictionary."""
    taken = {name: options.pop(name) for name in _NAMES}
    schedule = Schedule()
    spec = schedule.spec
    spec.calendar.extend(_calendar(text) for text in taken["calendar"])
    spec.cron_string.extend(taken["cron"])
    spec.interval.extend(_interval(text) for text in taken["interval"])
    spec.timezone_name = taken["time_zone"]
    for message, instant in ((spec.start_time, taken["start_time"]), (spec.end_time, taken["end_time"])):
        if instant is not None:
            message.CopyFrom(instant)
    for length, ns in (
        (spec.jitter, taken["jitter"]),
        (schedule.policies.catchup_window, taken["catchup_window"]),
    ):
        if ns is not None:
            length.CopyFrom(times.duration(ns))
    schedule.policies.overlap_policy = policy(taken["overlap_policy"])
    schedule.policies.pause_on_failure = taken["pause_on_failure"]
    schedule.state.notes = taken["notes"]
    schedule.state.paused = taken["paused"]
    schedule.state.limited_actions = taken["remaining_actions"] > 0
    schedule.state.remaining_actions = taken["remaining_actions"]
    options["workflow_id"] = options["workflow_id"] or schedule_id
    fill_shared(schedule.action.start_workflow, options, input)
    return schedule


_NAMES: Final = (
    "calendar",
    "cron",
    "interval",
    "start_time",
    "end_time",
    "jitter",
    "time_zone",
    "catchup_window",
    "overlap_policy",
    "pause_on_failure",
    "paused",
    "notes",
    "remaining_actions",
)


def _calendar(text: str) -> CalendarSpec:
    calendar = CalendarSpec()
    try:
        json_format.Parse(text, calendar)
    except json_format.ParseError as error:
        names = ", ".join(field.json_name for field in CalendarSpec.DESCRIPTOR.fields)
        raise click.BadParameter(f"--calendar {text!r}: {error}; it is a JSON object of texts: {names}") from error
    return calendar


def _interval(text: str) -> IntervalSpec:
    length, slash, phase = text.partition("/")
    interval = IntervalSpec(interval=times.duration(DURATION.convert(length, None, None)))
    if slash:
        interval.phase.CopyFrom(times.duration(DURATION.convert(phase, None, None)))
    return interval


@click.command()
@SCHEDULE_ID
@_CONFIGURATION
@OVERLAP
@click.option("--schedule-search-attribute", multiple=True, callback=json_pairs, help="NAME=JSON; repeatable.")
@click.option("--schedule-memo", multiple=True, callback=json_pairs, help="NAME=JSON; repeatable.")
@SHARED_START_OPTIONS
@payload_options()
@connected
async def create(
    session: Session,
    *,
    schedule_id: str,
    input: Payloads | None,
    schedule_memo: dict[str, Any],
    schedule_search_attribute: dict[str, Any],
    **options: Any,
) -> None:
    """Create a schedule. The ids of its workflows are --workflow-id, or the schedule's id, and the time."""
    request = CreateScheduleRequest(
        namespace=session.namespace,
        schedule_id=schedule_id,
        schedule=_schedule(options, schedule_id, input),
        identity=session.identity,
        request_id=fresh_id(),
    )
    if schedule_memo:
        request.memo.CopyFrom(Memo(fields=schedule_memo))
    if schedule_search_attribute:
        request.search_attributes.CopyFrom(SearchAttributes(indexed_fields=schedule_search_attribute))
    await session.service.create_schedule(request, retry=True)
    session.printer.line("Schedule created")
    session.printer.data({"scheduleId": schedule_id})


@click.command()
@SCHEDULE_ID
@_CONFIGURATION
@OVERLAP
@SHARED_START_OPTIONS
@payload_options()
@connected
async def update(session: Session, *, schedule_id: str, input: Payloads | None, **options: Any) -> None:
    """Replace a schedule: what is not given here is as in a new one."""
    request = UpdateScheduleRequest(
        namespace=session.namespace,
        schedule_id=schedule_id,
        schedule=_schedule(options, schedule_id, input),
        identity=session.identity,
        request_id=fresh_id(),
    )
    await session.service.update_schedule(request, retry=True)
    session.printer.line("Schedule updated")
    session.printer.data({"scheduleId": schedule_id})


@click.command()
@SCHEDULE_ID
@connected
async def delete(session: Session, *, schedule_id: str) -> None:
    """Remove a schedule; the workflows that it has started go on."""
    request = DeleteScheduleRequest(namespace=session.namespace, schedule_id=schedule_id, identity=session.identity)
    await session.service.delete_schedule(request, retry=True)
    session.printer.line("Schedule deleted")
    session.printer.data({"scheduleId": schedule_id})
