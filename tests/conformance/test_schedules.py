"""Schedules from the client's side: created, described, changed, triggered, backfilled, listed; and what they start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from stage import Stage

from outlast import workflow
from outlast.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from outlast.client import (
    RPCError,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleListActionStartWorkflow,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from outlast.common import (
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from outlast.exceptions import ApplicationError

TURN_S = 0.01
"""Between two looks at what a server does by itself; Temporal's cannot be waited for."""
DAY = timedelta(days=1)
TEAM = SearchAttributeKey.for_keyword("ScheduleTeam")


@dataclass
class Order:
    item: str
    count: int


@workflow.defn
class Reporting:
    """Counts how often it has run, by what the run before has handed on; waits if it is told to."""

    def __init__(self) -> None:
        self.go = False

    @workflow.run
    async def run(self, order: Order, wait: bool) -> int:
        if wait:
            await workflow.wait_condition(lambda: self.go)
        if order.item == "broken":
            raise ApplicationError("out of paper", non_retryable=True)
        before = workflow.get_last_completion_result(int) if workflow.has_last_completion_result() else 0
        return (before or 0) + order.count

    @workflow.signal
    def proceed(self) -> None:
        self.go = True


def action(
    stage: Stage, item: str = "report", count: int = 1, *, wait: bool = False, **options: Any
) -> ScheduleActionStartWorkflow:
    return ScheduleActionStartWorkflow(
        Reporting.run, args=[Order(item, count), wait], id=stage.id(), task_queue=stage.queue, **options
    )


def paused(stage: Stage, **fields: Any) -> Schedule:
    """A schedule of every hour that acts only when it is told to."""
    return Schedule(
        action=fields.pop("action", None) or action(stage),
        spec=fields.pop("spec", None) or ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))]),
        state=fields.pop("state", None) or ScheduleState(paused=True, note="only by hand"),
        **fields,
    )


@asynccontextmanager
async def scheduled(stage: Stage, schedule: Schedule, **options: Any) -> AsyncIterator[ScheduleHandle]:
    handle = await stage.client.create_schedule(stage.id(), schedule, **options)
    try:
        yield handle
    finally:
        await handle.delete()


async def register(stage: Stage) -> None:
    """Register the search attribute unless another case did."""
    service, namespace = stage.client.operator_service, stage.client.namespace
    known = await service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    if TEAM.name not in known.custom_attributes:
        missing = {TEAM.name: int(TEAM.indexed_value_type)}
        await service.add_search_attributes(AddSearchAttributesRequest(namespace=namespace, search_attributes=missing))


async def until(handle: ScheduleHandle, reached: Callable[[ScheduleDescription], bool]) -> ScheduleDescription:
    """The description as soon as it says so."""
    while not reached(found := await handle.describe()):
        await asyncio.sleep(TURN_S)
    return found


async def result_of(stage: Stage, described: ScheduleDescription, index: int = -1) -> Any:
    execution = described.info.recent_actions[index].action
    assert isinstance(execution, ScheduleActionExecutionStartWorkflow)
    return await stage.client.get_workflow_handle(execution.workflow_id).result()


async def test_everything_that_is_set_is_described(stage: Stage) -> None:
    await register(stage)
    schedule = Schedule(
        action=action(stage),
        spec=ScheduleSpec(
            calendars=[
                ScheduleCalendarSpec(
                    hour=[ScheduleRange(1, 9, 4), ScheduleRange(20)],
                    month=[ScheduleRange(6)],
                    year=[ScheduleRange(2050)],
                    day_of_week=[ScheduleRange(5)],
                    comment="in June",
                )
            ],
            intervals=[ScheduleIntervalSpec(every=timedelta(days=10), offset=timedelta(days=2))],
            cron_expressions=["0 12 * * MON"],
            skip=[ScheduleCalendarSpec(day_of_month=[ScheduleRange(24, 26)], month=[ScheduleRange(12)])],
            start_at=datetime(2060, 7, 8, 9, 10, 11, tzinfo=UTC),
            end_at=datetime(2061, 1, 1, tzinfo=UTC),
            jitter=timedelta(seconds=80),
            time_zone_name="America/New_York",
        ),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=timedelta(minutes=5), pause_on_failure=True
        ),
        state=ScheduleState(note="new", paused=True, limited_actions=True, remaining_actions=30),
    )
    async with scheduled(stage, schedule) as handle:
        found = await handle.describe()
    assert found.id == handle.id
    got = found.schedule
    assert got.spec.calendars[0] == ScheduleCalendarSpec(
        second=(ScheduleRange(0),),
        minute=(ScheduleRange(0),),
        hour=(ScheduleRange(1, 9, 4), ScheduleRange(20)),
        month=(ScheduleRange(6),),
        year=(ScheduleRange(2050),),
        day_of_week=(ScheduleRange(5),),
        comment="in June",
    )
    assert got.spec.calendars[1] == ScheduleCalendarSpec(hour=(ScheduleRange(12),), day_of_week=(ScheduleRange(1),)), (
        "a cron string becomes a calendar"
    )
    assert not got.spec.cron_expressions
    for name in ("intervals", "start_at", "end_at", "jitter", "time_zone_name"):
        assert getattr(got.spec, name) == getattr(schedule.spec, name)
    assert got.spec.skip[0].day_of_month == (ScheduleRange(24, 26),)
    assert got.policy == schedule.policy
    assert got.state == schedule.state


async def test_the_action_is_described(stage: Stage) -> None:
    await register(stage)
    wanted = action(
        stage,
        count=3,
        execution_timeout=timedelta(hours=3),
        run_timeout=timedelta(hours=2),
        task_timeout=timedelta(seconds=50),
        retry_policy=RetryPolicy(maximum_attempts=20, maximum_interval=timedelta(minutes=1)),
        memo={"team": "paper"},
        typed_search_attributes=TypedSearchAttributes([SearchAttributePair(TEAM, "a")]),
        static_summary="a report",
        static_details="of the day",
        priority=Priority(priority_key=2),
    )
    async with scheduled(stage, paused(stage, action=wanted)) as handle:
        acts = (await handle.describe()).schedule.action
    assert isinstance(acts, ScheduleActionStartWorkflow)
    timeouts = "execution_timeout run_timeout task_timeout"
    for name in f"workflow id task_queue {timeouts} retry_policy typed_search_attributes priority".split():
        assert getattr(acts, name) == getattr(wanted, name), name
    assert await stage.client.data_converter.decode(acts.args, [Order, bool]) == [Order("report", 3), False]
    assert acts.memo is not None
    assert await stage.client.data_converter.decode([acts.memo["team"]]) == ["paper"]
    assert await stage.client.data_converter.decode([acts.static_summary, acts.static_details]) == [
        "a report",
        "of the day",
    ]


async def test_what_else_is_described(stage: Stage) -> None:
    await register(stage)
    attributes = TypedSearchAttributes([SearchAttributePair(TEAM, "b")])
    memo = {"owner": "ops", "order": Order("report", 5)}
    async with scheduled(stage, paused(stage), memo=memo, search_attributes=attributes) as handle:
        found = await handle.describe()
    assert found.typed_search_attributes == attributes
    assert (await found.memo())["owner"] == "ops"
    assert await found.memo_value("order", type_hint=Order) == Order("report", 5)
    assert await found.memo_value("none", "nothing") == "nothing"
    with pytest.raises(KeyError):
        await found.memo_value("none")
    info = found.info
    assert (info.num_actions, info.num_actions_missed_catchup_window, info.num_actions_skipped_overlap) == (0, 0, 0)
    assert len(info.next_action_times) == 10
    assert all(before < after for before, after in zip(info.next_action_times, info.next_action_times[1:]))
    assert info.last_updated_at is None
    assert datetime.now(UTC) - info.created_at < timedelta(minutes=1)


async def test_a_trigger_starts_a_workflow(stage: Stage) -> None:
    async with stage.worker(Reporting), scheduled(stage, paused(stage)) as handle:
        await handle.trigger()
        found = await until(handle, lambda found: found.info.num_actions == 1)
        assert await result_of(stage, found) == 1
        (taken,) = found.info.recent_actions
        execution = taken.action
        assert isinstance(execution, ScheduleActionExecutionStartWorkflow)
        described = await stage.client.get_workflow_handle(execution.workflow_id).describe()
        assert described.run_id == execution.first_execution_run_id
        attributes = described.typed_search_attributes
        assert attributes[SearchAttributeKey.for_keyword("TemporalScheduledById")] == handle.id
        at = attributes[SearchAttributeKey.for_datetime("TemporalScheduledStartTime")]
        assert execution.workflow_id.endswith(f"-{at:%Y-%m-%dT%H:%M:%SZ}")
        assert at == taken.scheduled_at.replace(microsecond=0)
        assert taken.scheduled_at <= taken.started_at


async def test_results_are_handed_on_from_run_to_run(stage: Stage) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    last_hours = ScheduleBackfill(hour - timedelta(hours=3), hour, overlap=ScheduleOverlapPolicy.BUFFER_ALL)
    async with stage.worker(Reporting), scheduled(stage, paused(stage)) as handle:
        await handle.backfill(last_hours)
        found = await until(handle, lambda found: found.info.num_actions == 4 and not found.info.running_actions)
        assert [await result_of(stage, found, index) for index in range(4)] == [1, 2, 3, 4]


async def test_a_schedule_may_be_created_with_a_trigger_and_backfills(stage: Stage) -> None:
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))])
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    backfill = ScheduleBackfill(
        start_at=now - timedelta(minutes=30),
        end_at=now - timedelta(minutes=28),
        overlap=ScheduleOverlapPolicy.ALLOW_ALL,
    )
    schedule = paused(stage, spec=spec, policy=policy)
    async with (
        stage.worker(Reporting),
        scheduled(stage, schedule, trigger_immediately=True, backfill=[backfill]) as handle,
    ):
        found = await until(handle, lambda found: found.info.num_actions == 4)
        started = sorted(result.scheduled_at for result in found.info.recent_actions)
        assert started[:3] == [now - timedelta(minutes=minutes) for minutes in (30, 29, 28)]
        assert started[3] >= now
        await handle.backfill(
            ScheduleBackfill(start_at=now - timedelta(minutes=11), end_at=now - timedelta(minutes=10)),
            ScheduleBackfill(start_at=now - timedelta(minutes=5), end_at=now - timedelta(minutes=5)),
        )
        await until(handle, lambda found: found.info.num_actions == 7)
        for index in range(7):
            assert await result_of(stage, await handle.describe(), index) == 1
        with pytest.raises(ValueError, match="At least one backfill"):
            await handle.backfill()


async def test_overlapping_starts_by_policy(stage: Stage) -> None:
    schedule = paused(stage, action=action(stage, wait=True))
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    async with stage.worker(Reporting), scheduled(stage, schedule) as handle:
        await handle.trigger()
        found = await until(handle, lambda found: bool(found.info.running_actions))
        (running,) = found.info.running_actions
        assert isinstance(running, ScheduleActionExecutionStartWorkflow)
        await handle.trigger()
        await until(handle, lambda found: found.info.num_actions_skipped_overlap == 1)
        await handle.backfill(ScheduleBackfill(hour, hour, overlap=ScheduleOverlapPolicy.TERMINATE_OTHER))
        await until(handle, lambda found: found.info.num_actions == 2)
        first = await stage.client.get_workflow_handle(running.workflow_id).describe()
        assert first.status is not None
        assert first.status.name == "TERMINATED"
        found = await until(handle, lambda found: bool(found.info.running_actions))
        (running,) = found.info.running_actions
        assert isinstance(running, ScheduleActionExecutionStartWorkflow)
        await stage.client.get_workflow_handle(running.workflow_id).signal(Reporting.proceed)
        assert await result_of(stage, found) == 1


async def test_a_failure_pauses(stage: Stage) -> None:
    schedule = paused(
        stage,
        action=action(stage, "broken"),
        policy=SchedulePolicy(pause_on_failure=True),
        state=ScheduleState(),
    )
    async with stage.worker(Reporting), scheduled(stage, schedule) as handle:
        await handle.trigger()
        # Temporal's server notices when it next has something to do; a description makes it look.
        found = await until(handle, lambda found: found.schedule.state.paused)
        (taken,) = found.info.recent_actions
        assert isinstance(taken.action, ScheduleActionExecutionStartWorkflow)
        assert found.schedule.state.note == f"paused due to workflow failure: {taken.action.workflow_id}: out of paper"


async def test_pause_and_unpause(stage: Stage) -> None:
    async with scheduled(stage, paused(stage, state=ScheduleState())) as handle:
        for call, note, expected in (
            (handle.pause, None, (True, "Paused via Python SDK")),
            (handle.unpause, None, (False, "Unpaused via Python SDK")),
            (handle.pause, "holidays", (True, "holidays")),
            (handle.unpause, "back", (False, "back")),
        ):
            await call(note=note)
            found = await handle.describe()
            assert (found.schedule.state.paused, found.schedule.state.note) == expected


async def test_updates(stage: Stage) -> None:
    await register(stage)
    attributes = TypedSearchAttributes([SearchAttributePair(TEAM, "one")])
    async with scheduled(stage, paused(stage), search_attributes=attributes, memo={"owner": "ops"}) as handle:

        def hourly_to_daily(input: ScheduleUpdateInput) -> ScheduleUpdate:
            schedule = input.description.schedule
            schedule.spec.intervals = [ScheduleIntervalSpec(every=DAY)]
            schedule.state.note = "daily"
            return ScheduleUpdate(schedule=schedule)

        await handle.update(hourly_to_daily)
        found = await handle.describe()
        assert found.schedule.spec.intervals == [ScheduleIntervalSpec(every=DAY)]
        assert found.schedule.state == ScheduleState(note="daily", paused=True)
        assert found.typed_search_attributes == attributes
        assert found.info.last_updated_at is not None
        assert isinstance(found.schedule.action, ScheduleActionStartWorkflow)
        assert await stage.client.data_converter.decode(found.schedule.action.args[:1], [Order]) == [Order("report", 1)]
        assert await found.memo() == {"owner": "ops"}

        async def only_attributes(input: ScheduleUpdateInput) -> ScheduleUpdate:
            two = TypedSearchAttributes([SearchAttributePair(TEAM, "two")])
            return ScheduleUpdate(schedule=input.description.schedule, search_attributes=two)

        await handle.update(only_attributes)
        await until(handle, lambda found: found.typed_search_attributes.get(TEAM) == "two")

        await handle.update(
            lambda input: ScheduleUpdate(input.description.schedule, search_attributes=TypedSearchAttributes.empty)
        )
        await until(handle, lambda found: not found.typed_search_attributes)

        before = (await handle.describe()).info.last_updated_at
        await handle.update(lambda input: None)
        assert (await handle.describe()).info.last_updated_at == before

        def fails(input: ScheduleUpdateInput) -> ScheduleUpdate:
            raise RuntimeError("changed my mind")

        with pytest.raises(RuntimeError, match="changed my mind"):
            await handle.update(fails)


async def test_lists(stage: Stage) -> None:
    await register(stage)
    mark = SearchAttributePair(TEAM, stage.queue)
    attributes = TypedSearchAttributes([mark])
    query = f"ScheduleTeam = '{stage.queue}'"

    async def listed(query: str = query, **options: Any) -> list[Any]:
        return [each async for each in await stage.client.list_schedules(query, **options)]

    handles = [
        await stage.client.create_schedule(
            f"{stage.queue}-list-{number}", paused(stage), search_attributes=attributes, memo={"number": number}
        )
        for number in range(3)
    ]
    try:
        while len(found := {each.id: each for each in await listed(page_size=2)}) < 3:
            await asyncio.sleep(TURN_S)
        assert sorted(found) == [handle.id for handle in handles]
        entry = found[handles[1].id]
        assert await entry.memo() == {"number": 1}
        assert await entry.memo_value("number", type_hint=int) == 1
        assert entry.typed_search_attributes == attributes
        assert entry.schedule is not None
        assert entry.info is not None
        assert entry.schedule.action == ScheduleListActionStartWorkflow(workflow="Reporting")
        assert entry.schedule.state.paused
        assert entry.schedule.state.note == "only by hand"
        assert entry.schedule.spec.intervals == [ScheduleIntervalSpec(every=timedelta(hours=1))]
        assert len(entry.info.next_action_times) == 5
        await handles[0].unpause()
        while not (active := await listed(f"{query} AND TemporalSchedulePaused = false")):
            await asyncio.sleep(TURN_S)
        assert [each.id for each in active] == [handles[0].id]
        pages = await stage.client.list_schedules(query, page_size=2)
        await pages.fetch_next_page()
        assert pages.current_page is not None
        assert (len(pages.current_page), pages.next_page_token is None) == (2, False)
        with pytest.raises(RPCError, match="StartTime"):
            await listed("StartTime > '2020-01-01T00:00:00Z'")
    finally:
        for handle in handles:
            await handle.delete()
    while await listed():
        await asyncio.sleep(TURN_S)  # Temporal's lists lag behind
