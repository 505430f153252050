"""How long to wait after failures in a row: exponential, with jitter.

Rule: pure; the jitter is drawn by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow by ``factor`` from ``first_ns`` to ``longest_ns``.

    Attributes:
        jitter: share of a wait that is left to chance, both ways.
    """

    first_ns: int
    longest_ns: int
    factor: float
    jitter: float = 0.2

    def after(self, failures: int, draw: float) -> int:
        """The wait in ns after so many failures in a row.

        Args:
            failures: at least 1.
            draw: a random number from -1 to 1.
        """
        # Beyond 64 doublings every wait is the longest one, and floats stay finite.
        grown = min(self.first_ns * self.factor ** min(failures - 1, 64), self.longest_ns)
        return int(grown * (1 + self.jitter * draw))


# Source: the polling policies of sdk-core.
POLL = Backoff(first_ns=100_000_000, longest_ns=10 * SECOND_NS, factor=1.7)
POLL_THROTTLED = Backoff(first_ns=SECOND_NS, longest_ns=10 * SECOND_NS, factor=2.0)
RESPOND = Backoff(first_ns=100_000_000, longest_ns=5 * SECOND_NS, factor=1.5)
