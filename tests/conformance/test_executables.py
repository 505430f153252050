"""The official SDK starts our executables where it would start downloaded ones: dev server and time-skipping server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest
from temporalio.client import Client
from temporalio.common import RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from outlast.server.app import serve
from outlast.server.config import ServerConfig

BIN = Path(sys.executable).parent
QUEUE = "q"
COLOUR = SearchAttributeKey.for_keyword("Colour")


@activity.defn
async def fail_twice() -> int:
    if activity.info().attempt < 3:
        raise ApplicationError("not yet")
    return activity.info().attempt


@workflow.defn
class Subscription:
    """Days of sleep, retries of minutes, and a signal."""

    def __init__(self) -> None:
        self.ended = False

    @workflow.signal
    def end(self) -> None:
        self.ended = True

    @workflow.run
    async def run(self) -> list[int]:
        begin = workflow.now()
        await workflow.sleep(timedelta(days=7))
        attempts = await workflow.execute_activity(
            fail_twice,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(hours=1)),
        )
        try:
            await workflow.wait_condition(lambda: self.ended, timeout=timedelta(days=2))
        except TimeoutError:
            attempts = -attempts
        return [attempts, (workflow.now() - begin).days]


def worker(client: Client) -> Worker:
    runner = UnsandboxedWorkflowRunner()
    return Worker(client, task_queue=QUEUE, workflows=[Subscription], activities=[fail_twice], workflow_runner=runner)


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    path = str(BIN / "outlast-test-server")
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=path) as env:
        yield env


async def test_the_time_skipping_server(skipping: WorkflowEnvironment) -> None:
    assert skipping.supports_time_skipping
    async with worker(skipping.client):
        assert await skipping.client.execute_workflow(Subscription.run, id="w", task_queue=QUEUE) == [-3, 9]
        handle = await skipping.client.start_workflow(Subscription.run, id="w2", task_queue=QUEUE)
        await skipping.sleep(timedelta(days=8))
        await handle.signal(Subscription.end)
        assert await handle.result() == [3, 8]


async def test_the_clock_of_the_time_skipping_server(skipping: WorkflowEnvironment) -> None:
    begin = await skipping.get_current_time()
    await skipping.sleep(timedelta(days=365))
    assert await skipping.get_current_time() - begin >= timedelta(days=365)
    service = skipping.client.test_service
    await service.lock_time_skipping(LockTimeSkippingRequest())
    await service.unlock_time_skipping(UnlockTimeSkippingRequest())
    await service.unlock_time_skipping(UnlockTimeSkippingRequest())
    with pytest.raises(RPCError, match="lock counter is 0"):
        await service.unlock_time_skipping(UnlockTimeSkippingRequest())
    await service.lock_time_skipping(LockTimeSkippingRequest())


async def test_the_dev_server(tmp_path: Path) -> None:
    database = tmp_path / "dev.db"
    for run in (1, 2):
        async with await WorkflowEnvironment.start_local(
            namespace="shop",
            dev_server_existing_path=str(BIN / "outlast"),
            dev_server_database_filename=str(database),
            search_attributes=[COLOUR],
        ) as env:
            red = TypedSearchAttributes([SearchAttributePair(COLOUR, "red")])
            await env.client.start_workflow(Subscription.run, id=f"w{run}", task_queue=QUEUE, search_attributes=red)
            assert (await env.client.count_workflows("Colour = 'red'")).count == run


async def test_a_plain_server_has_no_clock_to_move(tmp_path: Path) -> None:
    port = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(ServerConfig(None, port=0), port.set_result))
    try:
        client = await Client.connect(f"127.0.0.1:{(await port).port}")
        with pytest.raises(RPCError):
            await client.test_service.lock_time_skipping(LockTimeSkippingRequest())
    finally:
        serving.cancel()
        await asyncio.wait((serving,))
