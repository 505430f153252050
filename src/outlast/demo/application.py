"""The application of the demo: engine, database, worker and the start of the order, in one process.

python -m outlast.demo.application FOLDER

It is started again after a crash without a word about what happened before: starting the order a second time finds
the one that is under way.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from outlast import activity
from outlast.client import Client
from outlast.common import WorkflowIDConflictPolicy
from outlast.worker import Worker

from .pipeline import AMOUNT, ORDER_ID, TASK_QUEUE, WORKFLOW_ID, OrderWorkflow, Shop


def database(folder: Path) -> Path:
    """Where the orders of the demo are kept."""
    return folder / "orders.db"


def ledger(folder: Path) -> Path:
    """Where the charges of the demo are counted."""
    return folder / "ledger.txt"


async def main(folder: Path) -> None:
    """Run until the order is done."""
    shop = Shop(ledger(folder))
    client = await Client.connect(f"sqlite:///{database(folder)}")
    async with (
        client,
        Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[OrderWorkflow],
            activities=[shop.validate_order, shop.charge_customer, shop.send_confirmation],
        ),
    ):
        handle = await client.start_workflow(
            OrderWorkflow.run,
            args=[ORDER_ID, AMOUNT],
            id=WORKFLOW_ID,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        await handle.result()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(message)s")
    activity.logger.base_logger.setLevel(logging.INFO)
    activity.logger.activity_info_on_message = False
    asyncio.run(main(Path(sys.argv[1])))
