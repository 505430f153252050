"""When a schedule acts: its spec as it is kept, and the times that follow from it.

    calendars, cron strings, intervals --union, minus exclusions, from start to end--> nominal times --jitter--> times

Calendars and cron strings in text become structured calendars and intervals once and for all, so that what is kept,
shown and listed has one form. A nominal time is a whole second; the time adds the jitter, which depends on the
schedule and the nominal time alone and never reaches the next nominal time.

Source: ScheduleSpec; rules 3.12.1 to 3.12.3.
"""

from __future__ import annotations

import functools
import hashlib
import zoneinfo
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from outlast.api.schedule.v1 import IntervalSpec, Range, ScheduleSpec, StructuredCalendarSpec
from outlast.vocab import limits
from outlast.vocab.calendar import YEAR_FIRST, YEAR_LAST, Calendar, matches, matches_until, next_at, zone
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import SECOND_NS, from_duration, from_timestamp

from . import calendar_text

_BOUNDS: Final = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day_of_month": (1, 31),
    "month": (1, 12),
    "year": (YEAR_FIRST, YEAR_LAST),
    "day_of_week": (0, 6),
}
assert set(_BOUNDS) | {"comment"} == set(StructuredCalendarSpec.DESCRIPTOR.fields_by_name)
_END_OF_TIME: Final = 4133980800
"""The first second of the year 2101, seconds since the epoch."""
_MILLISECOND_NS: Final = 1_000_000


class Time(NamedTuple):
    """One time of a schedule, ns since the epoch."""

    nominal_at: int
    at: int
    """With the jitter."""


class Times(NamedTuple):
    """A spec made ready to be asked. Intervals are (length, phase) in seconds."""

    calendars: tuple[Calendar, ...]
    excluded: tuple[Calendar, ...]
    intervals: tuple[tuple[int, int], ...]
    place: zoneinfo.ZoneInfo
    start_at: int
    end_at: int
    """0 = for ever."""
    jitter_ns: int


# -- the spec --------------------------------------------------------------------------------------------------------


def canonical(spec: ScheduleSpec) -> ScheduleSpec:
    """The spec with everything in structured form, checked.

    Raises:
        InvalidArgument: naming the field, the rule and the cure.
    """
    kept = ScheduleSpec()
    kept.CopyFrom(spec)
    for text in spec.calendar:
        kept.structured_calendar.append(calendar_text.structured(text, "schedule spec: calendar"))
    for text in spec.exclude_calendar:
        kept.exclude_structured_calendar.append(calendar_text.structured(text, "schedule spec: exclude_calendar"))
    read = [calendar_text.cron_string(text) for text in spec.cron_string]
    for cron in read:
        if cron.calendar is not None:
            kept.structured_calendar.append(cron.calendar)
        if cron.interval is not None:
            kept.interval.append(cron.interval)
    _agree({cron.zone for cron in read}, kept)
    for name in ("calendar", "exclude_calendar", "cron_string"):
        kept.ClearField(name)
    _check(kept)
    return kept


def _agree(zones: set[str], kept: ScheduleSpec) -> None:
    """One spec has one time zone, whether it is named in a cron string or beside them."""
    if len(zones) > 1:
        raise InvalidArgument(
            f"schedule spec: the cron strings name different time zones ({', '.join(map(repr, sorted(zones)))}); a "
            "spec has one, so name it in all of them, or in timezone_name"
        )
    named = next(iter(zones), "")
    if not named:
        return
    if kept.timezone_data or kept.timezone_name not in ("", named):
        raise InvalidArgument(
            f"schedule spec: a cron string names the time zone {named!r}, the spec another one "
            f"({kept.timezone_name or 'timezone_data'!r}); name one of them only"
        )
    kept.timezone_name = named


def _check(spec: ScheduleSpec) -> None:
    for calendar in (*spec.structured_calendar, *spec.exclude_structured_calendar):
        for name, (first, last) in _BOUNDS.items():
            for span in getattr(calendar, name):
                if not first <= span.start <= last:
                    raise InvalidArgument(f"schedule spec: {name} {span.start} is not between {first} and {last}")
                if span.end and not span.start <= span.end <= last:
                    raise InvalidArgument(
                        f"schedule spec: {name} {span.start} to {span.end} ends before it starts or after {last}"
                    )
                if span.step < 0:
                    raise InvalidArgument(f"schedule spec: {name} has the step {span.step}; give 1 or more")
        if len(calendar.comment) > limits.SCHEDULE_COMMENT_MAX:
            raise InvalidArgument(
                f"schedule spec: the comment of a calendar has {len(calendar.comment)} characters, more than the "
                f"{limits.SCHEDULE_COMMENT_MAX} that are allowed"
            )
    for interval in spec.interval:
        length, phase = from_duration(interval.interval), from_duration(interval.phase)
        if length < SECOND_NS:
            raise InvalidArgument("schedule spec: an interval is shorter than a second; give at least one")
        if not 0 <= phase < length:
            raise InvalidArgument(
                "schedule spec: the phase of an interval is negative, or not shorter than the interval itself; take it "
                "modulo the interval"
            )
    if from_duration(spec.jitter) < 0:
        raise InvalidArgument("schedule spec: the jitter is negative; leave it out for none")
    try:
        zone(spec.timezone_name, spec.timezone_data)
    except ValueError as error:
        raise InvalidArgument(f"schedule spec: {error}") from None


def shown(spec: ScheduleSpec) -> ScheduleSpec:
    """The spec as descriptions and lists show it: every range with its end and its step."""
    answer = ScheduleSpec()
    answer.CopyFrom(spec)
    for calendar in (*answer.structured_calendar, *answer.exclude_structured_calendar):
        for name in _BOUNDS:
            for span in getattr(calendar, name):
                span.end = max(span.start, span.end)
                span.step = span.step or 1
    return answer


# -- the times -------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024)
def times(kept: bytes) -> Times:
    """The times of a canonical spec, given as it is kept."""
    spec = ScheduleSpec.FromString(kept)
    return Times(
        calendars=tuple(map(_calendar, spec.structured_calendar)),
        excluded=tuple(map(_calendar, spec.exclude_structured_calendar)),
        intervals=tuple(map(_interval, spec.interval)),
        place=zone(spec.timezone_name, spec.timezone_data),
        start_at=from_timestamp(spec.start_time),
        end_at=from_timestamp(spec.end_time) if spec.HasField("end_time") else 0,
        jitter_ns=from_duration(spec.jitter),
    )


def _calendar(spec: StructuredCalendarSpec) -> Calendar:
    return Calendar(
        seconds=_numbers(spec.second),
        minutes=_numbers(spec.minute),
        hours=_numbers(spec.hour),
        days=_numbers(spec.day_of_month),
        months=_numbers(spec.month),
        years=_numbers(spec.year),
        weekdays=_numbers(spec.day_of_week),
    )


def _numbers(spans: Iterable[Range]) -> tuple[int, ...]:
    found: set[int] = set()
    for span in spans:
        found.update(range(span.start, max(span.start, span.end) + 1, span.step or 1))
    return tuple(sorted(found))


def _interval(spec: IntervalSpec) -> tuple[int, int]:
    return from_duration(spec.interval) // SECOND_NS, from_duration(spec.phase) // SECOND_NS


def following(spec: Times, seed: str, after: int) -> Time | None:
    """The first time whose nominal time is later than an instant; None when there is none any more.

    None also when so many times in a row are excluded that it is not worth while to go on looking.
    """
    at = max(after, spec.start_at - SECOND_NS) // SECOND_NS
    for _ in range(limits.SCHEDULE_SEARCH_MAX):
        nominal = _next(spec, at)
        if nominal is None or (spec.end_at and nominal * SECOND_NS > spec.end_at):
            return None
        excluding = [calendar for calendar in spec.excluded if matches(calendar, spec.place, nominal)]
        if not excluding:
            return Time(nominal * SECOND_NS, nominal * SECOND_NS + _jitter(spec, seed, nominal))
        at = max(matches_until(calendar, spec.place, nominal) for calendar in excluding)
    return None


def series(spec: Times, seed: str, after: int) -> Iterator[Time]:
    """The times one after the other."""
    time = following(spec, seed, after)
    while time is not None:
        yield time
        time = following(spec, seed, time.at)


def _next(spec: Times, after: int) -> int | None:
    """The first nominal time after an instant, exclusions not counted; both in seconds."""
    found = [(after - phase) // length * length + length + phase for length, phase in spec.intervals]
    for calendar in spec.calendars:
        at = next_at(calendar, spec.place, after)
        if at is not None:
            found.append(at)
    earliest = min(found, default=_END_OF_TIME)
    return earliest if earliest < _END_OF_TIME else None


def _jitter(spec: Times, seed: str, nominal: int) -> int:
    if not spec.jitter_ns:
        return 0
    most = spec.jitter_ns
    next_nominal = _next(spec, nominal)
    if next_nominal is not None:
        most = min(most, (next_nominal - nominal) * SECOND_NS)
    drawn = int.from_bytes(hashlib.blake2b(f"{nominal}/{seed}".encode(), digest_size=4).digest())
    return (drawn * (most // _MILLISECOND_NS) >> 32) * _MILLISECOND_NS
