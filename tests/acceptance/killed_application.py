"""An application with its engine inside, made to be killed: it opens orders and adds items without end.

python killed_application.py DATABASE NAME    prints each start and signal that was acknowledged
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Any

from killed_orders import TASK_QUEUE, Order, worker

from outlast.client import Client, WorkflowHandle
from outlast.common import WorkflowIDConflictPolicy

ORDERS = 20


async def order(client: Client, number: int) -> WorkflowHandle[Any, list[str]]:
    """The order with this number: the one that is open, or a new one."""
    return await client.start_workflow(
        Order.run,
        f"order-{number}",
        id=f"order-{number}",
        task_queue=TASK_QUEUE,
        task_timeout=timedelta(seconds=1),
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def customer(client: Client, number: int, name: str) -> None:
    handle = await order(client, number)
    # One string each, so that a line is written whole or not at all.
    print(f"started {handle.id} {handle.result_run_id}", flush=True)
    item = 0
    while True:
        await handle.signal(Order.add, f"{name}-{item}")
        print(f"added {handle.id} {name}-{item}", flush=True)
        item += 1
        await asyncio.sleep(0.1)


async def main(database: str, name: str) -> None:
    client = await Client.connect(f"sqlite:///{database}")
    print("ready", flush=True)
    async with worker(client):
        await asyncio.gather(*(customer(client, number, name) for number in range(ORDERS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
