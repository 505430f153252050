"""A person decides: python approval.py [TARGET]."""

import asyncio
import sys
from datetime import timedelta

from outlast import activity, workflow
from outlast.client import Client
from outlast.worker import Worker


@activity.defn
async def process_approval(request_id: str) -> None:
    activity.logger.info("Processing %s", request_id)


@workflow.defn
class ApprovalWorkflow:
    def __init__(self) -> None:
        self._approved = False
        self._reason = ""

    @workflow.signal
    async def approve(self) -> None:
        self._approved = True

    @workflow.signal
    async def reject(self, reason: str) -> None:
        self._reason = reason

    @workflow.query
    def status(self) -> str:
        if self._approved:
            return "approved"
        return f"rejected: {self._reason}" if self._reason else "pending"

    @workflow.run
    async def run(self, request_id: str, patience_s: float) -> str:
        try:
            await workflow.wait_condition(
                lambda: self._approved or bool(self._reason), timeout=timedelta(seconds=patience_s)
            )
        except TimeoutError:
            return "nobody decided"
        if not self._approved:
            return f"rejected: {self._reason}"
        await workflow.execute_activity(process_approval, request_id, start_to_close_timeout=timedelta(seconds=30))
        return "processed"


async def main(target: str) -> None:
    client = await Client.connect(target)
    async with Worker(client, task_queue="approvals", workflows=[ApprovalWorkflow], activities=[process_approval]):
        two_days = timedelta(hours=48).total_seconds()
        for number, patience_s in enumerate((two_days, two_days, 0.2)):
            await client.start_workflow(
                ApprovalWorkflow.run,
                args=[f"request-{number}", patience_s],
                id=f"approval-{number}",
                task_queue="approvals",
            )
        first, second, third = (client.get_workflow_handle_for(ApprovalWorkflow.run, f"approval-{n}") for n in range(3))
        print(await first.query(ApprovalWorkflow.status))
        await first.signal(ApprovalWorkflow.approve)
        print(await first.query(ApprovalWorkflow.status))
        await second.signal(ApprovalWorkflow.reject, "too expensive")
        for handle in (first, second, third):
            print(await handle.result())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "sqlite://:memory:"))
