"""The runs' deadlines, one per run: sleeps until the earliest and reports the runs that are due.

Only deadlines within the horizon are held in memory; the rest lies in storage and is fetched when its time comes near.
A run with open work is the exception: for a restarted server its row in storage says "at once", so that the sweep would
not find its deadline there.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from outlast.storage.port import RunKey

from .clock import Alarm, Clock


class Timers:
    """A heap of (instant, run), in which each run has one valid entry."""

    __slots__ = ("_alarm", "_alarm_at", "_clock", "_heap", "_on_due", "_wanted", "horizon_at")

    def __init__(self, clock: Clock, on_due: Callable[[RunKey], None]) -> None:
        self._clock = clock
        self._on_due = on_due
        self._heap: list[tuple[int, RunKey]] = []
        self._wanted: dict[RunKey, int] = {}
        self._alarm: Alarm | None = None
        self._alarm_at = 0
        self.horizon_at = 0
        """Deadlines after this instant are left to storage."""

    def set(self, key: RunKey, at: int | None, *, stored: bool = True) -> None:
        """Make ``at`` the run's deadline; None takes it away.

        Args:
            stored: storage has this very instant for the run, so that a far one may be left to it.
        """
        if at is None or (stored and at > self.horizon_at):
            self._wanted.pop(key, None)
            return
        if self._wanted.get(key) == at:
            return
        self._wanted[key] = at
        heapq.heappush(self._heap, (at, key))
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._wanted):
            self._heap = [(wanted, run) for run, wanted in self._wanted.items()]
            heapq.heapify(self._heap)
        self._arm()

    def _arm(self) -> None:
        heap, wanted = self._heap, self._wanted
        while heap and wanted.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        if not heap:
            return
        at = heap[0][0]
        if self._alarm is not None:
            if self._alarm_at <= at:
                return
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = self._clock.call_at(at, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now = self._clock.now()
        heap, wanted = self._heap, self._wanted
        while heap and heap[0][0] <= now:
            at, key = heapq.heappop(heap)
            if wanted.get(key) == at:
                del wanted[key]
                self._on_due(key)
        self._arm()

    def close(self) -> None:
        """Forget everything."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._heap.clear()
        self._wanted.clear()
