"""Starts an order and waits for its result: python run_workflow.py [ORDER_ID]."""

import asyncio
import os
import sys

from outlast.client import Client
from workflows import OrderWorkflow


async def main(order_id: str) -> None:
    client = await Client.connect(os.environ.get("OUTLAST_ADDRESS", "localhost:7233"))
    charge_id = await client.execute_workflow(
        OrderWorkflow.run, args=[order_id, 99.99], id=f"{order_id}-workflow", task_queue="orders"
    )
    print(f"Workflow completed. Charge ID: {charge_id}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "order-42"))
