"""An order, for the tests of mocks: three activities in a row, and a fourth in a child."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from outlast import activity, workflow

LIMIT = timedelta(seconds=10)


@dataclass
class Receipt:
    order_id: str
    cents: int


@activity.defn
async def validate_order(order_id: str) -> bool:
    raise AssertionError("the real activity ran")


@activity.defn
async def charge_customer(order_id: str, amount: float) -> str:
    raise AssertionError("the real activity ran")


@activity.defn
async def print_receipt(receipt: Receipt) -> Receipt:
    return Receipt(receipt.order_id, receipt.cents + 1)


@workflow.defn
class Order:
    @workflow.run
    async def run(self, order_id: str, amount: float) -> str:
        if not await workflow.execute_activity(validate_order, order_id, start_to_close_timeout=LIMIT):
            return "invalid"
        return await workflow.execute_activity(charge_customer, args=[order_id, amount], start_to_close_timeout=LIMIT)


@workflow.defn
class Receipts:
    @workflow.run
    async def run(self, order_id: str) -> Receipt:
        return await workflow.execute_activity(print_receipt, Receipt(order_id, 5), start_to_close_timeout=LIMIT)


@workflow.defn
class CallsByName:
    """Calls one activity, by its name, after a signal."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    @workflow.signal
    def begin(self) -> None:
        self.go.set()

    @workflow.run
    async def run(self, name: str) -> str:
        await self.go.wait()
        result: str = await workflow.execute_activity(name, start_to_close_timeout=LIMIT)
        return result
