"""Calendars: which seconds of a time zone's wall clock match, and when the next one is.

A calendar is a set of seconds, minutes, hours, days of the month, months, years and days of the week; a wall time
matches if every part of it does. A wall time that a change of clocks skips never happens, one that it repeats happens
twice.

Rule: pure arithmetic on whole seconds since the epoch. The walk goes day by day of the wall clock, cut where the
zone's offset changes, so that within a piece wall time and time differ by a constant.
Source: rules 3.12.1 and 3.12.2.
"""

from __future__ import annotations

import functools
import io
import zoneinfo
from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

YEAR_FIRST: Final = 2000
YEAR_LAST: Final = 2100
"""Nothing matches after this year."""
_DAY: Final = 86400
_BACK: Final = 3 * 3600
"""So long after midnight clocks may still be put back to the day before."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


class Calendar(NamedTuple):
    """What matches: ascending numbers; Sunday is 0; no years = every year."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    weekdays: tuple[int, ...]


@functools.lru_cache(maxsize=512)
def zone(name: str, data: bytes = b"") -> zoneinfo.ZoneInfo:
    """A time zone: of ``data`` in the TZif format, else by its IANA name; UTC for an empty one.

    Raises:
        ValueError: there is none of this name, or the data are none.
    """
    try:
        if data:
            return zoneinfo.ZoneInfo.from_file(io.BytesIO(data), key=name or None)
        return zoneinfo.ZoneInfo(name or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}; give an IANA name such as 'Europe/Berlin'") from error


def matches(calendar: Calendar, place: zoneinfo.ZoneInfo, at: int) -> bool:
    """Whether the wall clock shows a time of the calendar at this instant, seconds since the epoch."""
    wall = at + _offset(place, at)
    day, second = divmod(wall, _DAY)
    hour, rest = divmod(second, 3600)
    return (
        _on(calendar, date.fromordinal(_EPOCH_DAY + day))
        and hour in calendar.hours
        and rest // 60 in calendar.minutes
        and rest % 60 in calendar.seconds
    )


def matches_until(calendar: Calendar, place: zoneinfo.ZoneInfo, at: int) -> int:
    """The last instant of a stretch that matches from ``at`` on without a gap; ``at`` itself has to match.

    The stretch may go on: it is looked for within the minute, hour or day that the calendar contains as a whole.
    """
    second = (at + _offset(place, at)) % _DAY
    length = 1
    for field, whole, size in ((calendar.seconds, 60, 60), (calendar.minutes, 60, 3600), (calendar.hours, 24, _DAY)):
        if len(field) < whole:
            break
        length = size
    last = at + length - 1 - second % length
    return last if _offset(place, last) == _offset(place, at) else at


def next_at(calendar: Calendar, place: zoneinfo.ZoneInfo, after: int) -> int | None:
    """The first instant later than ``after`` that matches, seconds since the epoch; None when there is none left."""
    at = after + 1
    while True:
        offset = _offset(place, at)
        day, second = divmod(at + offset, _DAY)
        today = date.fromordinal(_EPOCH_DAY + day)
        if today.year > YEAR_LAST:
            return None
        end = at + _DAY - second
        change = _change(place, at, end, offset)
        if _on(calendar, today):
            found = _time_of_day(calendar, second)
            if found is not None and at + found - second < (end if change is None else change):
                return at + found - second
        if change is not None:
            at = change
        elif _offset(place, end + _BACK) != offset:
            at = end
        else:
            following = _day_from(calendar, date.fromordinal(_EPOCH_DAY + day + 1))
            if following is None:
                return None
            at = max(end, _midnight(place, following))


def rfc3339(at: int) -> str:
    """An instant, ns since the epoch, as text in UTC with whole seconds."""
    return (_EPOCH + timedelta(seconds=at // 1_000_000_000)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _on(calendar: Calendar, day: date) -> bool:
    return (
        day.day in calendar.days
        and day.month in calendar.months
        and (not calendar.years or day.year in calendar.years)
        and day.isoweekday() % 7 in calendar.weekdays
    )


def _time_of_day(calendar: Calendar, second: int) -> int | None:
    """The first matching second of a day from this one on."""
    hour, rest = divmod(second, 3600)
    minute, rest = divmod(rest, 60)
    for candidate in calendar.hours[bisect_left(calendar.hours, hour) :]:
        if candidate > hour:
            minute = rest = 0
        for within in calendar.minutes[bisect_left(calendar.minutes, minute) :]:
            low = rest if within == minute else 0
            index = bisect_left(calendar.seconds, low)
            if index < len(calendar.seconds):
                return candidate * 3600 + within * 60 + calendar.seconds[index]
    return None


def _day_from(calendar: Calendar, first: date) -> date | None:
    """The first matching day from this one on."""
    for year in range(first.year, YEAR_LAST + 1):
        if calendar.years and year not in calendar.years:
            continue
        for month in calendar.months:
            if (year, month) < (first.year, first.month):
                continue
            for number in calendar.days:
                try:
                    day = date(year, month, number)
                except ValueError:  # a month without this day
                    continue
                if day >= first and day.isoweekday() % 7 in calendar.weekdays:
                    return day
    return None


def _midnight(place: zoneinfo.ZoneInfo, day: date) -> int:
    """When the day begins; where its midnight is skipped, the instant of the change."""
    return int((datetime(day.year, day.month, day.day, tzinfo=place) - _EPOCH).total_seconds())


def _offset(place: zoneinfo.ZoneInfo, at: int) -> int:
    """Wall time minus UTC, in seconds."""
    offset = (_EPOCH + timedelta(seconds=at)).astimezone(place).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _change(place: zoneinfo.ZoneInfo, at: int, end: int, offset: int) -> int | None:
    """The first instant after ``at`` and up to ``end`` with another offset; None when there is no change of clocks."""
    if _offset(place, end) == offset:
        return None
    low, high = at, end
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(place, middle) == offset:
            low = middle
        else:
            high = middle
    return high
