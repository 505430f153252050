"""Which heartbeats are sent: the first at once, later ones an interval apart, always the newest.

Rule: pure arithmetic on instants. Source: rule 3.2.9 of the semantics; sdk-core ``activity_heartbeat_manager.rs``.
"""

from __future__ import annotations


def throttle_interval(heartbeat_timeout_ns: int, default_ns: int, longest_ns: int) -> int:
    """Ns between two heartbeats that are sent.

    Args:
        heartbeat_timeout_ns: of the activity; 0 when it has none, which makes it ``default_ns``.
        longest_ns: bound of the result.
    """
    interval = heartbeat_timeout_ns * 4 // 5 if heartbeat_timeout_ns else default_ns
    return min(interval, longest_ns)


class Throttle:
    """Spaces the heartbeats of one attempt.

    Attributes:
        interval_ns: between two that are sent; 0 sends all.
    """

    __slots__ = ("_sent_at", "interval_ns")

    def __init__(self, interval_ns: int) -> None:
        self.interval_ns = interval_ns
        self._sent_at: int | None = None

    def wait(self, now: int) -> int:
        """Ns from ``now`` until a heartbeat may be sent; 0 when it may be sent at once."""
        if self._sent_at is None:
            return 0
        return max(0, self._sent_at + self.interval_ns - now)

    def sent(self, now: int) -> None:
        """A heartbeat is on its way."""
        self._sent_at = now
