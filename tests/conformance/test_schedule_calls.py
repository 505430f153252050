"""Calls about schedules: what is refused, and what interceptors see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from stage import Stage

from outlast import workflow
from outlast.client import (
    BackfillScheduleInput,
    CreateScheduleInput,
    Interceptor,
    OutboundInterceptor,
    RPCError,
    RPCStatusCode,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
    ScheduleState,
)


@workflow.defn
class Reporting:
    @workflow.run
    async def run(self) -> None: ...


def paused(stage: Stage, **fields: Any) -> Schedule:
    """A schedule that does nothing by itself."""
    fields.setdefault("spec", ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))]))
    fields.setdefault("state", ScheduleState(paused=True))
    return Schedule(action=ScheduleActionStartWorkflow(Reporting.run, id=stage.id(), task_queue=stage.queue), **fields)


async def test_errors(stage: Stage) -> None:
    with pytest.raises(ValueError, match="remaining actions"):
        await stage.client.create_schedule(stage.id(), paused(stage, state=ScheduleState(limited_actions=True)))
    with pytest.raises(ValueError, match="remaining actions"):
        await stage.client.create_schedule(stage.id(), paused(stage, state=ScheduleState(remaining_actions=1)))
    with pytest.raises(ValueError, match="ID required"):
        ScheduleActionStartWorkflow(Reporting.run, id="", task_queue=stage.queue)
    bad = paused(stage, spec=ScheduleSpec(cron_expressions=["not a cron string at all"]))
    with pytest.raises(RPCError) as refused:
        await stage.client.create_schedule(stage.id(), bad)
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT
    handle = await stage.client.create_schedule(stage.id(), paused(stage))
    with pytest.raises(ScheduleAlreadyRunningError, match="Schedule already running"):
        await stage.client.create_schedule(handle.id, paused(stage))
    await handle.delete()
    for call in (handle.describe, handle.trigger, handle.pause, handle.unpause, handle.delete):
        with pytest.raises(RPCError) as missing:
            await call()
        assert missing.value.status == RPCStatusCode.NOT_FOUND


class Notes(Interceptor):
    def __init__(self) -> None:
        self.calls: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        calls = self.calls

        class Noting(OutboundInterceptor):
            async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
                calls.append(f"create {input.trigger_immediately}")
                return await self.next.create_schedule(input)

            async def backfill_schedule(self, input: BackfillScheduleInput) -> None:
                calls.append(f"backfill {len(input.backfills)}")
                await self.next.backfill_schedule(input)

            def list_schedules(self, input: Any) -> Any:
                calls.append(f"list {input.query}")
                return self.next.list_schedules(input)

            async def describe_schedule(self, input: Any) -> Any:
                calls.append("describe")
                return await self.next.describe_schedule(input)

            async def pause_schedule(self, input: Any) -> None:
                calls.append(f"pause {input.note}")
                await self.next.pause_schedule(input)

            async def unpause_schedule(self, input: Any) -> None:
                calls.append(f"unpause {input.note}")
                await self.next.unpause_schedule(input)

            async def trigger_schedule(self, input: Any) -> None:
                calls.append(f"trigger {input.overlap}")
                await self.next.trigger_schedule(input)

            async def update_schedule(self, input: Any) -> None:
                calls.append("update")
                await self.next.update_schedule(input)

            async def delete_schedule(self, input: Any) -> None:
                calls.append("delete")
                await self.next.delete_schedule(input)

        return Noting(next)


async def test_interceptors_see_every_call(stage: Stage) -> None:
    notes = Notes()
    client = stage.with_options(interceptors=[notes])
    handle = await client.create_schedule(stage.id(), paused(stage))
    now = datetime.now(UTC)
    await handle.backfill(ScheduleBackfill(start_at=now - timedelta(seconds=2), end_at=now - timedelta(seconds=1)))
    await handle.describe()
    await handle.pause(note="a")
    await handle.unpause()
    await handle.trigger(overlap=ScheduleOverlapPolicy.SKIP)
    await handle.update(lambda input: None)
    await client.list_schedules("ScheduleId = 'none'")
    await handle.delete()
    assert notes.calls == [
        "create False",
        "backfill 1",
        "describe",
        "pause a",
        "unpause None",
        "trigger 1",
        "update",
        "list ScheduleId = 'none'",
        "delete",
    ]
