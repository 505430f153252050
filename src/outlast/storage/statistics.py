"""What a store counts of itself while it works: cheap enough to be counted always."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_UNITS_BOUNDS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_SECONDS_BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Distribution:
    """How often values fell below each of some bounds, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """``bounds`` ascend; one more count is for what is larger than all of them."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total: float = 0

    def add(self, value: float) -> None:
        """Count a value below the first bound that it does not exceed."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Statistics:
    """What a store did since it was opened."""

    commits: int = 0
    """Units, deletions and namespaces that became durable."""
    transactions: int = 0
    """The transactions of the store that this took."""
    batches: Distribution = field(default_factory=lambda: Distribution(_UNITS_BOUNDS))
    """Units of each transaction."""
    seconds: Distribution = field(default_factory=lambda: Distribution(_SECONDS_BOUNDS))
    """How long each transaction took to become durable, from its beginning on."""

    def committed(self, units: int, seconds: float) -> None:
        """Count a transaction that is durable."""
        self.commits += units
        self.transactions += 1
        self.batches.add(units)
        self.seconds.add(seconds)
