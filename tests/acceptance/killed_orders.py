"""Orders that stay open while processes are killed around them; also the worker process that runs them.

python killed_orders.py ADDRESS
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from outlast import activity, workflow
from outlast.client import Client
from outlast.common import RetryPolicy
from outlast.worker import Worker

TASK_QUEUE = "orders"
SECOND = timedelta(seconds=1)


@activity.defn
async def validate(order_id: str) -> bool:
    await asyncio.sleep(0.02)
    return True


@activity.defn
def charge(order_id: str) -> str:
    return f"charge_{order_id}_ok"


@activity.defn
async def pack(item: str) -> str:
    await asyncio.sleep(0.02)
    return item


@activity.defn
async def confirm(order_id: str, charge_id: str) -> None:
    await asyncio.sleep(0.02)


ACTIVITIES = [validate, charge, pack, confirm]


@workflow.defn
class Order:
    """Takes items until it is closed, and answers those that it packed."""

    def __init__(self) -> None:
        self.wanted: list[str] = []
        self.closed = False

    @workflow.signal
    def add(self, item: str) -> None:
        self.wanted.append(item)

    @workflow.signal
    def close(self) -> None:
        self.closed = True

    @workflow.run
    async def run(self, order_id: str) -> list[str]:
        retry = RetryPolicy(initial_interval=timedelta(milliseconds=50), backoff_coefficient=1.0)
        await workflow.execute_activity(validate, order_id, start_to_close_timeout=SECOND, retry_policy=retry)
        charge_id = await workflow.execute_activity(charge, order_id, start_to_close_timeout=SECOND, retry_policy=retry)
        packed: list[str] = []
        while len(packed) < len(self.wanted) or not self.closed:
            await workflow.wait_condition(lambda: self.closed or len(packed) < len(self.wanted))
            for item in self.wanted[len(packed) :]:
                packed.append(
                    await workflow.execute_activity(pack, item, start_to_close_timeout=SECOND, retry_policy=retry)
                )
        await workflow.sleep(0.05)
        await workflow.execute_activity(
            confirm, args=[order_id, charge_id], start_to_close_timeout=SECOND, retry_policy=retry
        )
        return packed


def worker(client: Client) -> Worker:
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Order],
        activities=ACTIVITIES,
        sticky_queue_schedule_to_start_timeout=SECOND,
    )


async def main(address: str) -> None:
    async with worker(await Client.connect(address)):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
