"""The order pipeline: what happens, and in which order."""

from datetime import timedelta

from outlast import workflow
from outlast.common import RetryPolicy
from outlast.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities import charge_customer, send_confirmation, validate_order

THREE_TIMES = RetryPolicy(maximum_attempts=3)


@workflow.defn
class OrderWorkflow:
    @workflow.run
    async def run(self, order_id: str, amount: float) -> str:
        valid = await workflow.execute_activity(
            validate_order, order_id, start_to_close_timeout=timedelta(seconds=10), retry_policy=THREE_TIMES
        )
        if not valid:
            raise ApplicationError(f"{order_id} is no order of ours", non_retryable=True)
        charge_id = await workflow.execute_activity(
            charge_customer,
            args=[order_id, amount],
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=THREE_TIMES,
        )
        await workflow.execute_activity(
            send_confirmation,
            args=[order_id, charge_id],
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=THREE_TIMES,
        )
        return charge_id
