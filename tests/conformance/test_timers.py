"""Timers: fired, cancelled, of no length, and ids that are in use."""

from __future__ import annotations

import asyncio

from stage import MINUTE, MS, Stage

from outlast import workflow


@workflow.defn
class Sleepers:
    """Two timers at once, one of no length, and one that is cancelled."""

    @workflow.run
    async def run(self) -> list[str]:
        woken: list[str] = []

        async def sleeper(name: str, ms: int) -> None:
            await workflow.sleep(MS * ms)
            woken.append(name)

        await asyncio.gather(sleeper("slow", 40), sleeper("fast", 1), sleeper("zero", 0))
        long = asyncio.create_task(workflow.sleep(MINUTE, summary="a long wait"))
        await asyncio.sleep(0.001)
        long.cancel()
        try:
            await long
        except asyncio.CancelledError:
            woken.append("cancelled")
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
        except TimeoutError:
            woken.append("timeout")
        return woken


async def test_timers_fire_in_their_order_and_can_be_cancelled(stage: Stage) -> None:
    async with stage.worker(Sleepers):
        handle = await stage.start(Sleepers.run)
        assert await handle.result() == ["zero", "fast", "slow", "cancelled", "timeout"]
    started = await stage.attributes(handle, "TimerStarted")
    fired = await stage.attributes(handle, "TimerFired")
    (cancelled,) = await stage.attributes(handle, "TimerCanceled")
    long = next(one for one in started if one.start_to_fire_timeout.seconds == 60)
    assert cancelled.timer_id == long.timer_id
    assert {one.timer_id for one in fired} == {one.timer_id for one in started} - {long.timer_id}
