"""Random mixes of timers, retries, activities, signals, updates and queries: jumping time and real time come out alike.

Each step of a mix ends at an instant of its own, far enough from the others that a slow machine cannot swap two. Under
the clock that jumps a unit is an hour, under the wall's a fraction of a second.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outlast import activity, workflow
from outlast.client import Client, WorkflowHandle
from outlast.common import RetryPolicy
from outlast.exceptions import ApplicationError
from outlast.testing import WorkflowEnvironment
from outlast.worker import Worker

QUEUE = "mix"
REAL_UNIT_S = 0.15
JUMPED_UNIT_S = 3600.0


@dataclass
class Step:
    kind: str
    at: int
    """In units, counted from the start."""


@dataclass
class Mix:
    unit_s: float
    steps: list[Step]


@activity.defn
async def fail_so_often(times: int) -> None:
    if activity.info().attempt <= times:
        raise ApplicationError("again")


@activity.defn
async def work_for_a_moment() -> None:
    await asyncio.sleep(0.02)


@workflow.defn
class Mixed:
    """Runs all steps at once and notes the order in which they end."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    @workflow.run
    async def run(self, mix: Mix) -> list[str]:
        await asyncio.gather(*(self.step(mix.unit_s, step) for step in mix.steps if hasattr(self, step.kind)))
        await workflow.wait_condition(lambda: len(self.ended) == len(mix.steps) and workflow.all_handlers_finished())
        return self.ended

    async def step(self, unit_s: float, step: Step) -> None:
        await getattr(self, step.kind)(unit_s, step.at)
        self.ended.append(f"{step.kind} at {step.at}")

    async def timer(self, unit_s: float, at: int) -> None:
        await workflow.sleep(at * unit_s)

    async def timeout(self, unit_s: float, at: int) -> None:
        try:
            await workflow.wait_condition(lambda: False, timeout=at * unit_s)
        except TimeoutError:
            return

    async def retry(self, unit_s: float, at: int) -> None:
        await workflow.execute_activity(
            fail_so_often,
            at,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=unit_s), backoff_coefficient=1.0),
        )

    async def slow(self, unit_s: float, at: int) -> None:
        await workflow.sleep(at * unit_s)
        await workflow.execute_activity(work_for_a_moment, start_to_close_timeout=timedelta(seconds=10))

    @workflow.signal
    def signalled(self, at: int) -> None:
        self.ended.append(f"signal at {at}")

    @workflow.update
    async def updated(self, unit_s: float, at: int) -> int:
        await workflow.sleep(at * unit_s)
        self.ended.append(f"update at {at}")
        return at

    @workflow.query
    def so_far(self) -> int:
        return len(self.ended)


async def drive(env: WorkflowEnvironment, handle: WorkflowHandle[Mixed, list[str]], mix: Mix) -> None:
    """Send what comes from outside at its time, and ask in between."""
    updates = [
        asyncio.ensure_future(handle.execute_update(Mixed.updated, args=[mix.unit_s, step.at]))
        for step in mix.steps
        if step.kind == "update"
    ]
    passed = 0
    for step in sorted(mix.steps, key=lambda step: step.at):
        if step.kind == "signal":
            await env.sleep((step.at - passed) * mix.unit_s)
            passed = step.at
            await handle.signal(Mixed.signalled, step.at)
            assert await handle.query(Mixed.so_far) >= 1
    await asyncio.gather(*updates)


async def outcome(env: WorkflowEnvironment, mix: Mix) -> list[str]:
    client: Client = env.client
    async with Worker(client, task_queue=QUEUE, workflows=[Mixed], activities=[fail_so_often, work_for_a_moment]):
        handle = await client.start_workflow(Mixed.run, mix, id="mix", task_queue=QUEUE)
        await drive(env, handle, mix)
        return await handle.result()


KINDS = st.sampled_from(["timer", "timeout", "retry", "slow", "signal", "update"])
MIXES = st.lists(KINDS, min_size=2, max_size=6).flatmap(
    lambda kinds: st.permutations(range(1, len(kinds) + 1)).map(
        lambda instants: [Step(kind, at * 2) for kind, at in zip(kinds, instants, strict=True)]
    )
)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=MIXES)
def test_jumping_changes_no_outcome(steps: list[Step]) -> None:
    async def both() -> None:
        async with await WorkflowEnvironment.start_time_skipping() as env:
            jumped = await outcome(env, Mix(JUMPED_UNIT_S, steps))
        async with await WorkflowEnvironment.start_local() as env:
            real = await outcome(env, Mix(REAL_UNIT_S, steps))
        expected = [f"{step.kind} at {step.at}" for step in sorted(steps, key=lambda step: step.at)]
        assert jumped == real == expected

    asyncio.run(both())


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=MIXES)
def test_jumping_keeps_the_order_of_time(steps: list[Step]) -> None:
    async def jumping() -> None:
        async with await WorkflowEnvironment.start_time_skipping() as env:
            jumped = await outcome(env, Mix(JUMPED_UNIT_S, steps))
        assert jumped == [f"{step.kind} at {step.at}" for step in sorted(steps, key=lambda step: step.at)]

    asyncio.run(jumping())
