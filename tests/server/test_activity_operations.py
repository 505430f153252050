"""Pause, unpause, reset and new options of activities, call by call (rule 3.2.12)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from brain import payloads, schedule_activity, seconds
from hand_driven import Driven, HandClock, driven, settle

from outlast.api.enums import v1 as e
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.errors import InvalidArgument, NotFound

EXECUTION = {"workflow_id": "order-42"}


async def begun(server: Driven, *ids: str, **attributes: Any) -> None:
    """Start a workflow that schedules activities."""
    await server.start()
    await server.turn(*(schedule_activity(each, **attributes) for each in ids or ("1",)))


async def take(server: Driven, queue: str = "orders") -> Any:
    task = await server.call("PollActivityTaskQueue", task_queue={"name": queue})
    assert task.task_token, "no activity task came"
    return task


async def fail(server: Driven, task: Any) -> None:
    failure = {"message": "declined", "application_failure_info": {"type": "Declined"}}
    await server.call("RespondActivityTaskFailed", task_token=task.task_token, failure=failure)


async def beat(server: Driven, task: Any) -> tuple[bool, bool]:
    told = await server.call("RecordActivityTaskHeartbeat", task_token=task.task_token, details=payloads(b"7"))
    assert not told.cancel_requested
    return told.activity_paused, told.activity_reset


async def pending(server: Driven) -> list[Any]:
    return list((await server.describe()).pending_activities)


async def found(server: Driven, query: str) -> int:
    return int((await server.call("CountWorkflowExecutions", query=query)).count)


@pytest.mark.parametrize(
    ("pause", "unpause"),
    [
        (
            ("PauseActivity", {"execution": EXECUTION, "id": "1", "reason": "bad key"}),
            ("UnpauseActivity", {"execution": EXECUTION, "id": "1"}),
        ),
        (
            ("PauseActivity", {"execution": EXECUTION, "type": "charge", "reason": "bad key"}),
            ("UnpauseActivity", {"execution": EXECUTION, "unpause_all": True}),
        ),
        (
            ("PauseActivityExecution", {"workflow_id": "order-42", "activity_id": "1", "reason": "bad key"}),
            ("UnpauseActivityExecution", {"workflow_id": "order-42", "activity_id": "1"}),
        ),
    ],
)
async def test_a_paused_activity_waits_until_it_is_unpaused(pause: Any, unpause: Any) -> None:
    async with driven() as server:
        await begun(server)
        await server.call(pause[0], **pause[1])
        (activity,) = await pending(server)
        assert activity.state == e.PENDING_ACTIVITY_STATE_PAUSED
        assert (activity.pause_info.manual.identity, activity.pause_info.manual.reason) == ("test", "bad key")
        assert await found(server, "TemporalPauseInfo = 'property:activityType=charge'") == 1
        polls = server.node.queues.waiting
        poll = server.call("PollActivityTaskQueue", task_queue={"name": "orders"})
        waiting = asyncio.get_running_loop().create_task(poll)
        await server.pass_time(30)
        assert not waiting.done() and server.node.queues.waiting == polls + 1
        await server.call(unpause[0], **unpause[1])
        task = await waiting
        assert (task.activity_id, task.attempt) == ("1", 1)
        assert await found(server, "TemporalPauseInfo IS NOT NULL") == 0


async def test_a_running_attempt_hears_of_it_with_its_heartbeat() -> None:
    async with driven() as server:
        await begun(server)
        task = await take(server)
        assert await beat(server, task) == (False, False)
        await server.call("PauseActivity", execution=EXECUTION, id="1")
        assert await beat(server, task) == (True, False)
        by_id = await server.call("RecordActivityTaskHeartbeatById", workflow_id="order-42", activity_id="1")
        assert by_id.activity_paused
        await server.call("ResetActivity", execution=EXECUTION, id="1")
        assert await beat(server, task) == (False, True)
        await fail(server, task)
        await server.pass_time(0)
        again = await take(server)
        assert again.attempt == 1 and again.heartbeat_details == payloads(b"7")
        assert await beat(server, again) == (False, False)


@pytest.mark.parametrize("rpc", ["ResetActivity", "ResetActivityExecution"])
async def test_a_reset_ends_a_backoff(rpc: str) -> None:
    names = {"execution": EXECUTION, "id": "1"} if rpc == "ResetActivity" else {}
    async with driven() as server:
        await begun(server, retry_policy={"initial_interval": seconds(600)})
        task = await take(server)
        await beat(server, task)
        await fail(server, task)
        names = names or {"workflow_id": "order-42", "activity_id": "1"}
        await server.call(rpc, reset_heartbeat=True, **names)
        again = await take(server)
        assert again.attempt == 1 and not again.HasField("heartbeat_details")


async def test_the_jitter_spreads_what_goes_on() -> None:
    async with driven() as server:
        ids = [str(number) for number in range(1, 21)]
        await begun(server, *ids)
        await server.call("PauseActivity", execution=EXECUTION, type="charge")
        await server.call("UnpauseActivity", execution=EXECUTION, type="charge", jitter=seconds(1000))
        at = {each.next_attempt_schedule_time.ToNanoseconds() for each in await pending(server)}
        now = server.clock.now()
        assert len(at) > 10 and now <= min(at) and max(at) <= now + 1000 * 10**9
        await server.pass_time(1000)
        assert {(await take(server)).activity_id for _ in ids} == set(ids)
        with pytest.raises(InvalidArgument, match="jitter"):
            await server.call("ResetActivity", execution=EXECUTION, match_all=True, jitter={"seconds": -1})


@pytest.mark.parametrize("rpc", ["UpdateActivityOptions", "UpdateActivityExecutionOptions"])
async def test_options_are_changed_and_restored(rpc: str) -> None:
    one = {"workflow_id": "order-42", "activity_id": "1"}
    names: dict[str, Any] = {"execution": EXECUTION, "id": "1"} if rpc == "UpdateActivityOptions" else one
    async with driven() as server:
        await begun(server)
        answer = await server.call(
            rpc,
            activity_options={
                "task_queue": {"name": "elsewhere"},
                "start_to_close_timeout": seconds(77),
                "retry_policy": {"maximum_attempts": 9},
                "priority": {"priority_key": 2, "fairness_key": "blue"},
            },
            update_mask={
                "paths": ["task_queue.name", "start_to_close_timeout", "retry_policy.maximum_attempts", "priority"]
            },
            **names,
        )
        (activity,) = await pending(server)
        assert activity.activity_options == answer.activity_options
        assert activity.priority.fairness_key == "blue"
        task = await take(server, "elsewhere")
        assert task.start_to_close_timeout.seconds == 77 and task.priority.fairness_key == "blue"
        assert task.retry_policy.maximum_attempts == 9
        restored = await server.call(rpc, restore_original=True, **names)
        assert restored.activity_options.task_queue.name == "orders"
        assert restored.activity_options.start_to_close_timeout.seconds == 10
        await fail(server, task)
        await server.pass_time(1)
        again = await take(server)
        assert again.attempt == 2 and again.retry_policy.maximum_attempts == 0 and not again.HasField("priority")
        with pytest.raises(InvalidArgument, match="restore_original"):
            await server.call(rpc, restore_original=True, update_mask={"paths": ["priority"]}, **names)


async def test_one_activity_that_cannot_have_the_options_leaves_all_as_they_are() -> None:
    async with driven() as server:
        await begun(server, "1", "2")
        before = await pending(server)
        with pytest.raises(InvalidArgument):
            await server.call(
                "UpdateActivityOptions",
                execution=EXECUTION,
                match_all=True,
                activity_options={"heartbeat_timeout": {"seconds": -1}},
                update_mask={"paths": ["heartbeat_timeout"]},
            )
        assert await pending(server) == before


@pytest.mark.parametrize(
    ("rpc", "fields", "error"),
    [
        ("PauseActivity", {"execution": EXECUTION, "id": "9"}, NotFound),
        ("PauseActivity", {"execution": EXECUTION, "type": "fly"}, NotFound),
        ("PauseActivity", {"execution": EXECUTION}, InvalidArgument),
        ("PauseActivity", {"execution": {"workflow_id": "never"}, "id": "1"}, NotFound),
        ("PauseActivity", {"execution": {}, "id": "1"}, InvalidArgument),
        ("PauseActivity", {"execution": EXECUTION, "id": "1", "reason": "x" * 1001}, InvalidArgument),
        ("PauseActivityExecution", {"activity_id": "1"}, NotFound),
        ("PauseActivityExecution", {"workflow_id": "order-42"}, InvalidArgument),
    ],
)
async def test_what_is_not_there_is_refused(rpc: str, fields: dict[str, Any], error: type[Exception]) -> None:
    async with driven() as server:
        await begun(server)
        with pytest.raises(error):
            await server.call(rpc, **fields)


async def test_a_pause_outlasts_the_node(tmp_path: Path) -> None:
    clock = HandClock()
    async with driven(SqliteStorage.open(tmp_path / "orders.db"), clock) as server:
        await begun(server)
        await server.call("PauseActivity", execution=EXECUTION, id="1", reason="bad key")
    async with driven(SqliteStorage.open(tmp_path / "orders.db"), clock) as server:
        (activity,) = await pending(server)
        assert activity.state == e.PENDING_ACTIVITY_STATE_PAUSED
        assert await found(server, "TemporalPauseInfo IS NOT NULL") == 1
        await server.call("UnpauseActivity", execution=EXECUTION, id="1")
        assert (await take(server)).activity_id == "1"


async def test_batches_of_operations_on_activities() -> None:
    async with driven() as server:
        for number in range(3):
            await server.start(f"order-{number}")
            await server.turn(schedule_activity("1"))
            await server.call("PauseActivity", execution={"workflow_id": f"order-{number}"}, id="1")
        mask = {"paths": ["start_to_close_timeout"]}
        options = {"start_to_close_timeout": seconds(77)}
        for job_id, operation in (
            ("job-1", {"update_activity_options_operation": {"activity_options": options, "update_mask": mask}}),
            ("job-2", {"reset_activities_operation": {"keep_paused": True}}),
            ("job-3", {"unpause_activities_operation": {}}),
        ):
            (chosen,) = operation.values()
            await server.call(
                "StartBatchOperation",
                job_id=job_id,
                reason="bad key",
                visibility_query="TemporalPauseInfo = 'property:activityType=charge'",
                **{name: {**value, "match_all": True} for name, value in operation.items()},
            )
            await settle()
            job = await server.call("DescribeBatchOperation", job_id=job_id)
            assert (job.state, job.complete_operation_count) == (e.BATCH_OPERATION_STATE_COMPLETED, 3), chosen
        assert await found(server, "TemporalPauseInfo IS NOT NULL") == 0
        assert {(await take(server)).start_to_close_timeout.seconds for _ in range(3)} == {77}
