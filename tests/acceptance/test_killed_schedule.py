"""kill -9 while schedules act: every action is taken, and none twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from server_process import ServerProcess

from outlast.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from outlast.server import checkup

pytestmark = pytest.mark.slow

END_S = 60
"""Only a lost schedule takes so long."""
SECOND = timedelta(seconds=1)
TURN_S = 0.01


async def create(client: Client, name: str, state: ScheduleState) -> ScheduleHandle:
    return await client.create_schedule(
        name,
        Schedule(
            action=ScheduleActionStartWorkflow("Order", id=name, task_queue="nobody"),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SECOND)]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
            state=state,
        ),
    )


async def until(handle: ScheduleHandle, actions: int) -> None:
    async with asyncio.timeout(END_S):
        while (await handle.describe()).info.num_actions < actions:
            await asyncio.sleep(TURN_S)


async def started(client: Client, name: str) -> Counter[str]:
    """How many runs each workflow id has."""
    query = f"TemporalScheduledById = '{name}'"
    return Counter([execution.id async for execution in client.list_workflows(query)])


def ids(name: str, first: datetime, count: int) -> dict[str, int]:
    return {f"{name}-{first + number * SECOND:%Y-%m-%dT%H:%M:%SZ}": 1 for number in range(count)}


async def test_a_backfill_is_done_once(tmp_path: Path) -> None:
    first, count = datetime(2024, 2, 29, tzinfo=UTC), 45
    async with ServerProcess(tmp_path) as server:
        client = await Client.connect(server.address)
        handle = await create(client, "orders", ScheduleState(paused=True))
        await handle.backfill(ScheduleBackfill(first, first + (count - 1) * SECOND))
        for actions in (3, 14, 27):
            await until(handle, actions)
            await server.kill()
            await server.start()
        await until(handle, count)
        assert await started(client, "orders") == ids("orders", first, count)
        described = await handle.describe()
        assert described.info.num_actions == count
        await handle.delete()


async def test_every_second_has_its_workflow_also_those_without_a_server(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path) as server:
        client = await Client.connect(server.address)
        handle = await create(client, "ticks", ScheduleState())
        first = (await handle.describe()).info.created_at.replace(microsecond=0) + SECOND
        for actions in (1, 3):
            await until(handle, actions)
            await server.kill()
            await server.start()
        await until(handle, 5)
        await handle.pause()
        described = await handle.describe()
        found = await started(client, "ticks")
        assert found == ids("ticks", first, described.info.num_actions)
        await server.stop()
        assert checkup.check(tmp_path / "orders.db").findings == []
