"""Cron schedules of workflows: what a spec means, and when it is due next.

Five fields (minute, hour, day of month, month, day of week), or one of ``@yearly @monthly @weekly @daily @hourly`` and
their synonyms, or ``@every 1h30m``, with ``CRON_TZ=Zone`` or ``TZ=Zone`` in front; UTC without it. Where both days are
restricted, one of them has to match. A wall time that a change of clocks skips does not happen, one that it repeats
happens twice. Names and bounds are those of Temporal's server, which are narrower than Unix cron's: Sunday is 0 only.

Rule: pure arithmetic on ns since the epoch. Time zones come from zoneinfo, the calendar's walk from cronsim.
Source: github.com/robfig/cron v3 ParseStandard and Next, common/backoff/cron.go of Temporal's server; semantics 3.6.2.
"""

from __future__ import annotations

import functools
import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import cronsim

from .errors import InvalidArgument
from .times import SECOND_NS


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()
    """What the numbers from ``first`` on may be called."""


_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)
WORDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
EVERY: Final = "@every"
_UNITS_NS: Final = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ms": 1_000_000,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "d": 86400 * SECOND_NS,
}
_LENGTH: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)")
_ELEMENT: Final = re.compile(r"(?P<begin>\*|\?|\w+)(-(?P<end>\w+))?(/(?P<step>\d+))?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PROBE: Final = datetime(2024, 1, 1, tzinfo=UTC)


class Cron(NamedTuple):
    """A spec that was read: ``every_ns`` for a fixed distance, else ``expression`` with numbers only, in ``zone``."""

    expression: str
    zone: str
    every_ns: int = 0


@functools.lru_cache(maxsize=512)
def parse(spec: str) -> Cron:
    """Read a spec.

    Raises:
        InvalidArgument: naming the field, the rule and the cure.
    """
    zone, rest = _zone(spec)
    if rest.startswith(f"{EVERY} "):
        return Cron("", zone, _every_ns(spec, rest[len(EVERY) :].strip()))
    if rest.startswith("@"):
        if rest not in WORDS:
            raise _bad(spec, f"{rest!r} is unknown; use one of {', '.join(WORDS)} or '@every 1h'")
        return Cron(WORDS[rest], zone)
    parts = rest.split()
    if len(parts) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        raise _bad(spec, f"it has {len(parts)} fields; give five: {names}")
    expression = " ".join(_numbers(spec, field, text) for field, text in zip(_FIELDS, parts, strict=True))
    try:
        next(cronsim.CronSim(f"0 {expression}", _PROBE))
    except (cronsim.CronSimError, StopIteration):
        raise _bad(spec, "no day of any year matches it; correct the day of month or the month") from None
    return Cron(expression, zone)


def next_at(cron: Cron, after: int, now: int) -> int:
    """The first instant later than ``now`` at which a run is due; those missed in between are skipped.

    Args:
        after: where the distances of ``@every`` are counted from: when the run before was due, or the first start.
        now: ns since the epoch, at or after ``after``.
    """
    if cron.every_ns:
        base = after - after % SECOND_NS
        return base + (max(now - base, 0) // cron.every_ns + 1) * cron.every_ns
    at = _EPOCH + timedelta(seconds=max(after, now) // SECOND_NS)
    # With a field for seconds, cronsim walks the wall clock plainly, without Debian's rules for changes of clocks.
    due = next(cronsim.CronSim(f"0 {cron.expression}", at.astimezone(zoneinfo.ZoneInfo(cron.zone))))
    return int((due - _EPOCH).total_seconds()) * SECOND_NS


def backoff_ns(spec: str, after: int, now: int) -> int:
    """How long a run that is created ``now`` waits for its turn: whole seconds, rounded up; 0 without a spec."""
    if not spec:
        return 0
    return -((now - next_at(parse(spec), after, now)) // SECOND_NS) * SECOND_NS


def _zone(spec: str) -> tuple[str, str]:
    """The name of the zone, and the rest of the spec."""
    if not spec.startswith(("TZ=", "CRON_TZ=")):
        return "UTC", spec.strip()
    head, _, rest = spec.partition(" ")
    name = head.partition("=")[2]
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise _bad(spec, f"there is no time zone {name!r}; give an IANA name such as 'Europe/Berlin'") from None
    return name, rest.strip()


def _every_ns(spec: str, text: str) -> int:
    """A length of time in whole seconds and at least one."""
    return max(length_ns(text, f"cron_schedule {spec!r}") // SECOND_NS, 1) * SECOND_NS


def length_ns(text: str, subject: str, *, days: bool = False) -> int:
    """A length of time as Go writes it; ``days`` allows ``d`` for 24 hours.

    Raises:
        InvalidArgument: it is none; the message begins with ``subject``.
    """
    found = list(_LENGTH.finditer(text))
    if not text or "".join(match.group() for match in found) != text or ("d" in text and not days):
        raise InvalidArgument(f"{subject}: {text!r} is no length of time; write it like '90s', '1h30m' or '24h'")
    return sum(int(float(match[1]) * _UNITS_NS[match[2]]) for match in found)


def _numbers(spec: str, field: _Field, text: str) -> str:
    """A field as ``*`` or a list of numbers."""
    values: set[int] = set()
    star = False
    for element in text.split(","):
        match = _ELEMENT.fullmatch(element)
        if match is None:
            raise _bad(spec, f"{field.name}: {element!r} is neither '*', a value, a range 'a-b' nor one with a step")
        step = int(match["step"]) if match["step"] else 1
        if match["begin"] in "*?":
            if match["end"]:
                raise _bad(spec, f"{field.name}: {element!r} is no range; give two values")
            first, last = field.first, field.last
            star = star or step == 1
        else:
            first = _value(spec, field, match["begin"])
            # A single value with a step goes on to the end: 5/15 is 5-59/15.
            last = _value(spec, field, match["end"]) if match["end"] else field.last if match["step"] else first
        if not step:
            raise _bad(spec, f"{field.name}: the step of {element!r} is 0; give 1 or more")
        if first > last:
            raise _bad(spec, f"{field.name}: {element!r} begins after its end; turn it round or give two ranges")
        values.update(range(first, last + 1, step))
    return "*" if star else ",".join(map(str, sorted(values)))


def _value(spec: str, field: _Field, text: str) -> int:
    if text.upper() in field.names:
        return field.first + field.names.index(text.upper())
    if not (text.isascii() and text.isdigit()) or not field.first <= int(text) <= field.last:
        names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
        raise _bad(spec, f"{field.name}: {text!r} is not {field.first} to {field.last}{names}")
    return int(text)


def _bad(spec: str, problem: str) -> InvalidArgument:
    return InvalidArgument(f"cron_schedule {spec!r}: {problem}")
