"""Specs of schedules: how text is read, what is refused, and the times that follow."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlast.api.schedule.v1 import Range, ScheduleSpec
from outlast.engine.schedule import spec
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import SECOND_NS, duration, timestamp

MINUTE = 60 * SECOND_NS
DAY = 1440 * MINUTE


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


def kept(**fields: Any) -> ScheduleSpec:
    return spec.canonical(ScheduleSpec(**fields))


def ranges(spans: list[Range]) -> list[tuple[int, int, int]]:
    return [(span.start, span.end, span.step) for span in spans]


def times(after: str, count: int, seed: str = "", **fields: Any) -> list[str]:
    ready = spec.times(kept(**fields).SerializeToString())
    found = islice(spec.series(ready, seed, ns(after)), count)
    return [datetime.fromtimestamp(time.at / SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%S") for time in found]


@pytest.mark.parametrize(
    ("cron", "field", "expected"),
    [
        ("*/15 * * * *", "minute", [(0, 59, 15)]),
        ("5/20 * * * *", "minute", [(5, 59, 20)]),
        ("1,2-4,7-30/3 * * * *", "minute", [(1, 0, 0), (2, 4, 0), (7, 30, 3)]),
        ("5 * * * *", "second", [(0, 0, 0)]),
        ("7 5 * * * * *", "second", [(7, 0, 0)]),
        ("* * * * *", "year", []),
        ("0 0 1 1 * 2030-2032", "year", [(2030, 2032, 0)]),
        ("0 0 * jan,mar-may *", "month", [(1, 0, 0), (3, 5, 0)]),
        ("0 0 * september *", "month", [(9, 0, 0)]),
        ("0 0 * * mo-fr", "day_of_week", [(1, 5, 0)]),
        ("0 0 * * 7", "day_of_week", [(0, 0, 0)]),
        ("0 0 * * 0-7", "day_of_week", [(0, 6, 0)]),
        ("0 0 * * 1-7", "day_of_week", [(1, 6, 0)]),
        ("0 0 * * 3-7", "day_of_week", [(0, 0, 0), (3, 6, 0)]),
        ("0 0 * * 3-7/3", "day_of_week", [(3, 6, 3)]),
        ("0 0 * * 1-7/2", "day_of_week", [(0, 0, 0), (1, 6, 2)]),
        ("@weekly", "day_of_week", [(0, 0, 0)]),
        ("@hourly", "hour", [(0, 23, 0)]),
        ("@monthly # first", "day_of_month", [(1, 0, 0)]),
    ],
)
def test_fields_of_cron_strings(cron: str, field: str, expected: list[tuple[int, int, int]]) -> None:
    (calendar,) = kept(cron_string=[cron]).structured_calendar
    assert ranges(getattr(calendar, field)) == expected


def test_intervals_comments_and_zones_of_cron_strings() -> None:
    found = kept(cron_string=["CRON_TZ=Asia/Tokyo 0 9 * * * # tea", "TZ=Asia/Tokyo @daily"])
    (interval,) = kept(cron_string=["@every 14h/3h"]).interval
    assert (interval.interval.seconds, interval.phase.seconds) == (14 * 3600, 3 * 3600)
    assert [calendar.comment for calendar in found.structured_calendar] == ["tea", ""]
    assert found.timezone_name == "Asia/Tokyo"
    assert not found.cron_string
    assert kept(cron_string=["@every 1d"]).interval[0].interval.seconds == 86400


def test_calendars_in_text_have_defaults() -> None:
    (calendar,) = kept(calendar=[{"hour": "9", "day_of_week": "Mon"}]).structured_calendar
    assert ranges(calendar.second) == ranges(calendar.minute) == [(0, 0, 0)]
    assert ranges(calendar.day_of_month) == [(1, 31, 0)]
    shown = spec.shown(kept(calendar=[{"hour": "9"}])).structured_calendar[0]
    assert ranges(shown.hour) == [(9, 9, 1)]
    assert ranges(shown.day_of_month) == [(1, 31, 1)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cron_string": ["* * * *"]}, "4 fields"),
        ({"cron_string": ["* * * * * * * *"]}, "8 fields"),
        ({"cron_string": ["@fortnightly"]}, "1 fields"),
        ({"cron_string": ["@every"]}, "no length of time"),
        ({"cron_string": ["@every soon"]}, "no length of time"),
        ({"cron_string": ["@every 5ms"]}, "shorter than a second"),
        ({"cron_string": ["@every 1h/2h"]}, "phase"),
        ({"cron_string": ["60 * * * *"]}, "minute: '60' is not 0 to 59"),
        ({"cron_string": ["5-3 * * * *"]}, "begins after its end"),
        ({"cron_string": ["*/0 * * * *"]}, "the step"),
        ({"cron_string": ["*/x * * * *"]}, "the step"),
        ({"cron_string": ["0 0 * ja *"]}, "month: 'ja'"),
        ({"cron_string": ["0 0 ? * *"]}, "day_of_month"),
        ({"cron_string": ["0 0 1 1 * 1999"]}, "year"),
        ({"cron_string": ["TZ=UTC @daily", "TZ=Asia/Tokyo @daily"]}, "different time zones"),
        ({"cron_string": ["TZ=UTC @daily"], "timezone_name": "Asia/Tokyo"}, "another one"),
        ({"timezone_name": "Mars/Base"}, "no time zone"),
        ({"structured_calendar": [{"hour": [{"start": 24}]}]}, "hour 24"),
        ({"structured_calendar": [{"hour": [{"start": 5, "end": 3}]}]}, "ends before it starts"),
        ({"structured_calendar": [{"hour": [{"start": 5, "step": -1}]}]}, "step"),
        ({"structured_calendar": [{"comment": "x" * 201}]}, "comment"),
        ({"jitter": {"seconds": -1}}, "jitter"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        kept(**fields)


def test_both_days_have_to_match_unlike_in_unix() -> None:
    assert times("2024-01-01", 2, cron_string=["0 0 13 * 5"]) == ["2024-09-13 00:00:00", "2024-12-13 00:00:00"]


def test_a_union_minus_exclusions_between_start_and_end() -> None:
    found = times(
        "2024-01-01",
        9,
        cron_string=["0 9 * * *"],
        interval=[{"interval": {"seconds": 43200}, "phase": {"seconds": 3600}}],
        exclude_calendar=[{"hour": "13", "day_of_month": "2"}],
        start_time=timestamp(ns("2024-01-02 01:00:00")),
        end_time=timestamp(ns("2024-01-03 09:00:00")),
    )
    assert found == ["2024-01-02 01:00:00", "2024-01-02 09:00:00", "2024-01-03 01:00:00", "2024-01-03 09:00:00"]


def test_nothing_but_exclusions_is_never() -> None:
    everything = {"second": "*", "minute": "*", "hour": "*"}
    for excluded in ([everything], [{**everything, "second": "0-29"}, {**everything, "second": "30-59"}]):
        assert times("2024-01-01", 1, cron_string=["* * * * * * *"], exclude_calendar=excluded) == []
    assert times("2024-01-01", 1) == []


def test_long_exclusions_are_passed_over() -> None:
    weekend = {"second": "*", "minute": "*", "hour": "*", "day_of_week": "sat,sun"}
    night = {"second": "*", "minute": "*", "hour": "18-23,0-7"}
    found = times(
        "2024-03-08 17:59:58", 2, cron_string=["TZ=America/New_York * * * * * * *"], exclude_calendar=[weekend, night]
    )
    assert found == ["2024-03-08 17:59:59", "2024-03-08 18:00:00"], "afternoon in New York"
    found = times(
        "2024-03-08 22:59:58", 2, cron_string=["TZ=America/New_York * * * * * * *"], exclude_calendar=[weekend, night]
    )
    assert found == ["2024-03-08 22:59:59", "2024-03-11 12:00:00"], "on Sunday the clocks have changed"


INTERVALS = st.lists(
    st.tuples(st.integers(1, 90000), st.integers(0, 90000)).map(
        lambda pair: {"interval": duration(pair[0] * SECOND_NS), "phase": duration(pair[1] % pair[0] * SECOND_NS)}
    ),
    min_size=1,
    max_size=3,
)


@given(INTERVALS, st.integers(0, 2**31), st.integers(0, 200_000))
def test_intervals_are_those_of_an_oracle_that_counts(intervals: list[dict[str, Any]], after: int, width: int) -> None:
    width = min(width, 20 * min(each["interval"].seconds for each in intervals))
    expected = {
        n * each["interval"].seconds + each["phase"].seconds
        for each in intervals
        for n in range(
            (after - each["phase"].seconds) // each["interval"].seconds, (after + width) // each["interval"].seconds + 1
        )
    }
    ready = spec.times(kept(interval=intervals).SerializeToString())
    found = []
    for time in spec.series(ready, "", after * SECOND_NS):
        if time.at > (after + width) * SECOND_NS:
            break
        found.append(time.at // SECOND_NS)
    assert found == sorted(at for at in expected if after < at <= after + width)


@given(st.integers(0, 2**31), st.integers(1, 4000), st.text(max_size=10))
def test_jitter_is_bounded_steady_and_keeps_the_order(after: int, jitter: int, seed: str) -> None:
    fields: dict[str, Any] = {"interval": [{"interval": {"seconds": 600}}], "jitter": {"seconds": jitter}}
    ready = spec.times(kept(**fields).SerializeToString())
    found = list(islice(spec.series(ready, seed, after * SECOND_NS), 20))
    for time, following in pairwise(found):
        assert 0 <= time.at - time.nominal_at < min(jitter, 600) * SECOND_NS
        assert time.nominal_at + 600 * SECOND_NS == following.nominal_at
        assert time.at < following.nominal_at
    assert spec.following(ready, seed, found[4].at) == found[5]


def test_jitter_spreads_and_depends_on_the_schedule() -> None:
    fields: dict[str, Any] = {"cron_string": ["@hourly"], "jitter": {"seconds": 1800}}
    ready = spec.times(kept(**fields).SerializeToString())
    offsets = {
        seed: [time.at - time.nominal_at for time in islice(spec.series(ready, seed, 0), 200)] for seed in ("a", "b")
    }
    assert offsets["a"] != offsets["b"]
    for found in offsets.values():
        assert len(set(found)) > 150
        assert 0.4 < sum(found) / len(found) / (1800 * SECOND_NS) < 0.6


@given(st.sampled_from(["@daily", "*/7 3-9 * feb-oct mon,wed", "@every 90s/5s", "TZ=Asia/Tokyo 5 4 3 2 1 2025"]))
def test_the_canonical_form_stays_as_it_is(cron: str) -> None:
    once = kept(cron_string=[cron])
    assert spec.canonical(once) == once
