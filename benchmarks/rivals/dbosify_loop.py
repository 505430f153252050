"""The pipeline on dbosify: the code written for temporalio with its imports renamed. Target: a PostgreSQL URL."""

from __future__ import annotations

from datetime import timedelta

from dbosify import activity, workflow
from dbosify.client import Client
from dbosify.worker import Worker

from benchmarks.closed_loop import measure, run_and_print
from benchmarks.rivals.arguments import Arguments


@activity.defn
async def validate(order_id: str) -> bool:
    return True


@activity.defn
async def charge(order_id: str, amount: float) -> str:
    return f"charge_{order_id}_ok"


@activity.defn
async def confirm(order_id: str, charge_id: str) -> None:
    return None


@workflow.defn
class Pipeline:
    """Validate, charge, confirm."""

    @workflow.run
    async def run(self, order_id: str, amount: float) -> str:
        limit = timedelta(seconds=60)
        await workflow.execute_activity(validate, order_id, start_to_close_timeout=limit)
        charge_id = await workflow.execute_activity(charge, args=[order_id, amount], start_to_close_timeout=limit)
        await workflow.execute_activity(confirm, args=[order_id, charge_id], start_to_close_timeout=limit)
        return charge_id


async def work(arguments: Arguments) -> dict[str, float]:
    worker = Worker(
        arguments.target,
        task_queue="benchmark",
        workflows=[Pipeline],
        activities=[validate, charge, confirm],
    )
    async with worker, await Client.connect(arguments.target) as client:

        async def call(order_id: str) -> str:
            return await client.execute_workflow(
                Pipeline.run, args=[order_id, 9.99], id=order_id, task_queue="benchmark"
            )

        return await measure(call, arguments.in_flight, arguments.workflows, arguments.server_pid)


if __name__ == "__main__":
    run_and_print(work(Arguments.read()))
