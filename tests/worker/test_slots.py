"""Slots and the cache of runs."""

from __future__ import annotations

import asyncio

import pytest

from outlast.worker._run_cache import RunCache
from outlast.worker._slots import Slots


async def test_waiters_are_served_in_order() -> None:
    slots = Slots(1)
    await slots.acquire()
    order: list[int] = []

    async def wait(n: int) -> None:
        await slots.acquire()
        order.append(n)
        slots.release()

    tasks = [asyncio.create_task(wait(n)) for n in range(3)]
    await asyncio.sleep(0)
    assert (order, slots.used) == ([], 1)
    slots.release()
    await asyncio.gather(*tasks)
    assert (order, slots.used) == ([0, 1, 2], 0)


async def test_a_waiter_that_gives_up_does_not_take_a_slot_along() -> None:
    slots = Slots(1)
    await slots.acquire()
    waiting = asyncio.create_task(slots.acquire())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    slots.release()
    assert slots.used == 0


async def test_a_slot_handed_over_in_the_moment_of_the_cancel_comes_back() -> None:
    slots = Slots(1)
    await slots.acquire()
    waiting = asyncio.create_task(slots.acquire())
    await asyncio.sleep(0)
    slots.release()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slots.used == 0


async def test_reserving_takes_what_is_free_and_never_overtakes() -> None:
    slots = Slots(3)
    assert slots.try_acquire(2) == 2
    assert slots.try_acquire(2) == 1
    waiting = asyncio.create_task(slots.acquire())
    await asyncio.sleep(0)
    slots.release()
    assert slots.try_acquire(1) == 0
    await waiting
    slots.release(3)
    assert slots.used == 0


class FakeRun:
    def __init__(self, weight: int = 1) -> None:
        self.evicted = 0
        self.weight = weight

    def evict(self) -> None:
        self.evicted += 1


def test_the_least_recently_used_run_goes() -> None:
    cache: RunCache[FakeRun] = RunCache(2, 100)
    a, b, c = FakeRun(), FakeRun(), FakeRun()
    cache.put("a", a)
    cache.put("b", b)
    assert cache.take("a") is a
    cache.put("a", a)
    cache.put("c", c)
    assert [run.evicted for run in (a, b, c)] == [0, 1, 0]
    assert cache.take("b") is None


def test_a_cache_of_nothing_evicts_at_once() -> None:
    cache: RunCache[FakeRun] = RunCache(0, 100)
    run = FakeRun()
    cache.put("a", run)
    assert (run.evicted, len(cache)) == (1, 0)


def test_clear_evicts_all() -> None:
    cache: RunCache[FakeRun] = RunCache(5, 100)
    runs = [FakeRun() for _ in range(3)]
    for n, run in enumerate(runs):
        cache.put(str(n), run)
    cache.clear()
    assert [run.evicted for run in runs] == [1, 1, 1]


def test_the_cache_is_bounded_in_bytes_as_well() -> None:
    cache: RunCache[FakeRun] = RunCache(9, 100)
    light, heavy, huge = FakeRun(10), FakeRun(90), FakeRun(500)
    cache.put("light", light)
    cache.put("heavy", heavy)
    assert len(cache) == 2
    assert cache.take("heavy") is heavy
    heavy.weight = 91  # it has grown meanwhile
    cache.put("heavy", heavy)
    assert (light.evicted, heavy.evicted) == (1, 0)
    cache.put("huge", huge)
    assert (heavy.evicted, huge.evicted, len(cache)) == (1, 0, 1)
