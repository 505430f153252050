"""What workers report above the limits, over a node (rules 3.2.8, 3.4.10, 3.10.1)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from brain import command, complete_workflow, payloads, schedule_activity
from hand_driven import Driven, driven, settle

from outlast.api.enums import v1 as e
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument, QueryFailed

BIG = payloads(b"x" * limits.BLOB_BYTES_MAX)


async def activity(server: Driven, **options: Any) -> Any:
    await server.start()
    await server.turn(schedule_activity("1", **options))
    return await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})


async def test_a_failure_above_the_limit_is_cut_and_final() -> None:
    async with driven() as server:
        task = await activity(server)
        answer = await server.call(
            "RespondActivityTaskFailed", task_token=task.task_token, failure={"message": "x" * 3_000_000}
        )
        assert [failure.message for failure in answer.failures] == ["Failure exceeds size limit."]
        (failed,) = [event for event in await server.events() if event.event_type == e.EVENT_TYPE_ACTIVITY_TASK_FAILED]
        attributes = failed.activity_task_failed_event_attributes
        assert attributes.failure.message == "Failure exceeds size limit."
        assert attributes.failure.cause.message.startswith("xxx")
        assert attributes.retry_state == e.RETRY_STATE_NON_RETRYABLE_FAILURE
        assert attributes.failure.ByteSize() < limits.BLOB_BYTES_WARN + 100


async def test_heartbeat_details_above_the_limit_are_dropped_from_a_failure() -> None:
    async with driven() as server:
        task = await activity(server)
        await server.call("RecordActivityTaskHeartbeat", task_token=task.task_token, details=payloads(b"1"))
        answer = await server.call(
            "RespondActivityTaskFailed",
            task_token=task.task_token,
            failure={"message": "no"},
            last_heartbeat_details=BIG,
        )
        assert [failure.message for failure in answer.failures] == ["Heartbeat details exceed size limit."]
        (pending,) = (await server.describe()).pending_activities
        assert pending.heartbeat_details == payloads(b"1") and pending.attempt == 2


async def test_cancel_details_above_the_limit_fail_the_activity() -> None:
    async with driven() as server:
        task = await activity(server)
        await server.signal()
        request = command(e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=5)
        await server.turn(request)
        await server.call("RespondActivityTaskCanceled", task_token=task.task_token, details=BIG)
        assert "ActivityTaskFailed" in await server.names()


async def test_an_answer_to_a_query_above_the_limit_is_a_failed_query() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        question = {"execution": {"workflow_id": "order-42"}, "query": {"query_type": "stage"}}
        query = asyncio.create_task(server.call("QueryWorkflow", **question))
        await settle()
        task = await server.poll()
        await server.call("RespondQueryTaskCompleted", task_token=task.task_token, completed_type=1, query_result=BIG)
        with pytest.raises(QueryFailed, match="'stage': the answer takes 2,097,"):
            await query


async def test_a_command_above_the_limit_is_answered_and_ends_the_workflow() -> None:
    async with driven() as server:
        await server.start()
        task = await server.poll()
        with pytest.raises(InvalidArgument, match="input takes 2,097,"):
            await server.call(
                "RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[schedule_activity(input=BIG)]
            )
        assert (await server.names())[-1] == "WorkflowExecutionTerminated"


async def test_a_report_of_a_completion_that_was_too_large_ends_the_workflow() -> None:
    async with driven() as server:
        await server.start()
        task = await server.poll()
        await server.call(
            "RespondWorkflowTaskFailed",
            task_token=task.task_token,
            cause=e.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE,
        )
        assert (await server.names())[-2:] == ["WorkflowTaskFailed", "WorkflowExecutionTerminated"]


async def test_a_run_whose_state_outgrows_its_limit_is_terminated() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(*(schedule_activity(str(number)) for number in range(5)))
        details = payloads(b"x" * (limits.STATE_BYTES_MAX * 24 // 100))
        for _ in range(5):
            assert "WorkflowExecutionTerminated" not in await server.names()
            task = await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})
            await server.call("RecordActivityTaskHeartbeat", task_token=task.task_token, details=details)
            await settle()
        closing = (await server.events())[-1].workflow_execution_terminated_event_attributes
        assert closing.reason.startswith("Workflow mutable state size exceeds limit")


async def test_just_below_the_limits_all_is_well() -> None:
    below = payloads(b"x" * (limits.BLOB_BYTES_MAX - 100))
    async with driven() as server:
        task = await activity(server, input=below)
        await server.call("RespondActivityTaskCompleted", task_token=task.task_token, result=below)
        await server.turn(complete_workflow(b"x" * (limits.BLOB_BYTES_MAX - 100)))
        assert (await server.names())[-1] == "WorkflowExecutionCompleted"
