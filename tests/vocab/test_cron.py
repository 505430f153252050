"""Cron specs: what is due when, and what is refused. The expected instants were worked out by hand from robfig/cron."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from outlast.vocab import cron
from outlast.vocab.errors import InvalidArgument

SECOND = 1_000_000_000


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def following(spec: str, after: str, count: int) -> list[str]:
    at = ns(after)
    found = []
    for _ in range(count):
        at = cron.next_at(cron.parse(spec), at, at)
        found.append(datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S"))
    return found


@pytest.mark.parametrize(
    ("spec", "after", "expected"),
    [
        ("*/15 * * * *", "2024-01-01 00:00:00", ["2024-01-01 00:15:00", "2024-01-01 00:30:00"]),
        ("5/20 * * * *", "2024-01-01 00:06:00", ["2024-01-01 00:25:00", "2024-01-01 00:45:00", "2024-01-01 01:05:00"]),
        ("0 9-17/4 * * mon-fri", "2024-01-05 13:30:00", ["2024-01-05 17:00:00", "2024-01-08 09:00:00"]),
        ("0 0 1 jan,jul ?", "2024-01-01 00:00:00", ["2024-07-01 00:00:00", "2025-01-01 00:00:00"]),
        ("0 0 29 2 *", "2024-02-29 00:00:00", ["2028-02-29 00:00:00"]),
        ("@weekly", "2024-01-01 00:00:00", ["2024-01-07 00:00:00", "2024-01-14 00:00:00"]),
        ("@yearly", "2024-01-01 00:00:00", ["2025-01-01 00:00:00"]),
        ("@midnight", "2024-01-01 00:00:00", ["2024-01-02 00:00:00"]),
        ("@every 1h30m", "2024-01-01 00:00:07", ["2024-01-01 01:30:07", "2024-01-01 03:00:07"]),
        ("@every 10ms", "2024-01-01 00:00:07", ["2024-01-01 00:00:08"]),
        # Both days restricted: one of them is enough.
        ("0 0 13 * 5", "2024-09-01 00:00:00", ["2024-09-06 00:00:00", "2024-09-13 00:00:00", "2024-09-20 00:00:00"]),
        # One of them a star: the other alone decides; a star with a step is a restriction.
        ("0 0 * * 5", "2024-09-01 00:00:00", ["2024-09-06 00:00:00", "2024-09-13 00:00:00"]),
        ("0 0 1,* * 5", "2024-09-01 00:00:00", ["2024-09-06 00:00:00", "2024-09-13 00:00:00"]),
        ("0 0 */10 * 5", "2024-09-01 00:00:00", ["2024-09-06 00:00:00", "2024-09-11 00:00:00", "2024-09-13 00:00:00"]),
    ],
)
def test_the_next_times(spec: str, after: str, expected: list[str]) -> None:
    assert following(spec, after, len(expected)) == expected


@pytest.mark.parametrize("prefix", ["CRON_TZ=", "TZ="])
def test_a_time_zone(prefix: str) -> None:
    assert following(f"{prefix}Asia/Tokyo 30 8 * * *", "2024-01-01 00:00:00", 2) == [
        "2024-01-01 23:30:00",
        "2024-01-02 23:30:00",
    ]


def test_a_wall_time_that_is_skipped_does_not_happen() -> None:
    # 10 March 2024: New York's clocks go from 02:00 EST to 03:00 EDT.
    assert following("CRON_TZ=America/New_York 30 2 * * *", "2024-03-09 00:00:00", 3) == [
        "2024-03-09 07:30:00",
        "2024-03-11 06:30:00",
        "2024-03-12 06:30:00",
    ]


def test_a_wall_time_that_is_repeated_happens_twice() -> None:
    # 3 November 2024: from 02:00 EDT back to 01:00 EST.
    assert following("CRON_TZ=America/New_York 30 1 * * *", "2024-11-02 12:00:00", 3) == [
        "2024-11-03 05:30:00",
        "2024-11-03 06:30:00",
        "2024-11-04 06:30:00",
    ]


def test_missed_times_are_skipped() -> None:
    due, now = ns("2024-01-01 01:00:00"), ns("2024-01-01 04:10:00")
    assert cron.next_at(cron.parse("@every 1h"), due, now) == ns("2024-01-01 05:00:00")
    assert cron.next_at(cron.parse("0 * * * *"), due, now) == ns("2024-01-01 05:00:00")


def test_the_backoff_is_whole_seconds_and_never_early() -> None:
    now = ns("2024-01-01 00:00:00") + 123
    assert cron.backoff_ns("* * * * *", now, now) == 60 * SECOND
    assert cron.backoff_ns("", now, now) == 0


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("* * * *", "it has 4 fields"),
        ("0 * * * * *", "it has 6 fields"),
        ("60 * * * *", "minute: '60' is not 0 to 59"),
        ("* * 0 * *", "day of month: '0' is not 1 to 31"),
        ("* * * foo *", "month: 'foo' is not 1 to 12 or JAN to DEC"),
        ("* * * * 7", "day of week: '7' is not 0 to 6"),
        ("5-1 * * * *", "begins after its end"),
        ("*/0 * * * *", "the step of"),
        ("*-5 * * * *", "is no range"),
        ("1,,2 * * * *", "minute: ''"),
        ("0 0 L * *", "day of month: 'L'"),
        ("0 0 30 2 *", "no day of any year"),
        ("@sometimes", "'@sometimes' is unknown"),
        ("@every soon", "is no length of time"),
        ("CRON_TZ=Mars/Base * * * * *", "there is no time zone 'Mars/Base'"),
        ("", "it has 0 fields"),
    ],
)
def test_a_bad_spec_is_refused_with_its_cure(spec: str, problem: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        cron.parse(spec)
    assert problem in refused.value.message and repr(spec) in refused.value.message
