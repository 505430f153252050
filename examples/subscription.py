"""A trial that becomes a subscription: python subscription.py [TARGET].

A sleeping workflow is a row with a deadline: it costs no thread and no memory, and a week is as good as a second.
"""

import asyncio
import sys
from datetime import timedelta

from outlast import activity, workflow
from outlast.client import Client
from outlast.worker import Worker

LIMIT = timedelta(seconds=10)


@activity.defn
async def send_mail(user_id: str, subject: str) -> None:
    activity.logger.info("Mail to %s: %s", user_id, subject)


@activity.defn
async def convert_to_paid(user_id: str) -> str:
    return f"{user_id} is a customer"


@workflow.defn
class SubscriptionWorkflow:
    @workflow.run
    async def run(self, user_id: str, trial_s: float) -> str:
        await workflow.execute_activity(send_mail, args=[user_id, "Welcome"], start_to_close_timeout=LIMIT)
        await workflow.sleep(trial_s)
        await workflow.execute_activity(send_mail, args=[user_id, "Your trial ends"], start_to_close_timeout=LIMIT)
        await workflow.sleep(trial_s / 7)
        return await workflow.execute_activity(convert_to_paid, user_id, start_to_close_timeout=LIMIT)


async def main(target: str) -> None:
    client = await Client.connect(target)
    async with Worker(
        client,
        task_queue="subscriptions",
        workflows=[SubscriptionWorkflow],
        activities=[send_mail, convert_to_paid],
    ):
        # timedelta(days=7) in earnest.
        trial_s = timedelta(seconds=0.7).total_seconds()
        outcome = await client.execute_workflow(
            SubscriptionWorkflow.run, args=["user-7", trial_s], id="subscription-user-7", task_queue="subscriptions"
        )
        print(outcome)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "sqlite://:memory:"))
