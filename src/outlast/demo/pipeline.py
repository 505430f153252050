"""The order pipeline of the demo: validate, charge, confirm.

Nothing in it knows about crashes. The charge leaves a line in a ledger, so that afterwards everybody can count.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from outlast import activity, workflow
from outlast.common import RetryPolicy

TASK_QUEUE = "orders"
WORKFLOW_ID = "order-42-workflow"
ORDER_ID = "order-42"
AMOUNT = 99.99
CONFIRMING = "Sending the confirmation"
"""How the log line of the last activity begins."""

_VALIDATE_S = 0.5
_CHARGE_S = 1.0
_CONFIRM_S = 2.0


@dataclass(frozen=True)
class Shop:
    """The activities, and where they leave their traces."""

    ledger: Path

    @activity.defn
    def validate_order(self, order_id: str) -> bool:
        """Whether the order may be charged."""
        activity.logger.info("Validating %s", order_id)
        time.sleep(_VALIDATE_S)
        return True

    @activity.defn
    def charge_customer(self, order_id: str, amount: float) -> str:
        """Charge, note it in the ledger, and answer the charge's id."""
        activity.logger.info("Charging %.2f for %s", amount, order_id)
        time.sleep(_CHARGE_S)
        with self.ledger.open("a", encoding="utf-8") as ledger:
            ledger.write(f"{order_id} charged {amount:.2f} by process {os.getpid()}\n")
            ledger.flush()
            os.fsync(ledger.fileno())
        return f"charge_{order_id}_ok"

    @activity.defn
    def send_confirmation(self, order_id: str, charge_id: str) -> None:
        """Tell the customer; the mail server is slow today."""
        activity.logger.info("%s of %s for %s", CONFIRMING, charge_id, order_id)
        time.sleep(_CONFIRM_S)


@workflow.defn
class OrderWorkflow:
    """One order, from validation to confirmation."""

    @workflow.run
    async def run(self, order_id: str, amount: float) -> str:
        """Answer the id of the charge."""
        limit = timedelta(seconds=30)
        retry = RetryPolicy(maximum_attempts=3)
        valid = await workflow.execute_activity_method(
            Shop.validate_order, order_id, start_to_close_timeout=limit, retry_policy=retry
        )
        if not valid:
            raise ValueError(f"{order_id} is not valid")
        charge_id = await workflow.execute_activity_method(
            Shop.charge_customer, args=[order_id, amount], start_to_close_timeout=limit, retry_policy=retry
        )
        await workflow.execute_activity_method(
            Shop.send_confirmation, args=[order_id, charge_id], start_to_close_timeout=limit, retry_policy=retry
        )
        return charge_id
