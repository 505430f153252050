"""Slots: how many tasks of one kind a worker takes at a time.

Rule: whoever polls holds a slot first, so a task that arrives can run at once. Waiters are served in order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import ClassVar


class Slots:
    """A counter with waiters. For use in one event loop."""

    __slots__ = ("_free", "_waiters", "total")

    kind: ClassVar[str] = "Fixed"

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._waiters: deque[asyncio.Future[None]] = deque()

    @property
    def used(self) -> int:
        """Slots that are taken."""
        return self.total - self._free

    def try_acquire(self, wanted: int) -> int:
        """Take up to ``wanted`` slots without waiting and without overtaking; returns how many."""
        if self._waiters:
            return 0
        taken = min(wanted, self._free)
        self._free -= taken
        return taken

    async def acquire(self) -> None:
        """Take a slot, waiting for it if need be."""
        if self._free and not self._waiters:
            self._free -= 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release()  # it was handed to us in the same moment
            else:
                self._waiters.remove(waiter)
            raise

    def release(self, count: int = 1) -> None:
        """Give slots back."""
        for _ in range(count):
            while self._waiters:
                waiter = self._waiters.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    break
            else:
                self._free += 1
        assert self._free <= self.total

    def use(self, key: object, info: Callable[[], object]) -> None:
        """A slot that was taken is used for ``key``; those that are only counted need no telling."""

    def done(self, key: object) -> None:
        """What the slot was used for has ended."""
        self.release()
