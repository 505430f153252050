"""A paused workflow under the clock of tests: its timers fire as time jumps, and a test that waits for it is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outlast import activity, workflow
from outlast.api.workflowservice.v1 import PauseWorkflowExecutionRequest, UnpauseWorkflowExecutionRequest
from outlast.client import WorkflowHandle
from outlast.testing import StuckError, WorkflowEnvironment
from outlast.worker import Worker


@activity.defn
async def remind() -> str:
    return "reminded"


@workflow.defn
class Reminder:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(days=7))
        reminded = await workflow.execute_activity(remind, start_to_close_timeout=timedelta(minutes=1))
        return f"{reminded} after {workflow.now() - workflow.info().workflow_start_time}"


async def pause(env: WorkflowEnvironment, handle: WorkflowHandle[Reminder, str]) -> None:
    request = PauseWorkflowExecutionRequest(namespace=env.client.namespace, workflow_id=handle.id)
    await env.client.workflow_service.pause_workflow_execution(request)


async def unpause(env: WorkflowEnvironment, handle: WorkflowHandle[Reminder, str]) -> None:
    request = UnpauseWorkflowExecutionRequest(namespace=env.client.namespace, workflow_id=handle.id)
    await env.client.workflow_service.unpause_workflow_execution(request)


async def test_time_jumps_over_a_pause() -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="orders", workflows=[Reminder], activities=[remind]),
    ):
        handle = await env.client.start_workflow(Reminder.run, id="reminder", task_queue="orders")
        await env.sleep(timedelta(days=1))
        await pause(env, handle)
        await env.sleep(timedelta(days=10))
        await unpause(env, handle)
        assert (await handle.result()).startswith("reminded after 11 days")


async def test_a_test_that_waits_for_a_paused_workflow_is_told_so() -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping(stuck_after=timedelta(milliseconds=100)) as env,
        Worker(env.client, task_queue="orders", workflows=[Reminder], activities=[remind]),
    ):
        handle = await env.client.start_workflow(Reminder.run, id="reminder", task_queue="orders")
        await pause(env, handle)
        with pytest.raises(StuckError, match="Reminder 'reminder' is paused, and nobody unpauses it"):
            await handle.result()
        await unpause(env, handle)
        assert await handle.result()
