"""The deterministic loop: order, time and timers, with stock asyncio on top."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from outlast.loop import DeterministicLoop


class TimerLoop(DeterministicLoop):
    """A loop whose owner fires timers by hand, in order of their deadline."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[asyncio.TimerHandle] = []

    def _start_timer(self, handle: asyncio.TimerHandle, delay: float) -> None:
        self.timers.append(handle)

    def _cancel_timer(self, handle: asyncio.TimerHandle) -> None:
        self.timers = [one for one in self.timers if one is not handle]

    def fire_next(self) -> None:
        handle = min(self.timers, key=lambda timer: timer.when())
        self.timers.remove(handle)
        self.now_ns = round(handle.when() * 1e9)
        self.fire(handle)
        self.run_until_idle()


def run(loop: TimerLoop, coro: Any) -> Any:
    task = loop.create_task(coro)
    loop.run_until_idle()
    while loop.timers and not task.done():
        loop.fire_next()
    return task.result()


def test_ready_callbacks_run_in_order_of_scheduling() -> None:
    loop, seen = DeterministicLoop(), []
    loop.call_soon(lambda: (seen.append("a"), loop.call_soon(seen.append, "c")))
    loop.call_soon(seen.append, "b")
    loop.run_until_idle()
    assert seen == ["a", "b", "c"]


def test_time_stands_still_until_it_is_set() -> None:
    loop = DeterministicLoop()
    assert loop.time() == 0
    loop.now_ns = 1_500_000_000
    assert loop.time() == 1.5


async def everything(log: list[str]) -> str:
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
    lock, done = asyncio.Lock(), asyncio.Event()
    semaphore = asyncio.Semaphore(2)

    async def produce() -> None:
        for number in range(3):
            await queue.put(number)
        done.set()

    async def consume(name: str) -> None:
        async with semaphore, lock:
            await asyncio.sleep(1)
            log.append(f"{name}{await queue.get()}")

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        for name in "xyz":
            group.create_task(consume(name))
    await done.wait()
    try:
        async with asyncio.timeout(5):
            await asyncio.sleep(10)
    except TimeoutError:
        log.append("timeout")
    try:
        await asyncio.wait_for(asyncio.sleep(10), 2)
    except TimeoutError:
        log.append("wait_for")
    return ",".join(str(value) for value in await asyncio.gather(asyncio.sleep(2, "late"), asyncio.sleep(1, "early")))


def test_stock_asyncio_runs_and_two_runs_interleave_alike() -> None:
    logs = []
    for _ in range(2):
        log: list[str] = []
        loop = TimerLoop()
        assert run(loop, everything(log)) == "late,early"
        logs.append((log, loop.time()))
    assert logs[0] == logs[1]
    assert logs[0][0] == ["x0", "y1", "z2", "timeout", "wait_for"]
    assert logs[0][1] == 3 + 5 + 2 + 2


def test_cancelled_timer_is_taken_back() -> None:
    loop = TimerLoop()
    handle = loop.call_later(1, lambda: None)
    assert len(loop.timers) == 1
    handle.cancel()
    assert loop.timers == []


def test_outer_loop_is_running_again_afterwards() -> None:
    async def outer() -> asyncio.AbstractEventLoop:
        inner = DeterministicLoop()
        seen = []
        inner.call_soon(lambda: seen.append(asyncio.get_running_loop()))
        inner.run_until_idle()
        assert seen == [inner]
        return asyncio.get_running_loop()

    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(outer()) is loop
    finally:
        loop.close()


def test_threads_are_refused_with_the_cure() -> None:
    async def in_thread() -> None:
        await asyncio.to_thread(print)

    loop = DeterministicLoop()
    task = loop.create_task(in_thread())
    loop.run_until_idle()
    with pytest.raises(NotImplementedError, match="move the call into an activity"):
        task.result()


def test_exception_handler_sees_what_a_callback_raised() -> None:
    loop, seen = DeterministicLoop(), []
    loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))
    loop.call_soon(lambda: 1 / 0)
    loop.run_until_idle()
    assert [type(error) for error in seen] == [ZeroDivisionError]


def test_finished_tasks_are_let_go() -> None:
    loop = DeterministicLoop()
    for _ in range(500):
        loop.create_task(asyncio.sleep(0))
        loop.run_until_idle()
    assert len(loop._tasks) < 70
    assert loop.open_tasks() == []
