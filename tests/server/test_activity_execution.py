"""Standalone activities at the node: started, attempted, described, waited for. The clock is the test's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from brain import payloads, seconds
from hand_driven import Driven, driven, settle

from outlast.api.enums import v1 as e
from outlast.vocab.errors import ActivityExecutionAlreadyStarted, InvalidArgument, NotFound

ID = "ship-42"


async def start(server: Driven, activity_id: str = ID, **fields: Any) -> Any:
    fields = {
        "activity_type": {"name": "Ship"},
        "task_queue": {"name": "parcels"},
        "start_to_close_timeout": seconds(60),
        "input": payloads(b"1"),
        **fields,
    }
    return await server.call("StartActivityExecution", activity_id=activity_id, **fields)


async def waiting(server: Driven) -> int:
    """How many attempts wait for a worker."""
    await settle()
    stats = await server.call(
        "DescribeTaskQueue",
        task_queue={"name": "parcels"},
        task_queue_type=e.TASK_QUEUE_TYPE_ACTIVITY,
        report_stats=True,
    )
    return int(stats.stats.approximate_backlog_count)


async def take(server: Driven) -> Any:
    """The attempt that waits."""
    assert await waiting(server), "there is no attempt"
    task = await server.call("PollActivityTaskQueue", task_queue={"name": "parcels"})
    assert task.task_token
    return task


async def describe(server: Driven, **fields: Any) -> Any:
    return await server.call("DescribeActivityExecution", activity_id=ID, **fields)


async def outcome(server: Driven, **fields: Any) -> Any:
    return (await server.call("PollActivityExecution", activity_id=ID, **fields)).outcome


async def test_an_activity_is_started_taken_completed_and_its_result_found() -> None:
    async with driven() as server:
        started = await start(server)
        assert started.started and started.link.activity.run_id == started.run_id
        waiting = asyncio.ensure_future(outcome(server))
        task = await take(server)
        assert (task.activity_id, task.activity_run_id, task.attempt) == (ID, started.run_id, 1)
        assert not task.HasField("workflow_execution") and not task.HasField("workflow_type")
        assert task.input == payloads(b"1") and task.workflow_namespace == "default"
        running = (await describe(server, include_input=True)).info
        assert running.status == e.ACTIVITY_EXECUTION_STATUS_RUNNING
        assert (running.run_state, running.last_worker_identity) == (e.PENDING_ACTIVITY_STATE_STARTED, "test")
        await server.call("RespondActivityTaskCompleted", task_token=task.task_token, result=payloads(b"2"))
        assert (await waiting).result == payloads(b"2")
        closed = await describe(server, include_input=True, include_outcome=True)
        assert closed.info.status == e.ACTIVITY_EXECUTION_STATUS_COMPLETED
        assert closed.input == payloads(b"1") and closed.outcome.result == payloads(b"2")
        with pytest.raises(NotFound):
            await server.call("RespondActivityTaskCompleted", task_token=task.task_token)


async def test_workflows_do_not_see_activities() -> None:
    async with driven() as server:
        await start(server)
        with pytest.raises(NotFound, match="there is no workflow 'ship-42'"):
            await server.describe(workflow_id=ID)
        await server.start(ID)
        with pytest.raises(ActivityExecutionAlreadyStarted):
            await start(server)
        assert [each.execution.workflow_id for each in (await server.call("ListWorkflowExecutions")).executions] == [ID]


async def test_a_description_with_a_token_waits_for_the_next_change() -> None:
    async with driven() as server:
        await start(server)
        first = await describe(server)
        waiting = asyncio.ensure_future(describe(server, run_id=first.run_id, long_poll_token=first.long_poll_token))
        await settle()
        assert not waiting.done()
        task = await take(server)
        second = await waiting
        assert second.info.run_state == e.PENDING_ACTIVITY_STATE_STARTED
        waiting = asyncio.ensure_future(describe(server, run_id=first.run_id, long_poll_token=second.long_poll_token))
        await settle()
        await server.call("RecordActivityTaskHeartbeat", task_token=task.task_token, details=payloads(b"3"))
        assert (await waiting).info.total_heartbeat_count == 1
        with pytest.raises(InvalidArgument, match="run_id"):
            await describe(server, long_poll_token=second.long_poll_token)
