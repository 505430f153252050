"""The pytest plugin and what it offers: environments, crashes after every event, golden histories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from outlast import activity, workflow
from outlast.cli import main
from outlast.client import Client, WorkflowHandle
from outlast.testing import WorkflowEnvironment
from outlast.worker import Worker

QUEUE = "plugin"
LIMIT = timedelta(seconds=10)


@activity.defn
async def double(number: int) -> int:
    return number * 2


@workflow.defn
class Steps:
    """Two activities at once, a timer, a signal, another activity."""

    def __init__(self) -> None:
        self.extra: list[int] = []

    @workflow.signal
    def add(self, number: int) -> None:
        self.extra.append(number)

    @workflow.run
    async def run(self, number: int) -> int:
        both = await asyncio.gather(
            *(workflow.execute_activity(double, n, start_to_close_timeout=LIMIT) for n in (number, number + 1))
        )
        await workflow.sleep(timedelta(days=1))
        await workflow.wait_condition(lambda: bool(self.extra))
        return await workflow.execute_activity(double, sum(both) + self.extra[0], start_to_close_timeout=LIMIT)


@workflow.defn(name="Steps")
class OtherSteps:
    @workflow.signal
    def add(self, number: int) -> None: ...

    @workflow.run
    async def run(self, number: int) -> int:
        await workflow.sleep(5)
        return 0


@workflow.defn
class Forgetful:
    """Returns how often its code ran: what no workflow may do."""

    runs = 0

    @workflow.run
    async def run(self) -> int:
        Forgetful.runs += 1
        await workflow.execute_activity(double, 1, start_to_close_timeout=LIMIT)
        return Forgetful.runs


async def add(handle: WorkflowHandle[Any, Any]) -> None:
    await handle.signal(Steps.add, 5)


async def test_the_environment_is_a_fixture(workflow_env: WorkflowEnvironment, workflow_client: Client) -> None:
    assert workflow_client is workflow_env.client and workflow_env.supports_time_skipping


async def test_a_crash_after_every_event_changes_nothing(
    crash_after_every_event: Callable[..., Awaitable[Any]],
) -> None:
    result = await crash_after_every_event(Steps.run, [1], workflows=[Steps], activities=[double], drive=add)
    assert result == 2 * (2 + 4 + 5)


async def test_what_depends_on_crashes_is_found(crash_after_every_event: Callable[..., Awaitable[Any]]) -> None:
    with pytest.raises(AssertionError, match="with a crash of the worker after event"):
        await crash_after_every_event(Forgetful.run, workflows=[Forgetful], activities=[double])


async def history(env: WorkflowEnvironment) -> str:
    async with Worker(env.client, task_queue=QUEUE, workflows=[Steps], activities=[double]):
        handle = await env.client.start_workflow(Steps.run, 1, id="w", task_queue=QUEUE)
        await handle.signal(Steps.add, 5)
        await handle.result()
        return (await handle.fetch_history()).to_json()


async def test_golden_histories(
    workflow_env: WorkflowEnvironment, replay_histories: Callable[..., Awaitable[None]], tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match=r"no \*\.json files"):
        await replay_histories(tmp_path, workflows=[Steps])
    (tmp_path / "steps.json").write_text(await history(workflow_env))
    await replay_histories(tmp_path, workflows=[Steps])
    with pytest.raises(AssertionError, match=r"(?s)steps: .*history has: event \d+ ActivityTaskScheduled"):
        await replay_histories(tmp_path, workflows=[OtherSteps])
    (tmp_path / "torn.json").write_text("{")
    with pytest.raises(ValueError, match=r"torn\.json is no workflow history"):
        await replay_histories(tmp_path, workflows=[Steps])


STEPS = """
from datetime import timedelta
from outlast import workflow

@workflow.defn
class Steps:
    @workflow.signal
    def add(self, number: int) -> None: ...

    @workflow.run
    async def run(self, number: int) -> int:
        {body}
"""


async def test_replay_from_the_command_line(
    workflow_env: WorkflowEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "histories"
    folder.mkdir()
    (folder / "steps.json").write_text(await history(workflow_env))
    (tmp_path / "todays_steps.py").write_text(STEPS.format(body="await workflow.sleep(timedelta(seconds=5))"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    runner = CliRunner()

    def replay(*arguments: str) -> Any:
        return runner.invoke(main, ["replay", *arguments])

    diverged = await asyncio.to_thread(replay, "--workflows", "todays_steps:Steps", "--histories", str(folder))
    assert diverged.exit_code == 1
    assert "DIVERGES  steps" in diverged.output
    assert "ActivityTaskScheduled(activity_id='1'" in diverged.output
    assert "todays_steps.py:12" in diverged.output
    assert "workflow.patched" in diverged.output
    for arguments, message in (
        (("--workflows", "todays_steps:Steps"), "--histories DIR, or --from ADDRESS"),
        (("--workflows", "nowhere:X", "--histories", "."), "module 'nowhere' cannot be imported"),
        (("--workflows", "todays_steps:timedelta", "--histories", "."), "needs @workflow.defn"),
        (("--workflows", "todays_steps:Steps", "--histories", "."), "no *.json files"),
    ):
        refused = await asyncio.to_thread(replay, *arguments)
        assert refused.exit_code != 0
        assert message in " ".join(refused.output.split())


async def test_live_histories_are_replayed(tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'live.db'}"
    async with (
        await Client.connect(target) as client,
        Worker(client, task_queue=QUEUE, workflows=[Forgetful], activities=[double]),
    ):
        await client.execute_workflow(Forgetful.run, id="live", task_queue=QUEUE)
    runner = CliRunner()
    place = f"{Forgetful.__module__}:Forgetful"
    same = await asyncio.to_thread(
        runner.invoke, main, ["replay", "--workflows", place, "--from", target, "--query", "WorkflowId = 'live'"]
    )
    assert same.exit_code == 0, same.output
    assert "1 replayed, 0 diverged" in same.output
