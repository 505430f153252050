"""What schedules look like to people: specs in words, one line a calendar or interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from outlast.api.schedule.v1 import Range, ScheduleSpec, StructuredCalendarSpec

from .. import values

_WHOLE: Final = {
    "second": "0-59",
    "minute": "0-59",
    "hour": "0-23",
    "dayOfMonth": "1-31",
    "month": "1-12",
    "dayOfWeek": "0-6",
    "year": "",
}
"""Fields that match everything, which need not be said."""


def spec_lines(spec: ScheduleSpec) -> Iterator[str]:
    """The calendars and intervals of a spec."""
    for calendar in spec.structured_calendar:
        yield calendar_line(calendar)
    yield from spec.cron_string
    for interval in spec.interval:
        phase = values.duration(interval.phase)
        yield f"every {values.duration(interval.interval)}" + (f" from {phase}" if phase else "")


def calendar_line(calendar: StructuredCalendarSpec) -> str:
    """``minute=30 hour=9-17/4 dayOfWeek=1-5 # office``."""
    parts = []
    for field in calendar.DESCRIPTOR.fields:
        if field.json_name in _WHOLE:
            text = _ranges(getattr(calendar, field.name))
            if text != _WHOLE[field.json_name]:
                parts.append(f"{field.json_name}={text or 'never'}")
    return " ".join(parts) + (f" # {calendar.comment}" if calendar.comment else "")


def _ranges(spans: Iterable[Range]) -> str:
    return ",".join(
        f"{span.start}" + (f"-{span.end}" if span.end > span.start else "") + (f"/{span.step}" if span.step > 1 else "")
        for span in spans
    )
