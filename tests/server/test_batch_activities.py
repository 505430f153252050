"""Batch operations over standalone activities (rules 3.7.5 and 3.13.7), call by call."""

from __future__ import annotations

from typing import Any

import pytest
from hand_driven import Driven, driven, settle

from outlast.api.enums import v1 as e
from outlast.vocab.errors import NotFound

MINUTE = {"seconds": 60}


async def start(server: Driven, activity_id: str, **fields: Any) -> str:
    fields = {"activity_type": {"name": "charge"}, "task_queue": {"name": "q"}, **fields}
    response = await server.call(
        "StartActivityExecution", activity_id=activity_id, start_to_close_timeout=MINUTE, **fields
    )
    return str(response.run_id)


async def done(server: Driven, **fields: Any) -> tuple[Any, ...]:
    """Do a job; answers its type and its counts."""
    await server.call("StartBatchOperation", job_id="job", reason="wrong price", **fields)
    await settle()
    job = await server.call("DescribeBatchOperation", job_id="job")
    assert job.state == e.BATCH_OPERATION_STATE_COMPLETED
    return (
        job.operation_type,
        job.total_operation_count,
        job.complete_operation_count,
        job.failure_operation_count,
    )


async def outcome(server: Driven, activity_id: str) -> Any:
    described = await server.call("DescribeActivityExecution", activity_id=activity_id, include_outcome=True)
    return described.outcome.failure


async def test_what_the_query_finds_is_terminated() -> None:
    async with driven() as server:
        for number in range(3):
            await start(server, f"charge-{number}")
        await start(server, "other", activity_type={"name": "refund"})
        await server.start("charge-0")  # a workflow of the same id is none of its business
        assert await done(
            server,
            visibility_query="ActivityType = 'charge'",
            terminate_activities_operation={"identity": "operator", "reason": "too dear"},
        ) == (e.BATCH_OPERATION_TYPE_TERMINATE_ACTIVITY, 3, 3, 0)
        failure = await outcome(server, "charge-1")
        assert (failure.message, failure.terminated_failure_info.identity) == ("too dear", "operator")
        assert (await server.call("CountActivityExecutions", query="ExecutionStatus = 'Running'")).count == 1
        assert (await server.call("CountWorkflowExecutions", query="ExecutionStatus = 'Running'")).count == 1


async def test_cancel_what_is_named() -> None:
    async with driven() as server:
        run_id = await start(server, "a")
        await start(server, "b")
        named = [
            {"type": e.EXECUTION_TYPE_ACTIVITY, "business_id": "a", "run_id": run_id},
            {"type": e.EXECUTION_TYPE_ACTIVITY, "business_id": "unheard-of"},
        ]
        operation = {"identity": "operator", "reason": "too late"}
        assert await done(server, target_executions=named, cancel_activities_operation=operation) == (
            e.BATCH_OPERATION_TYPE_CANCEL_ACTIVITY, 2, 2, 0,
        )  # fmt: skip
        assert (await outcome(server, "a")).HasField("canceled_failure_info")
        running = await server.call("DescribeActivityExecution", activity_id="b")
        assert running.info.status == e.ACTIVITY_EXECUTION_STATUS_RUNNING
        job = await server.call("DescribeBatchOperation", job_id="job")
        assert [one.type for one in job.executions] == [e.EXECUTION_TYPE_ACTIVITY] * 2


async def test_delete() -> None:
    async with driven() as server:
        for name in ("a", "b"):
            await start(server, name)
        assert await done(server, visibility_query="TaskQueue = 'q'", delete_activities_operation={}) == (
            e.BATCH_OPERATION_TYPE_DELETE_ACTIVITY, 2, 2, 0,
        )  # fmt: skip
        for name in ("a", "b"):
            with pytest.raises(NotFound):
                await server.call("DescribeActivityExecution", activity_id=name)
