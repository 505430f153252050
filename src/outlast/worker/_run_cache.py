"""The runs that a worker keeps in memory, least recently used first.

Rule: a run that has a task is never thrown out; the cache is over its size until one becomes idle.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar


class Evictable(Protocol):
    """What the cache needs of a run."""

    def evict(self) -> None:
        """Drop everything that the run holds."""


R = TypeVar("R", bound=Evictable)


class RunCache(Generic[R]):
    """At most ``size`` idle runs by run id."""

    __slots__ = ("_idle", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._idle: OrderedDict[str, R] = OrderedDict()

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, run_id: str) -> R | None:
        """Take a run out, to work on it; None when it is not here."""
        return self._idle.pop(run_id, None)

    def put(self, run_id: str, run: R) -> None:
        """Put a run in, as the one used last. May evict others, or this one when nothing is to be kept."""
        self._idle[run_id] = run
        while len(self._idle) > self.size:
            self._idle.popitem(last=False)[1].evict()

    def clear(self) -> None:
        """Evict all."""
        while self._idle:
            self._idle.popitem(last=False)[1].evict()
