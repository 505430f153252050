"""Latch: an event that is set once, awaited in the event loop and waited for in threads.

Rule: almost no activity waits for one, so the events behind it are made by the first who does.
"""

from __future__ import annotations

import asyncio
import threading

_making = threading.Lock()


class Latch:
    """Set at most once, from the event loop."""

    __slots__ = ("_is_set", "_loop_event", "_thread_event")

    def __init__(self) -> None:
        self._is_set = False
        self._loop_event: asyncio.Event | None = None
        self._thread_event: threading.Event | None = None

    def set(self) -> None:
        """Wake all who wait. Call it in the event loop whose tasks wait."""
        # Before the events are looked at: who makes one later checks this flag after making it.
        self._is_set = True
        if self._loop_event is not None:
            self._loop_event.set()
        if self._thread_event is not None:
            self._thread_event.set()

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._is_set

    async def wait(self) -> None:
        """Wait in the event loop that sets it."""
        if self._is_set:
            return
        if self._loop_event is None:
            self._loop_event = asyncio.Event()
        await self._loop_event.wait()

    def wait_sync(self, seconds: float | None) -> None:
        """Block this thread until it is set, or for so long; None for ever."""
        if self._is_set:
            return
        with _making:
            if self._thread_event is None:
                self._thread_event = threading.Event()
        if not self._is_set:
            self._thread_event.wait(seconds)
