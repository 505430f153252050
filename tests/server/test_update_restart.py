"""Callers of updates across a restart of the server: both SDKs send again what waited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import temporalio.client

from outlast import workflow
from outlast.client import Client, WorkflowUpdateStage
from outlast.server.node import Node
from outlast.server.rpc import GrpcDoor
from outlast.storage.sqlite import SqliteStorage
from outlast.worker import Worker

PATIENCE_S = 20


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.total = 0
        self.released = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def release(self) -> None:
        self.released = True

    @workflow.update
    async def add(self, amount: int) -> int:
        self.total += amount
        return self.total

    @workflow.update
    async def add_when_released(self, amount: int) -> int:
        await workflow.wait_condition(lambda: self.released)
        self.total += amount
        return self.total


@asynccontextmanager
async def served(path: Path, address: str = "127.0.0.1:0") -> AsyncIterator[tuple[str, Node]]:
    """A server over the database; it stops with whoever calls it still waiting."""
    node = await Node.open(SqliteStorage.open(path))
    door = GrpcDoor(node)
    port = await door.start(address)
    try:
        yield f"127.0.0.1:{port}", node
    finally:
        node.release()
        await door.stop(0)
        await node.close()


async def waits(node: Node, count: int) -> None:
    """Until so many updates wait in the server."""
    while sum(len(run.updates) for run in node.runs.all()) < count:
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("sdk", "stage"),
    [
        (Client, WorkflowUpdateStage.ACCEPTED),
        (temporalio.client.Client, temporalio.client.WorkflowUpdateStage.ACCEPTED),
    ],
)
async def test_updates_across_a_restart(tmp_path: Path, sdk: Any, stage: Any) -> None:
    path = tmp_path / "outlast.db"
    async with asyncio.timeout(PATIENCE_S):
        async with served(path) as (address, node):
            client = await sdk.connect(address)
            ours = await Client.connect(address)
            await client.start_workflow("Counter", id="counter", task_queue="counters")
            handle = client.get_workflow_handle("counter")
            async with Worker(ours, task_queue="counters", workflows=[Counter]):
                accepted = await handle.start_update(
                    "add_when_released", 1, wait_for_stage=stage, id="accepted", result_type=int
                )
            outcome = asyncio.create_task(accepted.result())
            waiting = asyncio.create_task(handle.execute_update("add", 10, id="waiting", result_type=int))
            await waits(node, 1)
        assert not waiting.done() and not outcome.done()
        async with served(path, address) as (_, node):
            await waits(node, 1)
            async with Worker(ours, task_queue="counters", workflows=[Counter]):
                assert await waiting == 10
                await handle.signal("release")
                assert await outcome == 11
    await ours.service_client.close()
