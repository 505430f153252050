"""Which failures are tried again, and which are final: python retry_policies.py [TARGET]."""

import asyncio
import sys
from datetime import timedelta

from outlast import activity, workflow
from outlast.client import Client, WorkflowFailureError
from outlast.common import RetryPolicy
from outlast.worker import Worker

# A service that stumbles: soon again, then less and less often; wrong input stays wrong.
FLAKY_SERVICE = RetryPolicy(
    initial_interval=timedelta(milliseconds=50),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=2),
    maximum_attempts=10,
    non_retryable_error_types=["ValueError"],
)
# Money: few tries, far apart, and a refusal is an answer.
PAYMENT = RetryPolicy(
    initial_interval=timedelta(seconds=5), maximum_attempts=3, non_retryable_error_types=["PaymentDeclinedError"]
)


class PaymentDeclinedError(Exception):
    """The bank says no."""


@activity.defn
async def reserve_stock(order_id: str) -> int:
    attempt = activity.info().attempt
    if attempt < 4:
        raise ConnectionError(f"the warehouse does not answer (attempt {attempt})")
    return attempt


@activity.defn
async def charge_customer(order_id: str, amount: float) -> str:
    if amount > 1000:
        raise PaymentDeclinedError(f"{amount:.2f} is above the limit of the card")
    return f"charge_{order_id}_ok"


@workflow.defn
class PurchaseWorkflow:
    @workflow.run
    async def run(self, order_id: str, amount: float) -> str:
        limit = timedelta(seconds=30)
        attempts = await workflow.execute_activity(
            reserve_stock, order_id, start_to_close_timeout=limit, retry_policy=FLAKY_SERVICE
        )
        charge_id = await workflow.execute_activity(
            charge_customer, args=[order_id, amount], start_to_close_timeout=limit, retry_policy=PAYMENT
        )
        return f"{charge_id}, stock reserved at attempt {attempts}"


async def main(target: str) -> None:
    client = await Client.connect(target)
    async with Worker(
        client, task_queue="purchases", workflows=[PurchaseWorkflow], activities=[reserve_stock, charge_customer]
    ):
        for order_id, amount in (("order-1", 99.99), ("order-2", 2500.0)):
            try:
                print(
                    await client.execute_workflow(
                        PurchaseWorkflow.run, args=[order_id, amount], id=order_id, task_queue="purchases"
                    )
                )
            except WorkflowFailureError as error:
                # The workflow failed because the activity did, and that because of what it raised.
                print(f"{order_id} failed: {error.cause.__cause__}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "sqlite://:memory:"))
