"""The order pipeline in one file and one process: python embedded.py [DATABASE].

The engine is part of the application. Kill it with `kill -9` while it packs, start it again, and it goes on there.
"""

import asyncio
import sys
import time
from datetime import timedelta

from outlast import activity, workflow
from outlast.client import Client
from outlast.common import WorkflowIDConflictPolicy
from outlast.worker import Worker


@activity.defn
def charge(order_id: str) -> str:
    print(f"charging {order_id}", flush=True)
    return f"charge_{order_id}_ok"


@activity.defn
def pack(order_id: str) -> None:
    print(f"packing {order_id}", flush=True)
    time.sleep(1)  # plain functions run in threads and may block


@workflow.defn
class Order:
    @workflow.run
    async def run(self, order_id: str) -> str:
        limit = timedelta(minutes=1)
        charge_id = await workflow.execute_activity(charge, order_id, start_to_close_timeout=limit)
        await workflow.execute_activity(pack, order_id, start_to_close_timeout=limit)
        return charge_id


async def main(database: str) -> None:
    client = await Client.connect(f"sqlite:///{database}")
    async with Worker(client, task_queue="orders", workflows=[Order], activities=[charge, pack]):
        # The order that a former process left open, or a new one.
        handle = await client.start_workflow(
            Order.run,
            "order-42",
            id="order-42",
            task_queue="orders",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        print(f"completed: {await handle.result()}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "orders.db"))
