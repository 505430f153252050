"""The side effects of an order."""

import asyncio

from outlast import activity


@activity.defn
async def validate_order(order_id: str) -> bool:
    activity.logger.info("Looking up %s", order_id)
    await asyncio.sleep(0.1)  # a query to the shop's database
    return order_id.startswith("order-")


@activity.defn
async def charge_customer(order_id: str, amount: float) -> str:
    activity.logger.info("Charging %.2f for %s", amount, order_id)
    await asyncio.sleep(0.2)  # a call to the payment provider, with the order's id as idempotency key
    return f"charge_{order_id}_ok"


@activity.defn
async def send_confirmation(order_id: str, charge_id: str) -> None:
    activity.logger.info("Confirming %s with %s", order_id, charge_id)
    await asyncio.sleep(0.1)  # a message to the mail server
