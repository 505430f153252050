"""Times: ns to messages and back, and the same messages as protobuf's own conversions give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outlast.api.protobuf import Duration, Timestamp
from outlast.vocab.times import duration, from_duration, from_timestamp, timestamp

INSTANTS = st.integers(-(2**55), 2**62)
LENGTHS = st.integers(-(2**62), 100 * 365 * 24 * 3600 * 10**9)


@given(INSTANTS)
def test_timestamps_come_back_and_equal_protobufs(ns: int) -> None:
    assert from_timestamp(timestamp(ns)) == ns
    theirs = Timestamp()
    theirs.FromNanoseconds(ns)
    assert timestamp(ns) == theirs


def test_a_duration_is_a_hundred_years_at_most() -> None:
    century = 100 * 365 * 24 * 3600
    assert from_duration(Duration(seconds=century + 1)) == century * 1_000_000_000


@given(LENGTHS)
def test_durations_come_back_and_equal_protobufs(ns: int) -> None:
    assert from_duration(duration(ns)) == ns
    theirs = Duration()
    theirs.FromNanoseconds(ns)
    assert duration(ns) == theirs


def test_unset_is_zero() -> None:
    assert from_timestamp(Timestamp()) == 0
    assert from_duration(Duration()) == 0
