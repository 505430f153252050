"""The process that runs the pipeline's code."""

import asyncio
import logging
import os

from activities import charge_customer, send_confirmation, validate_order
from outlast.client import Client
from outlast.worker import Worker
from workflows import OrderWorkflow


async def main() -> None:
    client = await Client.connect(os.environ.get("OUTLAST_ADDRESS", "localhost:7233"))
    worker = Worker(
        client,
        task_queue="orders",
        workflows=[OrderWorkflow],
        activities=[validate_order, charge_customer, send_confirmation],
    )
    print("Worker started, waiting for orders. Stop it with Ctrl-C.", flush=True)
    await worker.run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())
