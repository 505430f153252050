"""How many events a second, over the last half minute."""

from __future__ import annotations

from collections import deque
from typing import Final

_BUCKET_NS: Final = 5_000_000_000
_BUCKETS: Final = 6


class Rate:
    """Counts in buckets of 5 s; what is older than 30 s is forgotten."""

    __slots__ = ("_buckets", "_since")

    def __init__(self) -> None:
        self._buckets: deque[tuple[int, int]] = deque()
        """Bucket number and count, ascending."""
        self._since = 0
        """When the first event was counted."""

    def add(self, now: int) -> None:
        """Count an event."""
        number = now // _BUCKET_NS
        if not self._buckets:
            self._since = now
        if self._buckets and self._buckets[-1][0] == number:
            self._buckets[-1] = (number, self._buckets[-1][1] + 1)
        else:
            self._buckets.append((number, 1))
        self._forget(now)

    def per_second(self, now: int) -> float:
        """Events a second; of a short past, over a second at least."""
        self._forget(now)
        if not self._buckets:
            return 0.0
        span = min(max(now - self._since, 1_000_000_000), _BUCKETS * _BUCKET_NS)
        return sum(count for _, count in self._buckets) * 1e9 / span

    def _forget(self, now: int) -> None:
        oldest = now // _BUCKET_NS - _BUCKETS
        while self._buckets and self._buckets[0][0] <= oldest:
            self._buckets.popleft()
