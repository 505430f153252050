"""A limit on how many activities a worker takes per second.

Rule: pure; a token bucket that holds one second's worth, and at least one token.
"""

from __future__ import annotations

SECOND_NS = 1_000_000_000


class RateLimit:
    """Tokens that come back at a steady rate."""

    __slots__ = ("_full", "_refilled_at", "_tokens", "per_second")

    def __init__(self, per_second: float, now: int) -> None:
        """Start full.

        Args:
            per_second: above 0.
            now: monotonic ns.
        """
        self.per_second = per_second
        self._full = max(1.0, per_second)
        self._tokens = self._full
        self._refilled_at = now

    def take(self, now: int) -> int:
        """Take a token, one that is still to come if need be.

        Returns:
            Ns to wait before acting; 0 when a token was there.
        """
        self._refill(now)
        self._tokens -= 1
        return 0 if self._tokens >= 0 else int(-self._tokens / self.per_second * SECOND_NS)

    def give_back(self, now: int) -> None:
        """Return a token that was not used."""
        self._refill(now)
        self._tokens = min(self._full, self._tokens + 1)

    def _refill(self, now: int) -> None:
        self._tokens = min(self._full, self._tokens + (now - self._refilled_at) / SECOND_NS * self.per_second)
        self._refilled_at = now
