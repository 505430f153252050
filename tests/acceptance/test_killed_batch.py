"""kill -9 in the middle of a batch operation: it goes on where it was, and does nothing twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from server_process import ServerProcess

import outlast.api.workflowservice.v1 as api
from outlast.api.batch.v1 import BatchOperationSignal
from outlast.api.enums import v1 as e
from outlast.client import Client
from outlast.service import RPCError

pytestmark = pytest.mark.slow

WORKFLOWS = 150
END_S = 60
"""Only a lost batch takes so long."""


async def described(client: Client) -> Any:
    request = api.DescribeBatchOperationRequest(namespace="default", job_id="job-1")
    return await client.workflow_service.describe_batch_operation(request, retry=True)


async def test_every_workflow_hears_the_signal_once(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path) as server:
        client = await Client.connect(server.address)
        handles = await asyncio.gather(
            *(client.start_workflow("Order", id=f"order-{n}", task_queue="nobody") for n in range(WORKFLOWS))
        )
        await client.workflow_service.start_batch_operation(
            api.StartBatchOperationRequest(
                namespace="default",
                job_id="job-1",
                reason="to be killed",
                visibility_query="WorkflowType = 'Order'",
                signal_operation=BatchOperationSignal(signal="approve"),
            )
        )
        async with asyncio.timeout(END_S):
            # Each page is fifty workflows: in the middle of the second, and of the third.
            for done in (60, 110):
                while (await described(client)).complete_operation_count < done:
                    await asyncio.sleep(0.01)
                await server.kill()
                await server.start()
            job = await described(client)
            while job.state == e.BATCH_OPERATION_STATE_RUNNING:
                await asyncio.sleep(0.05)
                job = await described(client)
        assert job.state == e.BATCH_OPERATION_STATE_COMPLETED
        assert (job.total_operation_count, job.complete_operation_count) == (WORKFLOWS, WORKFLOWS)
        for handle in handles:
            events = [event.event_type for event in (await handle.fetch_history()).events]
            assert events.count(e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) == 1, handle.id
        with pytest.raises(RPCError, match="ended already"):
            await client.workflow_service.stop_batch_operation(
                api.StopBatchOperationRequest(namespace="default", job_id="job-1", reason="too late")
            )
