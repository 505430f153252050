"""Calendars and cron strings as text, read into ranges of numbers.

A field is a list of ``*``, a value, ``a-b``, each with ``/step`` behind it if wanted; ``a/step`` goes on to the end.
Months and days of the week have names of at least three and two letters; Sunday is 0 or 7. A cron string has five
fields, six with the year at the end, seven with the seconds in front; or it is ``@daily`` and the like, or
``@every 90m/15m``, an interval and its phase. ``CRON_TZ=Zone`` or ``TZ=Zone`` may stand in front, ``# a comment``
behind.

Rule: the ranges are those that Temporal's server writes, ``end`` and ``step`` left out where they say nothing.
Source: CalendarSpec, StructuredCalendarSpec, Range; rules 3.12.1 and 3.12.2.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from outlast.api.schedule.v1 import CalendarSpec, IntervalSpec, Range, StructuredCalendarSpec
from outlast.vocab import cron
from outlast.vocab.calendar import YEAR_FIRST, YEAR_LAST
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import duration


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    default: str
    names: tuple[str, ...] = ()
    """What the numbers from ``first`` on are called."""
    letters: int = 0
    """So many of a name have to be given."""


_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_FIELDS: Final = (
    _Field("second", 0, 59, "0"),
    _Field("minute", 0, 59, "0"),
    _Field("hour", 0, 23, "0"),
    _Field("day_of_month", 1, 31, "*"),
    _Field("month", 1, 12, "*", _MONTHS, 3),
    _Field("day_of_week", 0, 7, "*", _WEEKDAYS, 2),
    _Field("year", YEAR_FIRST, YEAR_LAST, "*"),
)
assert {field.name for field in _FIELDS} | {"comment"} == set(CalendarSpec.DESCRIPTOR.fields_by_name)
_CRON: Final = {
    5: ("minute", "hour", "day_of_month", "month", "day_of_week"),
    6: ("minute", "hour", "day_of_month", "month", "day_of_week", "year"),
    7: ("second", "minute", "hour", "day_of_month", "month", "day_of_week", "year"),
}


class CronString(NamedTuple):
    """What a cron string says: a calendar or an interval, and a time zone if it names one."""

    calendar: StructuredCalendarSpec | None
    interval: IntervalSpec | None
    zone: str


def structured(calendar: CalendarSpec, subject: str) -> StructuredCalendarSpec:
    """The calendar with its fields as ranges.

    Raises:
        InvalidArgument: naming the field, the rule and the cure.
    """
    read = StructuredCalendarSpec(comment=calendar.comment)
    for field in _FIELDS:
        getattr(read, field.name).extend(_ranges(field, getattr(calendar, field.name), subject))
    return read


def cron_string(text: str) -> CronString:
    """Read a cron string.

    Raises:
        InvalidArgument: naming the field, the rule and the cure.
    """
    subject = f"cron string {text!r}"
    rest, zone = text.strip(), ""
    if rest.startswith(("TZ=", "CRON_TZ=")):
        head, _, rest = rest.partition(" ")
        zone = head.partition("=")[2]
    rest, _, comment = rest.partition("#")
    rest = rest.strip()
    if rest.startswith(cron.EVERY):
        return CronString(None, _every(rest[len(cron.EVERY) :].strip(), subject), "")
    parts = cron.WORDS.get(rest, rest).split()
    names = _CRON.get(len(parts))
    if names is None:
        words = ", ".join(cron.WORDS)
        raise InvalidArgument(
            f"{subject}: it has {len(parts)} fields; give five ({', '.join(_CRON[5])}), six with the year behind them, "
            f"seven with the second in front, or one of {words} or '@every 1h'"
        )
    fields = CalendarSpec(comment=comment.strip(), **dict(zip(names, parts, strict=True)))
    return CronString(structured(fields, subject), None, zone)


def _every(text: str, subject: str) -> IntervalSpec:
    interval, _, phase = text.partition("/")
    read = IntervalSpec(interval=duration(cron.length_ns(interval, subject, days=True)))
    if phase:
        read.phase.CopyFrom(duration(cron.length_ns(phase, subject, days=True)))
    return read


def _ranges(field: _Field, text: str, subject: str) -> list[Range]:
    text = text.strip() or field.default
    if text == "*" and field.name == "year":
        return []  # every year, and not only those that have a number here
    ranges: list[Range] = []
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _step(field, part, step_text, subject) if slash else 1
        first, last = field.first, field.last
        if span != "*":
            begin, dash, end = span.partition("-")
            first = _value(field, begin, subject)
            # A single value with a step goes on to the end: 5/15 is 5-59/15.
            last = _value(field, end, subject) if dash else field.last if slash else first
            if last < first:
                raise InvalidArgument(
                    f"{subject}: {field.name}: {part!r} begins after its end; turn it round or give two ranges"
                )
        if field.names is _WEEKDAYS and last == 7:
            # Sunday is 0: a range that reaches it as 7 becomes two, unless it holds the 0 anyway.
            if (7 - first) % step == 0 and (step > 1 or first > 1):
                ranges.append(Range())
                if first == 7:
                    continue
            last = 6
        ranges.append(Range(start=first, end=last if last > first else 0, step=step if step > 1 else 0))
    return ranges


def _step(field: _Field, part: str, text: str, subject: str) -> int:
    if not (text.isascii() and text.isdigit()) or not int(text):
        raise InvalidArgument(f"{subject}: {field.name}: the step of {part!r} is no number of at least 1")
    return int(text)


def _value(field: _Field, text: str, subject: str) -> int:
    if field.names and len(text) >= field.letters:
        for number, name in enumerate(field.names, field.first):
            if name.startswith(text.lower()):
                return number
    if not (text.isascii() and text.isdigit()) or not field.first <= int(text) <= field.last:
        names = f" or a name such as {field.names[0]!r}" if field.names else ""
        raise InvalidArgument(f"{subject}: {field.name}: {text!r} is not {field.first} to {field.last}{names}")
    return int(text)
