"""Waiting: conditions, sleeps, groups of waits and asyncio's primitives, with the timers that they leave in history."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from both_ways import replay_both_ways
from stage import Stage

from outlast import workflow
from outlast.exceptions import ApplicationError


async def after(seconds: float, result: Any = None, fails: bool = False) -> Any:
    await workflow.sleep(seconds)
    if fails:
        raise ApplicationError(f"after {seconds}")
    return seconds if result is None else result


@workflow.defn
class Waiting:
    """Waits in one way, named by its argument, and answers what it saw."""

    def __init__(self) -> None:
        self.notes: list[Any] = []

    @workflow.run
    async def run(self, name: str) -> list[Any]:
        await getattr(self, name)()
        return self.notes

    async def told(self, waiting: Any) -> None:
        """Wait and note what comes of it."""
        try:
            self.notes.append(await waiting)
        except Exception as error:
            self.notes.append(f"{type(error).__name__}: {error}")

    async def conditions(self) -> None:
        for timeout in (0.001, timedelta(milliseconds=1), 0.002):
            await self.told(workflow.wait_condition(lambda: False, timeout=timeout, timeout_summary="tick"))
        await self.told(workflow.wait_condition(lambda: True, timeout=5))
        await self.told(workflow.wait_condition(lambda: True))

    async def sleeps(self) -> None:
        for duration in (0, 0.0004, timedelta(milliseconds=1), -1, timedelta(seconds=-1)):
            await self.told(workflow.sleep(duration, summary="nap"))
        for duration in (0, 0.0004, -1):
            await self.told(asyncio.sleep(duration))

    async def sets(self) -> None:
        tasks = [asyncio.create_task(after(ms / 1000)) for ms in (60_000, 1, 50_000)]
        done, pending = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self.notes.append([type(done).__name__, len(done), len(pending)])
        tasks = [asyncio.create_task(after(ms / 1000)) for ms in (9, 1, 5)]
        done, _ = await workflow.wait(tasks, timeout=5)
        self.notes.append([one.result() for one in done])
        tasks = [asyncio.create_task(after(ms / 1000, fails=ms == 5)) for ms in (60_000, 1, 5)]
        done, pending = await workflow.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        self.notes.append([type(one.exception()).__name__ for one in done])
        for one in pending:
            one.cancel()
        done, pending = await workflow.wait([asyncio.create_task(after(40))], timeout=0.001)
        self.notes.append([len(done), len(pending)])

    async def misused(self) -> None:
        await self.told(workflow.wait([]))
        waiting = after(1)
        await self.told(workflow.wait([waiting]))
        waiting.close()
        await self.told(workflow.wait([asyncio.create_task(after(0.001))], return_when="SOON"))

    async def completions(self) -> None:
        for one in workflow.as_completed([after(0.005), after(0.001)]):
            self.notes.append(await one)
        for one in workflow.as_completed([after(60), after(0.001)], timeout=0.02):
            await self.told(one)

    async def semaphores(self) -> None:
        semaphore, running = asyncio.Semaphore(2), 0

        async def work(number: int) -> None:
            nonlocal running
            async with semaphore:
                running += 1
                self.notes.append([number, running <= 2])
                await asyncio.sleep(0.001 * (number + 1))
                running -= 1

        await asyncio.gather(*[work(number) for number in range(5)])
        lock = asyncio.Lock()
        async with lock:
            self.notes.append(lock.locked())

    async def queues(self) -> None:
        queue: asyncio.Queue[int | None] = asyncio.Queue(maxsize=1)

        async def produce() -> None:
            for number in (0, 1, 2, None):
                await queue.put(number)

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            while (one := await queue.get()) is not None:
                self.notes.append(one)
        sorted_queue: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
        for number in (3, 1, 2):
            sorted_queue.put_nowait(number)
        self.notes.append([await sorted_queue.get() for _ in range(3)])

    async def events(self) -> None:
        event, condition, barrier = asyncio.Event(), asyncio.Condition(), asyncio.Barrier(2)
        asyncio.get_running_loop().call_later(0.001, event.set)
        await event.wait()

        async def wait(name: str) -> None:
            async with condition:
                await condition.wait()
                self.notes.append(name)

        waits = [asyncio.create_task(wait(name)) for name in "ab"]
        await asyncio.sleep(0)
        async with condition:
            condition.notify_all()
        await asyncio.gather(*waits)
        self.notes.append(await asyncio.gather(barrier.wait(), barrier.wait()))

    async def groups(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(after(0.001, fails=True))
                group.create_task(after(60))
        except* ApplicationError as failed:
            self.notes.append([str(one) for one in failed.exceptions])

    async def threads(self) -> None:
        loop = asyncio.get_running_loop()
        await self.told(asyncio.to_thread(print))
        for call in (loop.call_soon_threadsafe, lambda f: loop.run_in_executor(None, f)):
            try:
                call(print)
            except NotImplementedError as error:
                self.notes.append(type(error).__name__)
        self.notes[0] = self.notes[0].partition(":")[0]


NAP, TICK = '"nap"', '"tick"'
# Way of waiting -> what the workflow saw; milliseconds and summaries of its timers.
WAITS: dict[str, tuple[list[Any], list[Any]]] = {
    "conditions": (["TimeoutError: "] * 3 + [None] * 2, [(1, TICK), (1, TICK), (2, TICK)]),
    "sleeps": (
        [None] * 3 + ["RuntimeError: Attempting to schedule timer with negative delay"] * 2 + [None] * 3,
        [(0, NAP), (0.4, NAP), (1, NAP), (0.4, "")],
    ),
    "sets": (
        [["list", 1, 2], [0.009, 0.001, 0.005], ["NoneType", "ApplicationError"], [0, 1]],
        [
            *((60_000, ""), (1, ""), (50_000, ""), (5000, ""), (9, ""), (1, ""), (5, "")),
            *((60_000, ""), (1, ""), (5, ""), (1, ""), (40_000, "")),
        ],
    ),
    "misused": (
        [
            "ValueError: Sequence of Tasks/Futures must not be empty.",
            "TypeError: Passing coroutines is forbidden, use tasks explicitly.",
            "ValueError: Invalid return_when value: SOON",
        ],
        [(1, "")],
    ),
    "completions": ([0.001, 0.005, 0.001, "TimeoutError: "], [(5, ""), (1, ""), (20, ""), (60_000, ""), (1, "")]),
    "semaphores": (
        [[0, True], [1, True], [2, True], [3, True], [4, True], True],
        [(1, ""), (2, ""), (3, ""), (4, ""), (5, "")],
    ),
    "queues": ([0, 1, 2, [1, 2, 3]], []),
    "events": (["a", "b", [0, 1]], [(1, "")]),
    "groups": ([["after 0.001"]], [(1, ""), (60_000, "")]),
    "threads": (["NotImplementedError"] * 3, []),
}


CLOSE = ("sets", "completions")
"""Waits whose outcome hangs on timers a few milliseconds apart."""


@pytest.mark.parametrize("name", [name for name in WAITS if name not in CLOSE])
async def test_waits(stage: Stage, name: str) -> None:
    await waits(stage, name)


@pytest.mark.our_server(reason="on Temporal's server timers that are so close fire together")
@pytest.mark.parametrize("name", CLOSE)
async def test_waits_that_are_close(stage: Stage, name: str) -> None:
    await waits(stage, name)


async def waits(stage: Stage, name: str) -> None:
    notes, timers = WAITS[name]
    async with stage.worker(Waiting):
        handle = await stage.start(Waiting.run, name)
        assert await handle.result() == notes
    started = [event for event in await stage.events(handle) if event.HasField("timer_started_event_attributes")]
    assert [
        (
            event.timer_started_event_attributes.start_to_fire_timeout.ToNanoseconds() / 1e6,
            event.user_metadata.summary.data.decode(),
        )
        for event in started
    ] == timers
    await replay_both_ways(stage, handle, __file__, "Waiting")
