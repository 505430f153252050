"""The life of a worker: it runs once, and ends when it is told to or its call is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from programs import greet, until

from outlast.client import Client
from outlast.worker import Worker

QUEUE = "orders"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    connected = await Client.connect("sqlite://:memory:")
    try:
        async with asyncio.timeout(30):
            yield connected
    finally:
        await connected.service_client.close()


async def test_a_worker_runs_once(client: Client) -> None:
    worker = Worker(client, task_queue=QUEUE, activities=[greet])
    assert not worker.is_running
    running = asyncio.create_task(worker.run())
    await until(lambda: worker.is_running)
    await worker.shutdown()
    await running
    assert (worker.is_running, worker.is_shutdown) == (False, True)
    with pytest.raises(RuntimeError, match="Already started"):
        await worker.run()


async def test_cancelling_run_shuts_down(client: Client) -> None:
    worker = Worker(client, task_queue=QUEUE, activities=[greet])
    running = asyncio.create_task(worker.run())
    await until(lambda: worker.is_running)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert worker.is_shutdown
