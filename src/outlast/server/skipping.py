"""A clock that jumps: the same engine, with the time between two deadlines left out.

Time goes on at the pace of the wall clock; it jumps to the next deadline when it is unlocked and nothing is under way.
Under way is a call that does not merely wait, a run whose worker has something to do, and what the node itself does.
The lock counts: it starts at 1, so that time passes as on the wall until somebody who waits for a result unlocks it.

    locked --unlock to 0--> unlocked --nothing under way for some turns of the loop--> jump to the next deadline

Source: temporal.api.testservice.v1.TestService; rules 3.14.1 and 3.14.3.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from outlast.storage.port import RunKey
from outlast.vocab.errors import InvalidArgument

from .clock import Alarm, Clock, WallClock

_STILL_TURNS = 4
"""Turns of the event loop without any news before time jumps: whoever was just answered gets to act first."""


class Stillness:
    """What is under way in one node: kept up to date by the node, asked by the clock."""

    __slots__ = ("_busy", "_waiting", "calls", "news", "on_news", "work")

    def __init__(self) -> None:
        self.calls = 0
        """Calls that have come in and have not been answered."""
        self.work = 0
        """What the node does by itself: deadlines that come due, effects that are carried out."""
        self.news = 0
        """Grows with everything that happens."""
        self.on_news: Callable[[], None] = lambda: None
        self._busy: set[RunKey] = set()
        self._waiting: list[Callable[[], int]] = []

    def counts_as_waiting(self, count: Callable[[], int]) -> None:
        """Register who knows how many of the calls do nothing but wait."""
        self._waiting.append(count)

    def happened(self) -> None:
        """Something came, went or changed."""
        self.news += 1
        self.on_news()

    def run(self, key: RunKey, busy: bool) -> None:
        """A run has changed; ``busy`` says whether somebody has to do something for it now."""
        if busy:
            self._busy.add(key)
        else:
            self._busy.discard(key)
        self.happened()

    @property
    def busy_runs(self) -> frozenset[RunKey]:
        """The runs for which a worker, or the node, has something to do."""
        return frozenset(self._busy)

    @property
    def still(self) -> bool:
        """Whether nothing is under way."""
        return not self._busy and not self.work and self.calls <= sum(count() for count in self._waiting)


class SkippingClock:
    """A ``Clock`` for tests, and the lock that decides whether it may jump."""

    __slots__ = (
        "_active",
        "_alarms",
        "_checking",
        "_numbers",
        "_offset",
        "_sleepers",
        "_timer",
        "lock_count",
        "stillness",
        "wall",
    )

    def __init__(self, wall: Clock | None = None) -> None:
        self.wall: Clock = wall or WallClock()
        self.stillness = Stillness()
        self.stillness.on_news = self._consider
        self.stillness.counts_as_waiting(lambda: self._sleepers)
        self.lock_count = 1
        self._offset = 0
        self._active = _Count()
        self._alarms: list[tuple[int, int, Planned]] = []
        self._numbers = itertools.count()
        self._timer: Alarm | None = None
        self._sleepers = 0
        self._checking = False

    # -- Clock -----------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """The present of the tests, ns since the epoch."""
        return self.wall.now() + self._offset

    @property
    def passive(self) -> Clock:
        """The same time for those for whom alone it does not jump: a schedule goes on for ever."""
        return _PassiveClock(self)

    def call_at(self, at: int, call: Callable[[], None]) -> Alarm:
        """Plan ``call`` for the instant ``at``, which a jump may bring nearer."""
        return self.plan(at, Planned(call, self._active))

    def plan(self, at: int, planned: Planned) -> Planned:
        """Plan a call for the instant ``at``."""
        heapq.heappush(self._alarms, (at, next(self._numbers), planned))
        self._arm()
        self._consider()
        return planned

    def _next(self) -> int | None:
        alarms = self._alarms
        while alarms and alarms[0][2].call is None:
            heapq.heappop(alarms)
        return alarms[0][0] if alarms else None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._next()
        if at is not None:
            self._timer = self.wall.call_at(at - self._offset, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self.now()
        while (at := self._next()) is not None and at <= now:
            call = heapq.heappop(self._alarms)[2].take()
            assert call is not None
            call()
        self._arm()
        self.stillness.happened()

    # -- lock ------------------------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Let time pass as on the wall until it is unlocked once more."""
        self.lock_count += 1

    def unlock(self) -> None:
        """Take one lock away; with the last one, time may jump.

        Raises:
            InvalidArgument: there is no lock to take away.
        """
        if not self.lock_count:
            raise InvalidArgument(
                "UnlockTimeSkipping: time is unlocked already (the lock counter is 0); call LockTimeSkipping once for "
                "each UnlockTimeSkipping"
            )
        self.lock_count -= 1
        self.stillness.happened()

    async def sleep_until(self, at: int) -> None:
        """Return once the clock has reached the instant ``at``; at once if it is past."""
        if at <= self.now():
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        alarm = self.call_at(at, lambda: None if woken.done() else woken.set_result(None))
        self._sleepers += 1
        self._consider()
        try:
            await woken
        finally:
            self._sleepers -= 1
            alarm.cancel()

    # -- jumps -----------------------------------------------------------------------------------------------------

    @property
    def stuck(self) -> bool:
        """Whether it is unlocked, nothing is under way, and no deadline is left to jump to."""
        return not self.lock_count and self.stillness.still and not self._active.number

    def _consider(self) -> None:
        if not self.lock_count and not self._checking and self._active.number:
            self._checking = True
            asyncio.get_running_loop().call_soon(self._check, self.stillness.news, _STILL_TURNS)

    def _check(self, news: int, turns: int) -> None:
        if self.lock_count or not self.stillness.still:
            self._checking = False
        elif news != self.stillness.news:
            asyncio.get_running_loop().call_soon(self._check, self.stillness.news, _STILL_TURNS)
        elif turns:
            asyncio.get_running_loop().call_soon(self._check, news, turns - 1)
        else:
            self._checking = False
            self.jump()

    def jump(self) -> None:
        """Be at the next deadline now, if there is one: for those who know that nothing is under way."""
        at = self._next()
        if at is not None and self._active.number:
            self._offset += max(at - self.now(), 0)
            self._ring()


class _Count:
    """How many planned calls time may jump for."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


class Planned:
    """A planned call; taken back, it has none.

    Args:
        active: where it counts as one that time may jump for; None for a passive one.
    """

    __slots__ = ("_active", "call")

    def __init__(self, call: Callable[[], None], active: _Count | None) -> None:
        self.call: Callable[[], None] | None = call
        self._active = active
        if active is not None:
            active.number += 1

    def take(self) -> Callable[[], None] | None:
        """The call, which is planned no more; None when it was not."""
        call, self.call = self.call, None
        if call is not None and self._active is not None:
            self._active.number -= 1
        return call

    def cancel(self) -> None:
        self.take()


class _PassiveClock:
    """A ``Clock`` whose planned calls time passes by, and stops at on its way, but does not jump for."""

    __slots__ = ("_clock",)

    def __init__(self, clock: SkippingClock) -> None:
        self._clock = clock

    def now(self) -> int:
        return self._clock.now()

    def call_at(self, at: int, call: Callable[[], None]) -> Alarm:
        return self._clock.plan(at, Planned(call, None))
