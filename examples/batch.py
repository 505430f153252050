"""Many items at once, each with a history of its own: python batch.py [TARGET]."""

import asyncio
import sys
from datetime import timedelta

from outlast import activity, workflow
from outlast.client import Client
from outlast.common import RetryPolicy
from outlast.exceptions import ChildWorkflowError
from outlast.worker import Worker


@activity.defn
async def process(item_id: str) -> str:
    if item_id == "broken":
        raise ValueError("this item cannot be processed")
    return f"{item_id} processed"


@workflow.defn
class ProcessItemWorkflow:
    @workflow.run
    async def run(self, item_id: str) -> str:
        return await workflow.execute_activity(
            process,
            item_id,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@workflow.defn
class BatchWorkflow:
    @workflow.run
    async def run(self, item_ids: list[str]) -> list[str]:
        handles = [
            await workflow.start_child_workflow(ProcessItemWorkflow.run, item_id, id=f"process-{item_id}")
            for item_id in item_ids
        ]
        # One failure leaves the others alone.
        results = await asyncio.gather(*handles, return_exceptions=True)
        return ["failed" if isinstance(result, ChildWorkflowError) else str(result) for result in results]


async def main(target: str) -> None:
    client = await Client.connect(target)
    async with Worker(client, task_queue="items", workflows=[BatchWorkflow, ProcessItemWorkflow], activities=[process]):
        items = ["a", "b", "broken", "c"]
        print(await client.execute_workflow(BatchWorkflow.run, items, id="batch", task_queue="items"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "sqlite://:memory:"))
