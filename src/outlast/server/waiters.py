"""Who waits for something to happen to one run: for any new event, or for its end."""

from __future__ import annotations

import asyncio


class Waiters:
    """Futures that are resolved when it has happened; whoever stops waiting cancels his own."""

    __slots__ = ("_for_events", "_for_the_end")

    def __init__(self) -> None:
        self._for_events: list[asyncio.Future[None]] = []
        self._for_the_end: list[asyncio.Future[None]] = []

    def __bool__(self) -> bool:
        return bool(self._for_events or self._for_the_end)

    def join(self, *, to_closed: bool) -> asyncio.Future[None]:
        """Wait for the next new event, or for the run to close."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._for_the_end if to_closed else self._for_events).append(waiter)
        return waiter

    def leave(self, waiter: asyncio.Future[None]) -> None:
        """Wait no more."""
        for waiters in (self._for_events, self._for_the_end):
            if waiter in waiters:
                waiters.remove(waiter)

    def wake(self, *, closed: bool) -> None:
        """There are new events; with ``closed`` the run has ended, or nobody can wait for it here any more."""
        woken, self._for_events = self._for_events, []
        if closed:
            woken += self._for_the_end
            self._for_the_end = []
        for waiter in woken:
            if not waiter.done():
                waiter.set_result(None)
