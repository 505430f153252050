"""What operators do to standalone activities, and what their clocks do. The clock is the test's."""

from __future__ import annotations

from typing import Any

import pytest
from brain import payloads, seconds
from hand_driven import EPOCH, SECOND, Driven, driven
from test_activity_execution import ID, describe, outcome, start, take, waiting

from outlast.api.enums import v1 as e
from outlast.vocab.errors import FailedPrecondition, InvalidArgument
from outlast.vocab.times import from_duration, from_timestamp

BOOM = {"message": "boom", "application_failure_info": {"type": "Boom"}}


async def operate(server: Driven, rpc: str, **fields: Any) -> Any:
    return await server.call(rpc, activity_id=ID, **fields)


async def fail(server: Driven, task: Any, **fields: Any) -> None:
    await server.call("RespondActivityTaskFailed", task_token=task.task_token, failure=BOOM, **fields)


# -- attempts ----------------------------------------------------------------------------------------------------


async def test_a_failed_attempt_backs_off_and_the_last_failure_is_the_outcome() -> None:
    async with driven() as server:
        await start(server, retry_policy={"maximum_attempts": 2, "initial_interval": seconds(10)})
        await fail(server, await take(server), last_heartbeat_details=payloads(b"5"))
        info = (await describe(server, include_last_failure=True, include_heartbeat_details=True)).info
        assert (info.attempt, info.run_state) == (2, e.PENDING_ACTIVITY_STATE_SCHEDULED)
        assert from_duration(info.current_retry_interval) == 10 * SECOND
        assert (info.last_failure.message, info.heartbeat_details) == ("boom", payloads(b"5"))
        assert from_timestamp(info.next_attempt_schedule_time) == EPOCH + 10 * SECOND
        await server.pass_time(10)
        task = await take(server)
        assert task.heartbeat_details == payloads(b"5")
        await fail(server, task)
        found = await outcome(server)
        assert found.failure.application_failure_info.type == "Boom"
        assert found.retry_state == e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
        closed = (await describe(server, include_last_failure=True)).info
        assert (closed.status, closed.attempt) == (e.ACTIVITY_EXECUTION_STATUS_FAILED, 2)
        assert closed.last_failure.message == "boom" and not closed.HasField("next_attempt_schedule_time")


async def test_an_attempt_that_fails_without_saying_how_has_an_outcome_all_the_same() -> None:
    async with driven() as server:
        await start(server, retry_policy={"maximum_attempts": 1})
        await server.call("RespondActivityTaskFailed", task_token=(await take(server)).task_token)
        assert "did not say how" in (await outcome(server)).failure.message


async def test_a_priority_is_shown_and_handed_out_whole() -> None:
    priority = {"priority_key": 2, "fairness_key": "k", "fairness_weight": 2.0}
    async with driven() as server:
        await start(server, priority=priority)
        shown = (await describe(server)).info.priority
        assert shown == (await take(server)).priority
        assert (shown.priority_key, shown.fairness_key, shown.fairness_weight) == (2, "k", 2.0)


@pytest.mark.parametrize(
    ("fields", "taken", "kind"),
    [
        ({"schedule_to_start_timeout": seconds(5)}, False, e.TIMEOUT_TYPE_SCHEDULE_TO_START),
        ({"start_to_close_timeout": seconds(5)}, True, e.TIMEOUT_TYPE_START_TO_CLOSE),
        ({"heartbeat_timeout": seconds(5)}, True, e.TIMEOUT_TYPE_HEARTBEAT),
        ({"schedule_to_close_timeout": seconds(5)}, True, e.TIMEOUT_TYPE_START_TO_CLOSE),
    ],
)
async def test_each_timeout_ends_it(fields: dict[str, Any], taken: bool, kind: int) -> None:
    async with driven() as server:
        await start(server, **fields, retry_policy={"maximum_attempts": 1})
        if taken:
            await take(server)
        await server.pass_time(5)
        failure = (await outcome(server)).failure
        assert failure.timeout_failure_info.timeout_type == kind
        assert (await describe(server)).info.status == e.ACTIVITY_EXECUTION_STATUS_TIMED_OUT


# -- start delay -------------------------------------------------------------------------------------------------


async def test_a_start_delay_comes_before_all_clocks() -> None:
    async with driven() as server:
        await start(server, start_delay=seconds(30), schedule_to_close_timeout=seconds(20))
        info = (await describe(server)).info
        assert from_timestamp(info.schedule_time) == EPOCH
        assert from_timestamp(info.execution_time) == from_timestamp(info.next_attempt_schedule_time)
        assert from_timestamp(info.execution_time) == EPOCH + 30 * SECOND
        assert from_timestamp(info.expiration_time) == EPOCH + 50 * SECOND
        await server.pass_time(29)
        assert await waiting(server) == 0
        await server.pass_time(1)
        task = await take(server)
        assert from_timestamp(task.scheduled_time) == EPOCH
        assert from_timestamp(task.current_attempt_scheduled_time) == EPOCH + 30 * SECOND


async def test_a_start_delay_holds_when_the_activity_is_paused_reset_and_unpaused() -> None:
    async with driven() as server:
        await start(server, start_delay=seconds(30))
        await operate(server, "PauseActivityExecution")
        await operate(server, "ResetActivityExecution", keep_paused=True)
        await operate(server, "UnpauseActivityExecution")
        await operate(server, "ResetActivityExecution")
        await server.pass_time(29)
        assert await waiting(server) == 0
        await server.pass_time(1)
        assert await waiting(server) == 1


async def test_a_start_delay_can_be_changed_until_it_is_over() -> None:
    async with driven() as server:
        await start(server, start_delay=seconds(30), schedule_to_close_timeout=seconds(20))
        change = {"update_mask": {"paths": ["start_delay", "heartbeat_timeout"]}}
        options = {"start_delay": seconds(60), "heartbeat_timeout": seconds(3)}
        answer = await operate(server, "UpdateActivityExecutionOptions", activity_options=options, **change)
        assert from_duration(answer.activity_options.start_delay) == 60 * SECOND
        assert from_duration(answer.activity_options.heartbeat_timeout) == 3 * SECOND
        info = (await describe(server)).info
        assert from_timestamp(info.expiration_time) == EPOCH + 80 * SECOND
        (listed,) = (await server.call("ListActivityExecutions")).executions
        assert from_timestamp(listed.execution_time) == from_timestamp(info.execution_time) == EPOCH + 60 * SECOND
        answer = await operate(server, "UpdateActivityExecutionOptions", restore_original=True)
        assert from_duration(answer.activity_options.start_delay) == 30 * SECOND
        await server.pass_time(30)
        await take(server)
        with pytest.raises(FailedPrecondition, match="start_delay cannot be changed"):
            await operate(server, "UpdateActivityExecutionOptions", activity_options=options, **change)


# -- pause, unpause, reset ---------------------------------------------------------------------------------------


async def test_a_paused_activity_is_handed_out_when_it_is_unpaused() -> None:
    async with driven() as server:
        await start(server)
        await operate(server, "PauseActivityExecution", request_id="1", reason="look", identity="boss")
        info = (await describe(server)).info
        assert (info.status, info.run_state) == (e.ACTIVITY_EXECUTION_STATUS_PAUSED, e.PENDING_ACTIVITY_STATE_PAUSED)
        assert not info.search_attributes.indexed_fields
        await operate(server, "PauseActivityExecution", request_id="1")
        with pytest.raises(FailedPrecondition, match="paused already"):
            await operate(server, "PauseActivityExecution", request_id="2")
        await operate(server, "UnpauseActivityExecution", request_id="3")
        await operate(server, "UnpauseActivityExecution", request_id="3")
        await operate(server, "PauseActivityExecution", request_id="1")
        assert (await describe(server)).info.status == e.ACTIVITY_EXECUTION_STATUS_RUNNING
        with pytest.raises(FailedPrecondition, match="not paused"):
            await operate(server, "UnpauseActivityExecution", request_id="4")
        await take(server)


async def test_the_clocks_of_a_paused_activity_go_on() -> None:
    async with driven() as server:
        await start(server, schedule_to_close_timeout=seconds(50), schedule_to_start_timeout=seconds(5))
        await operate(server, "PauseActivityExecution")
        await server.pass_time(49)
        assert (await describe(server)).info.status == e.ACTIVITY_EXECUTION_STATUS_PAUSED
        await server.pass_time(1)
        failure = (await outcome(server)).failure
        assert failure.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE


async def test_an_attempt_that_fails_while_paused_counts_and_its_backoff_holds() -> None:
    async with driven() as server:
        await start(server, retry_policy={"maximum_attempts": 2, "initial_interval": seconds(10)})
        task = await take(server)
        await operate(server, "PauseActivityExecution")
        assert (await describe(server)).info.run_state == e.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
        assert (await server.call("RecordActivityTaskHeartbeat", task_token=task.task_token)).activity_paused
        await fail(server, task)
        info = (await describe(server)).info
        assert (info.status, info.attempt) == (e.ACTIVITY_EXECUTION_STATUS_PAUSED, 2)
        await operate(server, "UnpauseActivityExecution")
        assert await waiting(server) == 0
        await server.pass_time(10)
        task = await take(server)
        await operate(server, "PauseActivityExecution")
        await fail(server, task)
        assert (await outcome(server)).retry_state == e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED


async def test_a_reset_discards_the_backoff_and_counts_from_one() -> None:
    async with driven() as server:
        await start(server, schedule_to_close_timeout=seconds(100), retry_policy={"initial_interval": seconds(50)})
        await fail(server, await take(server))
        await server.pass_time(1)
        await operate(server, "ResetActivityExecution")
        task = await take(server)
        assert task.attempt == 1
        assert from_timestamp((await describe(server)).info.expiration_time) == EPOCH + 100 * SECOND
        await operate(server, "ResetActivityExecution", reset_heartbeat=True)
        with pytest.raises(FailedPrecondition, match="a reset waits"):
            await operate(server, "ResetActivityExecution")
        with pytest.raises(FailedPrecondition, match="a reset waits"):
            await operate(server, "PauseActivityExecution")
        assert (await server.call("RecordActivityTaskHeartbeat", task_token=task.task_token)).activity_reset
        never = {"message": "no", "application_failure_info": {"non_retryable": True}}
        await server.call("RespondActivityTaskFailed", task_token=task.task_token, failure=never)
        await server.pass_time(0)
        assert (await take(server)).attempt == 1


async def test_what_cannot_be_done_any_more_is_refused() -> None:
    async with driven() as server:
        await start(server)
        await take(server)
        await operate(server, "RequestCancelActivityExecution")
        change = {
            "activity_options": {"heartbeat_timeout": seconds(3)},
            "update_mask": {"paths": ["heartbeat_timeout"]},
        }
        calls: list[tuple[str, dict[str, Any]]] = [
            ("PauseActivityExecution", {}),
            ("ResetActivityExecution", {}),
            ("UpdateActivityExecutionOptions", change),
        ]
        for rpc, fields in calls:
            with pytest.raises(FailedPrecondition, match="its cancellation was requested"):
                await operate(server, rpc, **fields)
        await operate(server, "TerminateActivityExecution")
        for rpc, fields in [*calls, ("UnpauseActivityExecution", {})]:
            with pytest.raises(FailedPrecondition, match="it is closed"):
                await operate(server, rpc, **fields)


# -- options -----------------------------------------------------------------------------------------------------


async def test_options_are_changed_and_restored() -> None:
    async with driven() as server:
        await start(server, priority={"priority_key": 2})
        options = {"task_queue": {"name": "letters"}, "start_to_close_timeout": seconds(5)}
        mask = {"paths": ["task_queue.name", "start_to_close_timeout"]}
        await operate(server, "UpdateActivityExecutionOptions", activity_options=options, update_mask=mask)
        (listed,) = (await server.call("ListActivityExecutions", query="TaskQueue = 'letters'")).executions
        assert listed.activity_id == ID
        info = (await describe(server)).info
        assert (info.task_queue, info.priority.priority_key) == ("letters", 2)
        task = await server.call("PollActivityTaskQueue", task_queue={"name": "letters"})
        assert from_duration(task.start_to_close_timeout) == 5 * SECOND
        answer = await operate(server, "UpdateActivityExecutionOptions", restore_original=True)
        assert answer.activity_options.task_queue.name == "parcels"
        assert from_duration(answer.activity_options.start_to_close_timeout) == 60 * SECOND
        with pytest.raises(InvalidArgument, match="update_mask is empty"):
            await operate(server, "UpdateActivityExecutionOptions", activity_options=options)
