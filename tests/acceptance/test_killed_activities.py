"""kill -9 around standalone activities: what was acknowledged is done, with its result, and nothing hangs."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path

import pytest
from killed_activities import TASK_QUEUE, ship, ship_at_the_second_try, worker
from server_process import ServerProcess

from outlast.client import ActivityExecutionStatus, Client
from outlast.common import ActivityIDConflictPolicy, RetryPolicy
from outlast.server import checkup
from outlast.service import RPCError

pytestmark = pytest.mark.slow

PARCELS = 60
KILLS = 4
END_S = 90
"""Only a lost activity takes so long."""


async def begin(client: Client, number: int) -> None:
    """Start one, until the server says that it has it."""
    while True:
        try:
            await client.start_activity(
                ship_at_the_second_try if number % 3 == 0 else ship,
                number,
                id=f"parcel-{number}",
                task_queue=TASK_QUEUE,
                start_to_close_timeout=timedelta(seconds=2),
                start_delay=timedelta(seconds=0.5) if number % 5 == 0 else timedelta(0),
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=0.1), backoff_coefficient=1),
                id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING,
            )
            return
        except RPCError:
            await asyncio.sleep(0.05)


async def result(client: Client, number: int) -> int:
    while True:
        try:
            handle = client.get_activity_handle(f"parcel-{number}", result_type=int)
            return await handle.result()
        except RPCError:
            await asyncio.sleep(0.05)


async def test_every_parcel_that_was_accepted_arrives(tmp_path: Path) -> None:
    dice = random.Random(5)
    async with ServerProcess(tmp_path) as server:
        client = await Client.connect(server.address)
        async with worker(client), asyncio.timeout(END_S):
            begun = [asyncio.create_task(begin(client, number)) for number in range(PARCELS)]
            for _ in range(KILLS):
                await asyncio.sleep(dice.uniform(0.1, 0.6))
                await server.kill()
                await server.start()
            await asyncio.gather(*begun)
            results = await asyncio.gather(*(result(client, number) for number in range(PARCELS)))
        assert results == [number * 2 for number in range(PARCELS)]
        counted = await client.count_activities("GROUP BY ExecutionStatus")
        assert counted.count == PARCELS
        async for listed in client.list_activities(""):
            assert listed.status is ActivityExecutionStatus.COMPLETED
    assert checkup.check(tmp_path / "orders.db").findings == []
