"""Schedules where time jumps: on the way to something else it stops at theirs, but it does not jump for them alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from outlast import workflow
from outlast.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from outlast.testing import StuckError, WorkflowEnvironment
from outlast.worker import Worker

QUEUE = "reports"
HOUR = timedelta(hours=1)


@workflow.defn
class Report:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(minutes=90))
        return workflow.info().workflow_id


@workflow.defn
class WaitsForEver:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


async def hourly(env: WorkflowEnvironment, overlap: ScheduleOverlapPolicy) -> ScheduleHandle:
    return await env.client.create_schedule(
        "hourly",
        Schedule(
            action=ScheduleActionStartWorkflow(Report.run, id="report", task_queue=QUEUE),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR)]),
            policy=SchedulePolicy(overlap=overlap),
        ),
    )


@pytest.mark.parametrize(
    ("overlap", "taken", "skipped"),
    [(ScheduleOverlapPolicy.ALLOW_ALL, 6, 0), (ScheduleOverlapPolicy.SKIP, 3, 3)],
)
async def test_a_sleep_takes_the_actions_on_its_way(overlap: ScheduleOverlapPolicy, taken: int, skipped: int) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue=QUEUE, workflows=[Report]),
    ):
        handle = await hourly(env, overlap)
        (first, *_) = (await handle.describe()).info.next_action_times
        await env.sleep(first + 5 * HOUR + timedelta(minutes=1) - await env.get_current_time())
        info = (await handle.describe()).info
        assert (info.num_actions, info.num_actions_skipped_overlap) == (taken, skipped)
        assert info.recent_actions[0].scheduled_at == first
        name = f"report-{first:%Y-%m-%dT%H:%M:%SZ}"
        assert await env.client.get_workflow_handle(name).result() == name


async def test_time_does_not_run_away_with_a_schedule() -> None:
    stuck = timedelta(milliseconds=100)
    async with (
        await WorkflowEnvironment.start_time_skipping(stuck_after=stuck) as env,
        Worker(env.client, task_queue=QUEUE, workflows=[WaitsForEver]),
    ):
        handle = await hourly(env, ScheduleOverlapPolicy.ALLOW_ALL)
        with pytest.raises(StuckError, match="WaitsForEver 'w' waits for a signal"):
            await env.client.execute_workflow(WaitsForEver.run, id="w", task_queue=QUEUE)
        assert await env.get_current_time() < datetime.now(UTC) + timedelta(minutes=1)
        assert (await handle.describe()).info.num_actions <= 1, "an hour may have begun meanwhile"
