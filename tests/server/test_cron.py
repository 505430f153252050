"""A cron over days, with a clock that only the test moves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from brain import complete_workflow, fail_workflow, payloads, seconds
from hand_driven import EPOCH, SECOND, Driven, HandClock, driven

from outlast.storage.sqlite import SqliteStorage


async def turns(server: Driven, count: int) -> list[str]:
    """Let ``count`` runs complete, each as soon as it is due; answers when, in UTC."""
    found = []
    for number in range(count):
        info = (await server.describe()).workflow_execution_info
        due = info.execution_time.seconds
        await server.pass_time(due - server.clock.now() / SECOND)
        await server.turn(complete_workflow(str(number).encode()))
        found.append(datetime.fromtimestamp(due, UTC).strftime("%a %d %H:%M"))
    return found


async def test_a_cron_runs_day_after_day() -> None:
    async with driven() as server:
        first = await server.start(cron_schedule="CRON_TZ=Europe/Berlin 30 8 * * mon-fri")
        # Tuesday, 14 November 2023, 22:13 UTC
        assert await turns(server, 4) == ["Wed 15 07:30", "Thu 16 07:30", "Fri 17 07:30", "Mon 20 07:30"]
        started = (await server.events())[0].workflow_execution_started_event_attributes
        assert started.first_execution_run_id == first and started.attempt == 1
        assert started.last_completion_result == payloads(b"3")


async def test_a_failure_is_retried_and_then_waits_for_the_next_turn() -> None:
    async with driven() as server:
        policy = {"initial_interval": seconds(10), "maximum_attempts": 2}
        await server.start(cron_schedule="@daily", retry_policy=policy)
        await server.pass_time((EPOCH // (86400 * SECOND) + 1) * 86400 - EPOCH / SECOND)
        await server.turn(fail_workflow("one"))
        await server.pass_time(10)
        await server.turn(fail_workflow("two"))
        started = (await server.events())[0].workflow_execution_started_event_attributes
        assert started.continued_failure.message == "two" and started.attempt == 1
        assert await turns(server, 1) == ["Thu 16 00:00"]


async def test_a_restarted_server_does_not_forget_a_cron(tmp_path: Path) -> None:
    clock = HandClock()
    async with driven(SqliteStorage.open(tmp_path / "db"), clock) as server:
        await server.start(cron_schedule="0 0 * * *")
    await clock.advance(36 * 3600 * SECOND)
    async with driven(SqliteStorage.open(tmp_path / "db"), clock) as server:
        await server.pass_time(1)
        await server.turn(complete_workflow())
        assert await turns(server, 1) == ["Fri 17 00:00"]
