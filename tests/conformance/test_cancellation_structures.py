"""Cancellation inside structures of tasks: groups, gather, timeouts, shields, locks and queues."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from both_ways import replay_both_ways
from cancellation_story import story, under_way
from stage import MINUTE, MS, Stage

from outlast import activity, workflow


@activity.defn
async def endless() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.005)


def beating(**options: Any) -> Any:
    return workflow.start_activity(endless, start_to_close_timeout=MINUTE, heartbeat_timeout=800 * MS, **options)


@workflow.defn
class Structure:
    """Waits in one structure, named by its argument."""

    def __init__(self) -> None:
        self.notes: list[Any] = []
        self.open = False

    @workflow.query
    def seen(self) -> list[Any]:
        return self.notes

    @workflow.run
    async def run(self, name: str) -> Any:
        try:
            return await getattr(self, name)()
        except BaseException as error:
            self.notes.append(type(error).__name__)
            raise

    async def step(self, name: str) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.notes.append(f"{name} cancelled")
            raise

    async def group(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(9):
                group.create_task(self.step(str(number)))

    async def group_waiting_inside(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.step("one"))
            await self.step("body")

    async def gathered(self) -> None:
        await asyncio.gather(self.step("one"), self.step("two"), beating())

    async def gathered_exceptions(self) -> list[str]:
        results = await asyncio.gather(self.step("one"), beating(), return_exceptions=True)
        return [type(one).__name__ for one in results]

    async def within_timeout(self) -> None:
        async with asyncio.timeout(3600):
            await self.step("inside")

    async def waited_for(self) -> None:
        await asyncio.wait_for(self.step("inside"), 3600)

    async def waited(self) -> None:
        tasks = [asyncio.create_task(self.step("one"))]
        try:
            await workflow.wait(tasks)
        finally:
            self.notes.append(tasks[0].done())

    async def completed_first(self) -> None:
        for one in workflow.as_completed([asyncio.create_task(self.step("one"))]):
            await one

    async def lock(self) -> None:
        lock = asyncio.Lock()
        await lock.acquire()
        await lock.acquire()

    async def queue(self) -> None:
        await asyncio.Queue[int]().get()

    async def semaphore(self) -> None:
        async with asyncio.Semaphore(0):
            self.notes.append("never")

    async def event(self) -> None:
        await asyncio.Event().wait()

    async def async_condition(self) -> None:
        condition = asyncio.Condition()
        async with condition:
            try:
                await condition.wait()
            finally:
                self.notes.append(condition.locked())

    async def parts(self) -> list[str]:
        early = asyncio.create_task(asyncio.sleep(3600))
        early.cancel()
        await asyncio.wait([early])
        found = ["cancelled before its first step"] if early.cancelled() else []
        named = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        named.cancel("stop")
        try:
            await named
        except asyncio.CancelledError as error:
            found.append(f"cancelled with its message: {error.args}")
        twice = asyncio.create_task(self.step("twice"))
        await asyncio.sleep(0)
        twice.cancel()
        twice.cancel()
        await asyncio.wait([twice])
        found.append(f"cancelled {'twice' if twice.cancelling() == 2 else '?'}, delivered {'once' * len(self.notes)}")
        done = asyncio.create_task(asyncio.sleep(0.001, "done"))
        await done
        done.cancel()
        found.append(f"cancelled after its end: {done.result()}")
        waiting = asyncio.create_task(workflow.wait_condition(lambda: self.open))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        self.open = True
        await asyncio.sleep(0.001)
        found.append("a cancelled condition leaves no trace")
        shared = asyncio.create_task(asyncio.sleep(0.01))
        waits = [asyncio.create_task(self.shielded_wait(shared)) for _ in range(2)]
        await asyncio.sleep(0)
        waits[0].cancel()
        await asyncio.wait(waits)
        found.append(
            f"the wait of two is cancelled, one goes on: {not shared.cancelled() and not waits[1].cancelled()}"
        )
        return found

    async def shielded_wait(self, shared: asyncio.Future[None]) -> None:
        await asyncio.shield(shared)


# Structure -> status, notes and events, as ``story`` tells them.
STRUCTURES: dict[str, tuple[str, list[Any], str]] = {
    "group_waiting_inside": (
        "CANCELED",
        ["body cancelled", "one cancelled", "CancelledError"],
        "TimerStarted TimerStarted CancelRequested TimerCanceled TimerCanceled Canceled",
    ),
    "gathered": (
        "CANCELED",
        ["one cancelled", "two cancelled", "CancelledError"],
        "ActivityTaskScheduled TimerStarted TimerStarted CancelRequested TimerCanceled TimerCanceled "
        "ActivityTaskCancelRequested Canceled",
    ),
    "gathered_exceptions": (
        "CANCELED",
        ["one cancelled", "CancelledError"],
        "ActivityTaskScheduled TimerStarted CancelRequested TimerCanceled ActivityTaskCancelRequested Canceled",
    ),
    "within_timeout": (
        "CANCELED",
        ["inside cancelled", "CancelledError"],
        "TimerStarted TimerStarted CancelRequested TimerCanceled TimerCanceled Canceled",
    ),
    "waited_for": (
        "CANCELED",
        ["inside cancelled", "CancelledError"],
        "TimerStarted TimerStarted CancelRequested TimerCanceled TimerCanceled Canceled",
    ),
    "waited": ("CANCELED", [False, "CancelledError"], "TimerStarted CancelRequested Canceled"),
    "completed_first": ("CANCELED", ["CancelledError"], "TimerStarted CancelRequested Canceled"),
    "lock": ("CANCELED", ["CancelledError"], "CancelRequested Canceled"),
    "queue": ("CANCELED", ["CancelledError"], "CancelRequested Canceled"),
    "semaphore": ("CANCELED", ["CancelledError"], "CancelRequested Canceled"),
    "event": ("CANCELED", ["CancelledError"], "CancelRequested Canceled"),
    "async_condition": ("CANCELED", [True, "CancelledError"], "CancelRequested Canceled"),
}


@pytest.mark.parametrize("name", STRUCTURES)
async def test_a_structure_is_cancelled_as_asyncio_does(stage: Stage, name: str) -> None:
    status, notes, events = STRUCTURES[name]
    async with stage.worker(Structure, activities=[endless]):
        handle = await stage.start(Structure.run, name)
        await under_way(stage, handle, name)
        await handle.cancel()
        assert (await stage.until_closed(handle)).name == status
        assert await handle.query(Structure.seen) == notes
    assert await story(stage, handle) == events
    await replay_both_ways(stage, handle, __file__, "Structure")


@pytest.mark.ways("embedded", "grpc", reason="Temporal's SDK cancels a group's tasks in the order of their addresses")
async def test_a_group_is_cancelled_in_the_order_of_its_making(stage: Stage) -> None:
    async with stage.worker(Structure):
        handle = await stage.start(Structure.run, "group")
        await stage.until_event(handle, "TimerStarted", 9)
        await handle.cancel()
        assert (await stage.until_closed(handle)).name == "CANCELED"
        assert await handle.query(Structure.seen) == [*(f"{number} cancelled" for number in range(9)), "CancelledError"]
    canceled = await stage.attributes(handle, "TimerCanceled")
    assert [one.timer_id for one in canceled] == [str(number) for number in range(1, 10)]


async def test_a_task_cancelled_by_the_workflow_itself(stage: Stage) -> None:
    async with stage.worker(Structure):
        handle = await stage.start(Structure.run, "parts")
        assert await handle.result() == [
            "cancelled before its first step",
            "cancelled with its message: ('stop',)",
            "cancelled twice, delivered once",
            "cancelled after its end: done",
            "a cancelled condition leaves no trace",
            "the wait of two is cancelled, one goes on: True",
        ]
    await replay_both_ways(stage, handle, __file__, "Structure")
