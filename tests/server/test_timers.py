"""The runs' deadlines: one per run, earliest first, far ones left to storage unless storage does not know them."""

from __future__ import annotations

from hand_driven import EPOCH, SECOND, HandClock

from outlast.server.timers import Timers
from outlast.storage.port import RunKey

A, B = RunKey("n", "a", "1"), RunKey("n", "b", "2")


class Ringing:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.rung: list[tuple[str, int]] = []
        self.timers = Timers(self.clock, lambda key: self.rung.append((key.workflow_id, self.clock.now())))
        self.timers.horizon_at = EPOCH + 100 * SECOND


async def test_each_run_rings_at_its_latest_deadline_only() -> None:
    it = Ringing()
    it.timers.set(A, EPOCH + 5 * SECOND)
    it.timers.set(B, EPOCH + 3 * SECOND)
    it.timers.set(A, EPOCH + 1 * SECOND)
    it.timers.set(A, EPOCH + 7 * SECOND)
    await it.clock.advance(10 * SECOND)
    assert it.rung == [("b", EPOCH + 3 * SECOND), ("a", EPOCH + 7 * SECOND)]


async def test_a_deadline_that_is_taken_away_does_not_ring() -> None:
    it = Ringing()
    it.timers.set(A, EPOCH + SECOND)
    it.timers.set(A, None)
    await it.clock.advance(10 * SECOND)
    assert it.rung == []


async def test_a_past_deadline_rings_at_once() -> None:
    it = Ringing()
    it.timers.set(A, EPOCH - SECOND)
    await it.clock.advance(0)
    assert it.rung == [("a", EPOCH)]


async def test_far_deadlines_are_left_to_storage_if_it_has_them() -> None:
    it = Ringing()
    it.timers.set(A, EPOCH + 200 * SECOND)
    it.timers.set(B, EPOCH + 200 * SECOND, stored=False)
    await it.clock.advance(300 * SECOND)
    assert [name for name, _ in it.rung] == ["b"]


async def test_thousands_of_changes_leave_no_litter() -> None:
    it = Ringing()
    for number in range(5000):
        it.timers.set(A, EPOCH + (number + 1) * SECOND // 100)
    assert len(it.timers._heap) <= 65
    await it.clock.advance(100 * SECOND)
    assert it.rung == [("a", EPOCH + 50 * SECOND)]


async def test_closed_timers_are_silent() -> None:
    it = Ringing()
    it.timers.set(A, EPOCH + SECOND)
    it.timers.close()
    await it.clock.advance(10 * SECOND)
    assert it.rung == []
