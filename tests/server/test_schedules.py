"""Schedules at work, over a clock that only the test moves: what starts when, and what happens where starts overlap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hand_driven import EPOCH, SECOND, Driven, driven, settle

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as _e
from outlast.storage.memory import MemoryStorage
from outlast.vocab.errors import FailedPrecondition, InvalidArgument, NotFound, WorkflowExecutionAlreadyStarted
from outlast.vocab.times import from_timestamp, parts

MINUTE = 60
HOUR = 3600
DAY = 24 * HOUR
ACTION = {
    "start_workflow": {"workflow_id": "report", "workflow_type": {"name": "Order"}, "task_queue": {"name": "orders"}}
}
COMPLETE = Command(
    command_type=_e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    complete_workflow_execution_command_attributes={"result": {"payloads": [{"data": b"42"}]}},
)
FAIL = Command(
    command_type=_e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
    fail_workflow_execution_command_attributes={"failure": {"message": "no paper"}},
)


def seconds(at_ns: int) -> float:
    return (at_ns - EPOCH) / SECOND


class Scheduled(Driven):
    """A node with the calls of schedules."""

    async def create(self, schedule_id: str = "reports", every: int = MINUTE, **fields: Any) -> Any:
        spec = fields.pop("spec", None) or {"interval": [{"interval": {"seconds": every}}]}
        schedule = {
            "spec": spec,
            "action": fields.pop("action", ACTION),
            "policies": fields.pop("policies", {}),
            "state": fields.pop("state", {}),
        }
        fields.setdefault("request_id", f"create {schedule_id}")
        return await self.call("CreateSchedule", schedule_id=schedule_id, schedule=schedule, **fields)

    async def show(self, schedule_id: str = "reports") -> Any:
        return await self.call("DescribeSchedule", schedule_id=schedule_id)

    async def patch(self, schedule_id: str = "reports", request_id: str = "", **patch: Any) -> None:
        await self.call("PatchSchedule", schedule_id=schedule_id, patch=patch, request_id=request_id)
        await settle()

    async def update(self, change: Any, schedule_id: str = "reports", **fields: Any) -> None:
        schedule = (await self.show(schedule_id)).schedule
        change(schedule)
        await self.call("UpdateSchedule", schedule_id=schedule_id, schedule=schedule, **fields)
        await settle()

    async def started(self) -> list[float]:
        """When workflows were started, in seconds since the beginning, oldest first."""
        page = await self.call("ListWorkflowExecutions")
        return sorted(seconds(from_timestamp(each.start_time)) for each in page.executions)

    async def running(self) -> list[str]:
        page = await self.call("ListWorkflowExecutions", query="ExecutionStatus = 'Running' ORDER BY StartTime")
        return [each.execution.workflow_id for each in page.executions]

    async def end(self, *commands: Command) -> None:
        """Take the workflow task that waits and end its workflow."""
        await self.turn(*(commands or (COMPLETE,)))
        await settle()


class Lasting(MemoryStorage):
    """A store that one node after the other opens."""

    async def close(self) -> None:
        pass


def on(node: Driven) -> Scheduled:
    return Scheduled(node.node, node.clock)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[Scheduled]:
    async with driven() as node:
        yield on(node)


# EPOCH is 22:13:20, so whole minutes come 40 s later.


async def test_a_workflow_starts_at_every_time(world: Scheduled) -> None:
    await world.create(policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL})
    await world.pass_time(3 * MINUTE)
    assert await world.started() == [40, 100, 160]
    page = await world.call("ListWorkflowExecutions", query="ORDER BY StartTime")
    first = page.executions[0]
    assert first.execution.workflow_id == "report-2023-11-14T22:14:00Z"
    attributes = first.search_attributes.indexed_fields
    assert attributes["TemporalScheduledById"].data == b'"reports"'
    assert attributes["TemporalScheduledStartTime"].data == b'"2023-11-14T22:14:00Z"'
    found = await world.call("CountWorkflowExecutions", query="TemporalScheduledById = 'reports'")
    assert found.count == 3
    info = (await world.show()).info
    assert info.action_count == 3
    assert [seconds(from_timestamp(each.schedule_time)) for each in info.recent_actions] == [40, 100, 160]
    assert [seconds(from_timestamp(at)) for at in info.future_action_times] == [220 + 60 * n for n in range(10)]
    assert not info.running_workflows, "nobody waits for workflows of this policy"


async def test_skip_leaves_out_what_overlaps(world: Scheduled) -> None:
    await world.create()
    await world.pass_time(3 * MINUTE)
    assert await world.started() == [40]
    info = (await world.show()).info
    assert info.overlap_skipped == 2
    assert [each.workflow_id for each in info.running_workflows] == ["report-2023-11-14T22:14:00Z"]
    await world.end()
    info = (await world.show()).info
    assert not info.running_workflows
    assert info.recent_actions[0].start_workflow_status == _e.WORKFLOW_EXECUTION_STATUS_COMPLETED
    await world.pass_time(MINUTE)
    assert await world.started() == [40, 220]


async def test_buffer_one_keeps_the_first(world: Scheduled) -> None:
    await world.create(policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE})
    await world.pass_time(4 * MINUTE)
    info = (await world.show()).info
    assert (info.buffer_size, info.overlap_skipped) == (1, 2)
    await world.end()
    assert await world.running() == ["report-2023-11-14T22:15:00Z"]


async def test_buffer_all_keeps_all(world: Scheduled) -> None:
    await world.create(policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL})
    await world.pass_time(4 * MINUTE)
    for minute in (14, 15, 16, 17):
        assert await world.running() == [f"report-2023-11-14T22:{minute}:00Z"]
        await world.end()
    assert await world.running() == []


async def test_the_buffer_has_a_limit(world: Scheduled) -> None:
    await world.create(every=1, policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL})
    await world.pass_time(1)
    world.clock._now += 1500 * SECOND  # the machine slept
    await world.pass_time(1)
    await settle()
    info = (await world.show()).info
    assert info.buffer_size == 1000
    assert info.buffer_dropped > 400


async def test_cancel_other_waits_for_the_cancellation(world: Scheduled) -> None:
    await world.create(policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER})
    await world.pass_time(3 * MINUTE)
    first = "report-2023-11-14T22:14:00Z"
    assert await world.running() == [first]
    assert (await world.names(workflow_id=first)).count("WorkflowExecutionCancelRequested") == 1
    await world.end(Command(command_type=_e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION))
    assert await world.running() == ["report-2023-11-14T22:16:00Z"], "the last one takes the place of the others"


async def test_terminate_other_starts_at_once(world: Scheduled) -> None:
    await world.create(policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER})
    await world.pass_time(2 * MINUTE)
    assert await world.running() == ["report-2023-11-14T22:15:00Z"]
    (event,) = (await world.events(workflow_id="report-2023-11-14T22:14:00Z"))[-1:]
    terminated = event.workflow_execution_terminated_event_attributes
    assert terminated.reason == "terminated by schedule overlap policy"
    assert terminated.identity == "temporal-scheduler-default-reports"


async def test_pause_on_failure(world: Scheduled) -> None:
    await world.create(policies={"pause_on_failure": True})
    await world.pass_time(MINUTE)
    await world.end(FAIL)
    state = (await world.show()).schedule.state
    assert state.paused
    assert state.notes == "paused due to workflow failure: report-2023-11-14T22:14:00Z: no paper"
    await world.pass_time(5 * MINUTE)
    assert await world.started() == [40]
    await world.patch(unpause="paper is here")
    await world.pass_time(MINUTE)
    assert await world.started() == [40, 400], "what was due while it was paused is not made up for"


async def test_results_and_failures_are_handed_on(world: Scheduled) -> None:
    await world.create()
    await world.pass_time(MINUTE)
    await world.end()
    await world.pass_time(MINUTE)
    (started, *_) = await world.events(workflow_id="report-2023-11-14T22:15:00Z")
    attributes = started.workflow_execution_started_event_attributes
    assert attributes.last_completion_result.payloads[0].data == b"42"
    await world.end(FAIL)
    await world.pass_time(MINUTE)
    (started, *_) = await world.events(workflow_id="report-2023-11-14T22:16:00Z")
    attributes = started.workflow_execution_started_event_attributes
    assert attributes.last_completion_result.payloads[0].data == b"42"
    assert attributes.continued_failure.message == "no paper"


async def test_limited_actions_run_out_and_the_schedule_with_them(world: Scheduled) -> None:
    await world.create(
        state={"limited_actions": True, "remaining_actions": 2},
        policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL},
    )
    assert len((await world.show()).info.future_action_times) == 2
    await world.pass_time(5 * MINUTE)
    assert await world.started() == [40, 100]
    assert (await world.show()).schedule.state.remaining_actions == 0
    await world.patch(trigger_immediately={})
    assert len(await world.started()) == 3, "a trigger does not count"
    await world.pass_time(7 * DAY - MINUTE)
    await world.show()
    await world.pass_time(MINUTE)
    with pytest.raises(NotFound, match="reports"):
        await world.show()


async def test_a_trigger_starts_at_once_also_while_paused(world: Scheduled) -> None:
    await world.create(state={"paused": True, "notes": "not yet"})
    await world.pass_time(5)
    await world.patch(trigger_immediately={})
    assert await world.running() == ["report-2023-11-14T22:13:25Z"]
    await world.patch(trigger_immediately={}, request_id="again")
    assert (await world.show()).info.overlap_skipped == 1
    await world.pass_time(5)
    await world.patch(trigger_immediately={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL}, request_id="all")
    await world.patch(trigger_immediately={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL}, request_id="all")
    assert len(await world.running()) == 2
    assert (await world.show()).info.action_count == 2


async def test_a_backfill_includes_its_ends_and_goes_round_by_round(world: Scheduled) -> None:
    await world.create(state={"paused": True})
    start = EPOCH - 1000 * SECOND  # 21:56:40
    minute = 60 * SECOND
    begin = start - start % minute
    await world.patch(
        backfill_request=[
            {
                "start_time": parts(begin),
                "end_time": parts(begin + 14 * minute),
                "overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
            }
        ]
    )
    assert len(await world.running()) == 10
    await world.pass_time(1)
    assert [each.removeprefix("report-2023-11-14T") for each in sorted(await world.running())] == [
        *(f"21:{minute}:00Z" for minute in range(56, 60)),
        *(f"22:{minute:02}:00Z" for minute in range(11)),
    ]


async def test_an_update_replaces_and_its_token_guards(world: Scheduled) -> None:
    created = await world.create()
    await world.pass_time(MINUTE)
    await world.end()

    def hourly(schedule: Any) -> None:
        schedule.spec.interval[0].interval.seconds = HOUR
        schedule.state.notes = "hourly now"

    await world.update(hourly, conflict_token=created.conflict_token)
    with pytest.raises(FailedPrecondition, match="has changed"):
        await world.update(hourly, conflict_token=created.conflict_token)
    described = await world.show()
    assert described.schedule.state.notes == "hourly now"
    assert seconds(from_timestamp(described.info.update_time)) == 60
    await world.pass_time(HOUR)
    assert await world.started() == [40, 2800]


async def test_creating_twice(world: Scheduled) -> None:
    first = await world.create(request_id="one")
    again = await world.create(request_id="one")
    assert first == again
    with pytest.raises(WorkflowExecutionAlreadyStarted, match="already registered"):
        await world.create(request_id="two")
    await world.call("DeleteSchedule", schedule_id="reports")
    with pytest.raises(NotFound):
        await world.call("DeleteSchedule", schedule_id="reports")
    await world.create(request_id="two")


async def test_deleting_ends_it_but_not_what_it_started(world: Scheduled) -> None:
    await world.create()
    await world.pass_time(MINUTE)
    await world.call("DeleteSchedule", schedule_id="reports")
    await world.pass_time(5 * MINUTE)
    assert await world.running() == ["report-2023-11-14T22:14:00Z"]
    await world.end()


async def test_lists_and_counts(world: Scheduled) -> None:
    for number in range(3):
        await world.create(f"s{number}", memo={"fields": {"team": {"data": b"paper"}}})
    await world.create("paused", state={"paused": True, "notes": "later"})
    await world.pass_time(MINUTE)
    page = await world.call("ListSchedules", maximum_page_size=3)
    rest = await world.call("ListSchedules", maximum_page_size=3, next_page_token=page.next_page_token)
    entries = {each.schedule_id: each for each in [*page.schedules, *rest.schedules]}
    assert sorted(entries) == ["paused", "s0", "s1", "s2"]
    assert entries["s0"].memo.fields["team"].data == b"paper"
    assert entries["s0"].info.workflow_type.name == "Order"
    assert not entries["paused"].HasField("memo")
    assert entries["paused"].info.paused
    assert entries["paused"].info.notes == "later"
    assert len(entries["s1"].info.future_action_times) == 5
    found = await world.call("ListSchedules", query="TemporalSchedulePaused = true")
    assert [each.schedule_id for each in found.schedules] == ["paused"]
    found = await world.call("ListSchedules", query="ScheduleId = 's1'")
    assert [each.schedule_id for each in found.schedules] == ["s1"]
    assert (await world.call("CountSchedules", query="TemporalSchedulePaused = false")).count == 3
    workflows = await world.call("CountWorkflowExecutions")
    assert workflows.count == 1, "schedules are no workflows; the three of them have made one with the same id"


async def test_matching_times(world: Scheduled) -> None:
    await world.create(every=HOUR)
    answer = await world.call(
        "ListScheduleMatchingTimes",
        schedule_id="reports",
        start_time=parts(EPOCH),
        end_time=parts(EPOCH + 3 * HOUR * SECOND),
    )
    assert [seconds(from_timestamp(at)) for at in answer.start_time] == [2800, 6400, 10000]


async def test_an_initial_patch(world: Scheduled) -> None:
    await world.create(initial_patch={"trigger_immediately": {}})
    await settle()
    assert await world.running() == ["report-2023-11-14T22:13:20Z"]


async def test_a_restarted_node_makes_up_for_what_it_missed() -> None:
    storage = Lasting()
    async with driven(storage) as first:
        world = on(first)
        await world.create(
            policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL, "catchup_window": {"seconds": 150}}
        )
        await world.pass_time(MINUTE)
        clock = first.clock
    clock._alarms.clear()
    clock._now += 5 * MINUTE * SECOND
    async with driven(storage, clock) as second:
        world = on(second)
        await settle()
        assert await world.started() == [40, 360, 360, 360]
        info = (await world.show()).info
        assert info.missed_catchup_window == 2
        assert [seconds(from_timestamp(each.schedule_time)) for each in info.recent_actions] == [40, 220, 280, 340]
        await world.pass_time(MINUTE)
        assert await world.started() == [40, 360, 360, 360, 400]


async def test_a_workflow_that_closed_unseen_is_noticed() -> None:
    storage = Lasting()
    async with driven(storage) as first:
        world = on(first)
        await world.create(policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL})
        await world.pass_time(2 * MINUTE)
        first.node.runs.on_durable = lambda run: None  # the process dies before it can say so
        await world.end()
        assert await world.running() == []
        clock = first.clock
    clock._alarms.clear()
    async with driven(storage, clock) as second:
        await settle()
        assert await on(second).running() == ["report-2023-11-14T22:15:00Z"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"spec": {"cron_string": ["61 * * * *"]}}, "minute: '61' is not 0 to 59"),
        ({"spec": {"cron_string": ["* *"]}}, "2 fields"),
        ({"spec": {"interval": [{"interval": {"nanos": 5}}]}}, "shorter than a second"),
        ({"spec": {"timezone_name": "Mars/Base"}}, "no time zone 'Mars/Base'"),
        ({"spec": {"cron_string": ["TZ=UTC * * * * *", "* * * * *"]}}, "different time zones"),
        ({"policies": {"overlap_policy": 99}}, "99 is no overlap policy"),
        ({"action": {"start_workflow": {"workflow_id": "x"}}}, "workflow_type is empty"),
        ({"request_id": ""}, "request_id is empty"),
        (
            {"action": {"start_workflow": {**ACTION["start_workflow"], "cron_schedule": "* * * * *"}}},
            "in the schedule's spec alone",
        ),
    ],
)
async def test_bad_schedules_are_refused(world: Scheduled, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        await world.create(**fields)


async def test_two_triggers_in_a_second_share_the_id_and_both_are_seen_to_end(world: Scheduled) -> None:
    await world.create(state={"paused": True})
    await world.patch(trigger_immediately={})
    await world.end()
    await world.patch(trigger_immediately={})
    await world.end(FAIL)
    info = (await world.show()).info
    assert [each.start_workflow_result.workflow_id for each in info.recent_actions] == [
        "report-2023-11-14T22:13:20Z"
    ] * 2
    assert [each.start_workflow_status for each in info.recent_actions] == [
        _e.WORKFLOW_EXECUTION_STATUS_COMPLETED,
        _e.WORKFLOW_EXECUTION_STATUS_FAILED,
    ]


async def test_a_chain_is_followed_to_its_end(world: Scheduled) -> None:
    await world.create()
    await world.pass_time(MINUTE)
    goes_on = Command(
        command_type=_e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        continue_as_new_workflow_execution_command_attributes={
            "workflow_type": {"name": "Order"},
            "task_queue": {"name": "orders"},
        },
    )
    await world.end(goes_on)
    (running,) = (await world.show()).info.running_workflows
    await world.pass_time(MINUTE)
    assert (await world.show()).info.overlap_skipped == 1
    await world.end()
    info = (await world.show()).info
    assert not info.running_workflows
    assert info.recent_actions[0].start_workflow_result == running, "the first run of the chain names it"
    assert info.recent_actions[0].start_workflow_status == _e.WORKFLOW_EXECUTION_STATUS_COMPLETED


async def test_a_workflow_that_is_deleted_does_not_block(world: Scheduled) -> None:
    await world.create(policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE})
    await world.pass_time(2 * MINUTE)
    (running,) = (await world.show()).info.running_workflows
    await world.call("DeleteWorkflowExecution", workflow_execution={"workflow_id": running.workflow_id})
    await settle()
    assert await world.running() == ["report-2023-11-14T22:15:00Z"]


async def test_the_original_workflow_id_may_be_kept(world: Scheduled) -> None:
    await world.create(policies={"keep_original_workflow_id": True})
    await world.pass_time(MINUTE)
    assert await world.running() == ["report"]
    await world.end()
    await world.pass_time(MINUTE)
    assert await world.running() == ["report"]
    assert (await world.show()).info.action_count == 2


async def test_an_id_that_is_taken_costs_the_action_and_no_more(world: Scheduled) -> None:
    await world.start("report-2023-11-14T22:14:00Z")
    await world.create()
    await world.pass_time(2 * MINUTE)
    info = (await world.show()).info
    assert info.action_count == 1
    assert [each.workflow_id for each in info.running_workflows] == ["report-2023-11-14T22:15:00Z"]


async def test_what_is_due_has_a_limit_however_long_nobody_looked(world: Scheduled) -> None:
    await world.create(every=1, policies={"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL})
    world.clock._now += 5000 * SECOND
    await world.show()
    info = (await world.show()).info
    assert info.buffer_dropped > 3900
    await world.pass_time(60)
    assert (await world.show()).info.action_count > 1000
