"""Timestamp and Duration messages to and from int nanoseconds.

Rule: inside outlast an instant is an int of ns since the epoch and a length of time an int of ns; 0 means unset.
"""

from __future__ import annotations

from typing import Final

from outlast.api.protobuf import Duration, Timestamp

SECOND_NS: Final = 1_000_000_000
_FOR_EVER_S: Final = 100 * 365 * 24 * 3600
"""Longer than anything that is waited for: a hundred years. Source: Temporal's server, which caps durations at it."""


def timestamp(ns: int) -> Timestamp:
    """The message for an instant in ns since the epoch."""
    seconds, nanos = divmod(ns, SECOND_NS)
    return Timestamp(seconds=seconds, nanos=nanos)


def from_timestamp(message: Timestamp) -> int:
    """Ns since the epoch; 0 for an unset message."""
    return message.seconds * SECOND_NS + message.nanos


def duration(ns: int) -> Duration:
    """The message for a length of time in ns, which may be negative."""
    if ns >= 0:
        seconds, nanos = divmod(ns, SECOND_NS)
        return Duration(seconds=seconds, nanos=nanos)
    # Both parts of a Duration carry the sign.
    seconds, nanos = divmod(-ns, SECOND_NS)
    return Duration(seconds=-seconds, nanos=-nanos)


def from_duration(message: Duration) -> int:
    """Length of time in ns, a hundred years at most; 0 for an unset message."""
    if message.seconds > _FOR_EVER_S:
        return _FOR_EVER_S * SECOND_NS
    return message.seconds * SECOND_NS + message.nanos


def parts(ns: int) -> dict[str, int]:
    """The fields of a Timestamp or of a Duration of at least zero, for building a message around it in one go."""
    seconds, nanos = divmod(ns, SECOND_NS)
    return {"seconds": seconds, "nanos": nanos}
