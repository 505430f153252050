"""What is asked of standalone activities: policies of ids, ends, lists. The clock is the test's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from brain import payloads, seconds
from hand_driven import driven
from test_activity_execution import ID, describe, outcome, start, take

from outlast.api.enums import v1 as e
from outlast.vocab.errors import ActivityExecutionAlreadyStarted, FailedPrecondition, InvalidArgument, NotFound

LINK = {"workflow_event": {"namespace": "default", "workflow_id": "order-42", "run_id": "1"}}


# -- starting ----------------------------------------------------------------------------------------------------


async def test_a_request_that_came_before_leads_to_its_run_and_starts_nothing() -> None:
    async with driven() as server:
        first = await start(server, request_id="1")
        again = await start(server, request_id="1")
        assert (again.run_id, again.started) == (first.run_id, False)
        await server.call("RespondActivityTaskCompletedById", activity_id=ID)
        assert (await start(server, request_id="1")).run_id == first.run_id


async def test_the_conflict_policy_looks_at_an_open_activity() -> None:
    async with driven() as server:
        first = await start(server, request_id="1")
        with pytest.raises(ActivityExecutionAlreadyStarted) as raised:
            await start(server, request_id="2")
        assert (raised.value.start_request_id, raised.value.run_id) == ("1", first.run_id)
        use = {"id_conflict_policy": e.ACTIVITY_ID_CONFLICT_POLICY_USE_EXISTING}
        existing = await start(server, request_id="3", **use)
        assert (existing.run_id, existing.started) == (first.run_id, False)
        options = {"attach_request_id": True, "attach_links": True}
        await start(server, request_id="4", links=[LINK], on_conflict_options=options, **use)
        await start(server, request_id="4", links=[LINK], on_conflict_options=options, **use)
        assert len((await describe(server)).info.links) == 1
        with pytest.raises(InvalidArgument, match="nothing to attach"):
            await start(server, on_conflict_options={"attach_request_id": True}, **use)


async def test_the_reuse_policy_looks_at_a_closed_activity() -> None:
    only_failed = {"id_reuse_policy": e.ACTIVITY_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY}
    never = {"id_reuse_policy": e.ACTIVITY_ID_REUSE_POLICY_REJECT_DUPLICATE}
    async with driven() as server:
        first = await start(server)
        await server.call("RespondActivityTaskCompletedById", activity_id=ID)
        for policy in (only_failed, never):
            with pytest.raises(ActivityExecutionAlreadyStarted):
                await start(server, **policy)
        second = await start(server)
        assert second.run_id != first.run_id
        await server.call("TerminateActivityExecution", activity_id=ID, reason="enough")
        assert (await start(server, **only_failed)).started
        assert (await describe(server, run_id=first.run_id)).info.status == e.ACTIVITY_EXECUTION_STATUS_COMPLETED


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"activity_id": ""}, "activity_id is empty"),
        ({"activity_type": {}}, "activity_type is empty"),
        ({"task_queue": {}}, "task_queue is empty"),
        ({"start_to_close_timeout": None}, "set start_to_close_timeout or schedule_to_close_timeout"),
        ({"retry_policy": {"backoff_coefficient": 0.5}}, "backoff_coefficient"),
        ({"start_delay": seconds(-1)}, "start_delay is below zero"),
        ({"id_reuse_policy": 9}, "id_reuse_policy 9"),
        ({"request_id": "x" * 1001}, "request_id is longer"),
        ({"search_attributes": {"indexed_fields": {"Colour": payloads(b'"red"').payloads[0]}}}, "Colour"),
        ({"links": [LINK] * 33}, "33 links"),
        ({"priority": {"fairness_weight": -1}}, "fairness weight is -1"),
        ({"heartbeat_timeout": seconds(-1)}, "below zero"),
    ],
)
async def test_what_no_activity_can_be_started_from_is_refused(fields: dict[str, Any], words: str) -> None:
    async with driven() as server:
        with pytest.raises(InvalidArgument, match=words):
            await start(server, **fields)
        assert not (await server.call("ListActivityExecutions")).executions


# -- ending ------------------------------------------------------------------------------------------------------


async def test_an_activity_that_nobody_has_is_cancelled_at_once() -> None:
    async with driven() as server:
        await start(server)
        cancel = {"activity_id": ID, "reason": "too late", "identity": "boss"}
        await server.call("RequestCancelActivityExecution", **cancel, request_id="1")
        failure = (await outcome(server)).failure
        assert failure.message == "Activity canceled" and failure.canceled_failure_info.identity == "boss"
        assert json.loads(failure.canceled_failure_info.details.payloads[0].data) == "too late"
        info = (await describe(server)).info
        assert (info.status, info.canceled_reason) == (e.ACTIVITY_EXECUTION_STATUS_CANCELED, "too late")
        await server.call("RequestCancelActivityExecution", **cancel, request_id="1")
        with pytest.raises(FailedPrecondition, match=r"is closed \(CANCELED\)"):
            await server.call("RequestCancelActivityExecution", **cancel, request_id="2")


async def test_a_running_attempt_is_told_of_the_cancellation_and_may_report_it() -> None:
    async with driven() as server:
        await start(server)
        task = await take(server)
        with pytest.raises(InvalidArgument, match="no cancellation was requested"):
            await server.call("RespondActivityTaskCanceled", task_token=task.task_token)
        await server.call("RequestCancelActivityExecution", activity_id=ID, request_id="1")
        with pytest.raises(FailedPrecondition, match="requested before, by request '1'"):
            await server.call("RequestCancelActivityExecution", activity_id=ID, request_id="2")
        assert (await describe(server)).info.run_state == e.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
        assert (await server.call("RecordActivityTaskHeartbeat", task_token=task.task_token)).cancel_requested
        await server.call("RespondActivityTaskCanceled", task_token=task.task_token, details=payloads(b"6"))
        assert (await outcome(server)).failure.canceled_failure_info.details == payloads(b"6")


async def test_a_cancelled_attempt_that_fails_is_not_tried_again() -> None:
    async with driven() as server:
        await start(server)
        task = await take(server)
        await server.call("RequestCancelActivityExecution", activity_id=ID)
        await server.call("RespondActivityTaskFailed", task_token=task.task_token, failure={"message": "no"})
        found = await outcome(server)
        assert (found.failure.message, found.retry_state) == ("no", e.RETRY_STATE_CANCEL_REQUESTED)


async def test_a_terminated_activity_has_its_reason_as_its_outcome() -> None:
    async with driven() as server:
        await start(server)
        task = await take(server)
        terminate = {"activity_id": ID, "reason": "enough", "identity": "boss"}
        await server.call("TerminateActivityExecution", **terminate, request_id="1")
        failure = (await outcome(server)).failure
        assert (failure.message, failure.terminated_failure_info.identity) == ("enough", "boss")
        info = (await describe(server)).info
        assert (info.status, info.attempt) == (e.ACTIVITY_EXECUTION_STATUS_TERMINATED, 1)
        assert info.last_worker_identity == "test"
        await server.call("TerminateActivityExecution", **terminate, request_id="1")
        with pytest.raises(FailedPrecondition):
            await server.call("TerminateActivityExecution", **terminate, request_id="2")
        with pytest.raises(NotFound, match="activity 'ship-42'"):
            await server.call("RespondActivityTaskCompleted", task_token=task.task_token)


async def test_a_deleted_activity_is_gone_and_its_id_free() -> None:
    async with driven() as server:
        never = {"id_reuse_policy": e.ACTIVITY_ID_REUSE_POLICY_REJECT_DUPLICATE}
        await start(server)
        await server.call("DeleteActivityExecution", activity_id=ID)
        with pytest.raises(NotFound, match="there is no activity 'ship-42'"):
            await describe(server)
        assert not (await server.call("ListActivityExecutions")).executions
        assert (await start(server, **never)).started


async def test_a_closed_activity_is_kept_for_the_retention_of_its_namespace() -> None:
    async with driven() as server:
        await start(server)
        await server.call("RespondActivityTaskCompletedById", activity_id=ID)
        await server.pass_time(23 * 3600)
        assert (await describe(server)).info.status == e.ACTIVITY_EXECUTION_STATUS_COMPLETED
        await server.pass_time(2 * 3600)
        with pytest.raises(NotFound):
            await describe(server)


# -- lists -------------------------------------------------------------------------------------------------------


async def test_lists_find_activities_by_their_own_names_and_statuses() -> None:
    async with driven() as server:
        for name in ("ship-1", "ship-2", "ship-3"):
            await start(server, name)
        await server.call("RespondActivityTaskCompletedById", activity_id="ship-1")
        await server.call("PauseActivityExecution", activity_id="ship-2")
        await start(server, "slow", activity_type={"name": "Sail"}, schedule_to_close_timeout=seconds(1))
        await server.pass_time(2)

        async def found(query: str) -> list[str]:
            listed = await server.call("ListActivityExecutions", query=query)
            return sorted(info.activity_id for info in listed.executions)

        assert await found("ExecutionStatus = 'Running'") == ["ship-3"]
        assert await found("ExecutionStatus = 'Paused'") == ["ship-2"]
        assert await found("ExecutionStatus = 'TimedOut'") == ["slow"]
        assert await found(f"ExecutionStatus = {e.ACTIVITY_EXECUTION_STATUS_TIMED_OUT}") == ["slow"]
        assert await found("ActivityType = 'Ship' AND CloseTime IS NULL") == ["ship-2", "ship-3"]
        assert await found("ActivityId STARTS_WITH 'ship' AND TaskQueue = 'parcels'") == ["ship-1", "ship-2", "ship-3"]
        with pytest.raises(InvalidArgument, match="did you mean ActivityType"):
            await found("ActvityType = 'Ship'")
        with pytest.raises(InvalidArgument, match="is no status"):
            await found("ExecutionStatus = 'ContinuedAsNew'")
        counted = await server.call("CountActivityExecutions", query="GROUP BY ExecutionStatus")
        groups = {json.loads(group.group_values[0].data): group.count for group in counted.groups}
        assert groups == {"Running": 1, "Paused": 1, "TimedOut": 1, "Completed": 1} and counted.count == 4
        (slow,) = (await server.call("ListActivityExecutions", query="ActivityId = 'slow'")).executions
        assert slow.status == e.ACTIVITY_EXECUTION_STATUS_TIMED_OUT and slow.activity_type.name == "Sail"


async def test_a_list_comes_in_pages() -> None:
    async with driven() as server:
        for number in range(5):
            await start(server, f"ship-{number}")
        seen: list[str] = []
        token = b""
        while True:
            page = await server.call("ListActivityExecutions", page_size=2, next_page_token=token)
            seen += [info.activity_id for info in page.executions]
            token = page.next_page_token
            if not token:
                break
        assert sorted(seen) == [f"ship-{number}" for number in range(5)]
