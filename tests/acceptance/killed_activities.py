"""A worker of standalone activities, and the activities themselves, around which a server is killed."""

from __future__ import annotations

import asyncio

from outlast import activity
from outlast.client import Client
from outlast.worker import Worker

TASK_QUEUE = "parcels"


@activity.defn
async def ship(parcel: int) -> int:
    """Takes a moment, in which the server may die."""
    await asyncio.sleep(0.05)
    return parcel * 2


@activity.defn
async def ship_at_the_second_try(parcel: int) -> int:
    """Fails once."""
    if activity.info().attempt < 2:
        raise RuntimeError("the van broke down")
    return parcel * 2


def worker(client: Client) -> Worker:
    return Worker(client, task_queue=TASK_QUEUE, activities=[ship, ship_at_the_second_try])
