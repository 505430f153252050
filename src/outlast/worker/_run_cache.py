"""The runs that a worker keeps in memory, least recently used first.

Rule: a run that has a task is never thrown out; the cache is over its size until one becomes idle.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar


class Evictable(Protocol):
    """What the cache needs of a run."""

    @property
    def weight(self) -> int:
        """Bytes, about."""
        ...

    def evict(self) -> None:
        """Drop everything that the run holds."""


R = TypeVar("R", bound=Evictable)


class RunCache(Generic[R]):
    """At most ``size`` idle runs by run id, which weigh ``bytes_max`` together at most, unless one alone does."""

    __slots__ = ("_bytes", "_idle", "_weights", "bytes_max", "size")

    def __init__(self, size: int, bytes_max: int) -> None:
        self.size, self.bytes_max = size, bytes_max
        self._idle: OrderedDict[str, R] = OrderedDict()
        self._weights: dict[str, int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, run_id: str) -> R | None:
        """Take a run out, to work on it; None when it is not here."""
        run = self._idle.pop(run_id, None)
        if run is not None:
            self._bytes -= self._weights.pop(run_id)
        return run

    def put(self, run_id: str, run: R) -> None:
        """Put a run in, as the one used last. May evict others, or this one when nothing is to be kept."""
        weight = self._weights[run_id] = run.weight
        self._bytes += weight
        self._idle[run_id] = run
        while len(self._idle) > self.size or (self._bytes > self.bytes_max and len(self._idle) > 1):
            self._evict_oldest()

    def clear(self) -> None:
        """Evict all."""
        while self._idle:
            self._evict_oldest()

    def _evict_oldest(self) -> None:
        run_id, run = self._idle.popitem(last=False)
        self._bytes -= self._weights.pop(run_id)
        run.evict()
