"""kill -9 at random moments: nothing that was acknowledged is lost, nothing that was completed is done again.

The moments are drawn with a seed; what has to hold does not depend on where they fall.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from killed_application import ORDERS, order
from killed_orders import TASK_QUEUE, Order, worker
from server_process import Program, ServerProcess

from outlast.client import Client, WorkflowHandle
from outlast.common import WorkflowIDConflictPolicy
from outlast.service import RPCError

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
KILLS = 30
END_S = 90
"""Only a lost order takes so long."""


async def check(handle: WorkflowHandle[Any, Any], run_id: str, acknowledged: set[str]) -> None:
    """The order completes, holds what was acknowledged, and its history has no gap and nothing twice."""
    async with asyncio.timeout(END_S):
        packed = await handle.result()
    assert acknowledged <= set(packed)
    assert len(packed) == len(set(packed))
    history = await handle.fetch_history()
    assert history.run_id == run_id
    assert [event.event_id for event in history.events] == list(range(1, len(history.events) + 1))
    attributes = [(str(event.WhichOneof("attributes")), event) for event in history.events]
    scheduled = [event.event_id for name, event in attributes if name == "activity_task_scheduled_event_attributes"]
    completed = Counter(
        event.activity_task_completed_event_attributes.scheduled_event_id
        for name, event in attributes
        if name == "activity_task_completed_event_attributes"
    )
    assert completed == Counter(scheduled)
    assert len(scheduled) == len(packed) + 3
    signals = [name for name, _ in attributes].count("workflow_execution_signaled_event_attributes")
    assert signals == len(packed) + 1
    completions = [name for name, _ in attributes].count("workflow_execution_completed_event_attributes")
    assert completions == 1


class Customer:
    """Opens an order and adds items to it through a server that dies again and again."""

    def __init__(self, client: Client, number: int, seed: int) -> None:
        self.client = client
        self.id = f"order-{number}"
        self.dice = random.Random(seed)
        self.handle: WorkflowHandle[Any, Any] | None = None
        self.acknowledged: set[str] = set()

    async def shop(self, kills: asyncio.Event) -> None:
        while self.handle is None:
            with contextlib.suppress(RPCError):  # not acknowledged
                self.handle = await self.client.start_workflow(
                    Order.run,
                    self.id,
                    id=self.id,
                    task_queue=TASK_QUEUE,
                    task_timeout=timedelta(seconds=1),
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                )
        item = 0
        while not kills.is_set():
            await asyncio.sleep(self.dice.uniform(0, 0.8))
            item += 1
            try:
                await self.handle.signal(Order.add, f"item-{item}")
            except RPCError:
                continue  # not acknowledged: it may be there or not
            self.acknowledged.add(f"item-{item}")
        await self.handle.signal(Order.close)


async def test_server_and_worker_are_killed(tmp_path: Path) -> None:
    dice = random.Random(1)
    kills = asyncio.Event()
    for name in ("server", "worker"):
        (tmp_path / name).mkdir()
    async with ServerProcess(tmp_path / "server") as server:
        work = Program(str(HERE / "killed_orders.py"), server.address, ready="ready", folder=tmp_path / "worker")
        async with work, await Client.connect(server.address) as client:
            customers = [Customer(client, number, number) for number in range(20)]
            late = [Customer(client, 20 + number, number) for number in range(10)]
            shopping = [asyncio.create_task(customer.shop(kills)) for customer in customers]
            for number in range(KILLS):
                if number % 3 == 2:
                    shopping.append(asyncio.create_task(late[number // 3].shop(kills)))
                await asyncio.sleep(dice.uniform(0, 0.4))
                victims = dice.choice(([server], [work], [server, work]))
                await asyncio.gather(*(victim.kill() for victim in victims))
                for victim in victims:
                    await victim.start()
            kills.set()
            await asyncio.gather(*shopping)
            assert min(len(customer.acknowledged) for customer in customers) > 0
            for customer in (*customers, *late):
                assert customer.handle is not None
                assert customer.handle.result_run_id
                await check(customer.handle, customer.handle.result_run_id, customer.acknowledged)


async def test_the_application_is_killed(tmp_path: Path) -> None:
    dice = random.Random(2)
    database = tmp_path / "orders.db"
    started: dict[str, set[str]] = defaultdict(set)
    added: dict[str, set[str]] = defaultdict(set)
    for number in range(KILLS):
        application = Program(
            str(HERE / "killed_application.py"), str(database), str(number), ready="ready", folder=tmp_path
        )
        async with application:
            await asyncio.sleep(dice.uniform(0, 0.6))
            for line in await application.kill():
                what, order_id, detail = line.split()
                {"started": started, "added": added}[what][order_id].add(detail)
    assert len(started) == len(added) == ORDERS
    async with await Client.connect(f"sqlite:///{database}") as client:
        handles = [await order(client, number) for number in range(ORDERS)]
        async with worker(client):
            for handle in handles:
                await handle.signal(Order.close)
            for handle in handles:
                (run_id,) = started[handle.id]
                assert handle.result_run_id == run_id
                await check(handle, run_id, added[handle.id])
