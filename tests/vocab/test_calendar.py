"""Calendars against an oracle that looks at every minute of the wall clock, around all kinds of changes of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outlast.vocab.calendar import Calendar, matches, next_at, rfc3339, zone

DAYS = 2
ZONES = (
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour
    "America/Sao_Paulo",  # at midnight
    "America/St_Johns",  # at 00:01, back to the day before
    "Asia/Kathmandu",
    "Pacific/Apia",  # left out 30 December 2011
)
STARTS = (
    "2024-03-10",
    "2024-11-03",
    "2024-03-31",
    "2024-10-27",
    "2024-04-07",
    "2024-10-06",
    "2018-11-04",
    "2018-02-18",
    "2010-03-14",
    "2010-11-07",
    "2011-12-30",
    "2024-02-29",
    "2099-12-31",
)
EVERY = Calendar((0,), (0,), (0,), tuple(range(1, 32)), tuple(range(1, 13)), (), tuple(range(7)))


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def subsets(numbers: range, most: int) -> st.SearchStrategy[tuple[int, ...]]:
    some = st.sets(st.sampled_from(numbers), min_size=1, max_size=most).map(lambda found: tuple(sorted(found)))
    return some | st.just(tuple(numbers))


CALENDARS = st.builds(
    Calendar,
    seconds=st.just((0,)),
    minutes=subsets(range(60), 4),
    hours=subsets(range(24), 4),
    days=subsets(range(1, 32), 8),
    months=subsets(range(1, 13), 6),
    years=st.just(()) | st.just((2010, 2011, 2018, 2024, 2099, 2100)),
    weekdays=subsets(range(7), 4),
)


def by_looking(calendar: Calendar, name: str, start: int) -> list[int]:
    """Every minute from the start on whose wall time matches."""
    place, found = zone(name), []
    for minute in range(1, DAYS * 1440):
        moment = start - start % 60 + 60 * minute
        wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment)).astimezone(place)
        if (
            wall.minute in calendar.minutes
            and wall.hour in calendar.hours
            and wall.day in calendar.days
            and wall.month in calendar.months
            and wall.year <= 2100
            and (not calendar.years or wall.year in calendar.years)
            and (wall.weekday() + 1) % 7 in calendar.weekdays
        ):
            found.append(moment)
    return found


@given(
    CALENDARS,
    st.sampled_from(ZONES),
    st.sampled_from(STARTS),
    st.integers(min_value=-86400, max_value=86400),
)
@example(EVERY._replace(minutes=(30,), hours=(1, 23)), "America/New_York", "2024-11-03", -3600)
@example(EVERY._replace(minutes=(30,), hours=(23,), days=(6,)), "America/St_Johns", "2010-11-06", 0)
@example(EVERY._replace(days=(30,), months=(12,)), "Pacific/Apia", "2011-12-29", 0)
def test_the_next_times_are_those_that_a_look_at_every_minute_finds(
    calendar: Calendar, name: str, day: str, shift: int
) -> None:
    start = at(day) + shift
    expected = by_looking(calendar, name, start)
    last = start - start % 60 + DAYS * 86400 - 60

    def walk() -> list[int]:
        found, moment = [], next_at(calendar, zone(name), start)
        while moment is not None and moment <= last:
            found.append(moment)
            moment = next_at(calendar, zone(name), moment)
        return found

    assert list(takewhile(lambda moment: moment <= last, walk())) == expected
    assert all(matches(calendar, zone(name), moment) for moment in expected)


def test_seconds() -> None:
    calendar = EVERY._replace(seconds=(5, 50), minutes=tuple(range(60)), hours=tuple(range(24)))
    moment, found = at("2024-01-01T23:58:55"), []
    for _ in range(4):
        following = next_at(calendar, zone(""), moment)
        assert following is not None
        moment = following
        found.append(rfc3339(moment * 1_000_000_000))
    assert found == ["2024-01-01T23:59:05Z", "2024-01-01T23:59:50Z", "2024-01-02T00:00:05Z", "2024-01-02T00:00:50Z"]


@pytest.mark.parametrize(
    ("calendar", "after", "expected"),
    [
        (EVERY._replace(days=(29,), months=(2,)), "2024-03-01", at("2028-02-29")),
        (EVERY._replace(days=(13,), weekdays=(5,)), "2024-01-01", at("2024-09-13")),
        (EVERY._replace(days=(30,), months=(2,)), "2024-01-01", None),
        (EVERY._replace(years=(2030,)), "2024-01-01", at("2030-01-01")),
        (EVERY._replace(years=(2020,)), "2024-01-01", None),
        (EVERY, "2100-12-31", None),
        (EVERY._replace(weekdays=()), "2024-01-01", None),
    ],
)
def test_far_away_and_never(calendar: Calendar, after: str, expected: int | None) -> None:
    assert next_at(calendar, zone("UTC"), at(after)) == expected


def test_zones() -> None:
    assert zone("") is zone("")
    with pytest.raises(ValueError, match="no time zone 'Mars/Base'"):
        zone("Mars/Base")
    with pytest.raises(ValueError, match="no time zone"):
        zone("", b"no TZif")
