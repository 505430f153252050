"""Time as the server sees it: an instant, and a call at an instant."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Alarm(Protocol):
    """A planned call that can be taken back."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Where ``now`` comes from."""

    def now(self) -> int:
        """The present, ns since the epoch; never goes back."""

    def call_at(self, at: int, call: Callable[[], None]) -> Alarm:
        """Plan ``call`` for the instant ``at``; at once if that is past."""


class WallClock:
    """The machine's clock, held still where the machine sets it back."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest = 0

    def now(self) -> int:
        now = time.time_ns()
        if now > self._latest:
            self._latest = now
        return self._latest

    def call_at(self, at: int, call: Callable[[], None]) -> Alarm:
        delay = max(at - self.now(), 0) / 1e9
        return asyncio.get_running_loop().call_later(min(delay, _LONGEST_SLEEP_S), call)


_LONGEST_SLEEP_S = 24 * 3600.0
"""Event loops refuse delays of years; who is called early looks at the clock and plans again."""


async def reaches(clock: Clock, at: int) -> None:
    """Wait until an instant of the clock's time."""
    reached = asyncio.Event()
    alarm = clock.call_at(at, reached.set)
    try:
        await reached.wait()
    finally:
        alarm.cancel()
