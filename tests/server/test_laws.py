"""Random lives of a node: whatever clients, workers, time and crashes do to it, the laws hold and every run can end.

A failure names its seed and the steps that led to it; ``Life(seed).run()`` repeats it.
"""

from __future__ import annotations

import asyncio

import pytest
from brain import seconds
from hand_driven import driven
from life import Life


@pytest.mark.parametrize("seed", range(25))
async def test_the_laws_hold_in_a_random_life(seed: int) -> None:
    await Life(seed).run()


def test_a_life_is_repeatable() -> None:
    first, second = Life(7), Life(7)
    for life in (first, second):
        asyncio.run(life.run())
    assert [_masked(step) for step in first.steps] == [_masked(step) for step in second.steps]


def _masked(step: str) -> str:
    """Run ids are drawn by the server."""
    return step.split(": ")[0] if step.startswith(("start", "signal_with_start")) else step


async def test_a_far_deadline_of_a_run_that_waits_for_a_worker_is_kept() -> None:
    async with driven() as server:
        await server.start(workflow_execution_timeout=seconds(7200))
        await server.pass_time(7199)
        assert (await server.names())[-1] == "WorkflowTaskScheduled"
        await server.pass_time(1)
        assert (await server.names())[-1] == "WorkflowExecutionTimedOut"
