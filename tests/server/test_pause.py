"""PauseWorkflowExecution and UnpauseWorkflowExecution: what callers and pollers see, restarts, lists (rule 3.6.9)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from brain import command, complete_workflow, schedule_activity, seconds, start_timer
from hand_driven import Driven, HandClock, driven, settle

from outlast.api.enums import v1 as e
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.errors import FailedPrecondition, InvalidArgument, MultiOperationExecution, NotFound, ServiceError

ORDER = {"workflow_id": "order-42"}


async def pause(server: Driven, **fields: Any) -> None:
    await server.call("PauseWorkflowExecution", **({"workflow_id": "order-42", "reason": "bad key"} | fields))


async def unpause(server: Driven, **fields: Any) -> None:
    await server.call("UnpauseWorkflowExecution", **({"workflow_id": "order-42", "reason": "mended"} | fields))


async def status(server: Driven, **fields: Any) -> int:
    return int((await server.describe(**fields)).workflow_execution_info.status)


async def nothing_to_poll(server: Driven, kind: str = "Workflow") -> bool:
    poll = asyncio.create_task(server.call(f"Poll{kind}TaskQueue", task_queue={"name": "orders"}))
    await settle()
    waits = not poll.done()
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)
    return waits


async def listed(server: Driven, query: str) -> list[str]:
    answer = await server.call("ListWorkflowExecutions", query=query)
    return sorted(execution.execution.workflow_id for execution in answer.executions)


async def test_pollers_get_nothing_of_a_paused_workflow_and_all_of_it_afterwards() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(schedule_activity("1"), start_timer("1", 5))
        await pause(server)
        await server.signal()
        await server.pass_time(6)
        assert await nothing_to_poll(server) and await nothing_to_poll(server, "Activity")
        assert (await server.names())[-2:] == ["WorkflowExecutionSignaled", "TimerFired"]
        await unpause(server)
        assert (await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})).activity_id == "1"
        await server.turn(complete_workflow())
        assert await status(server) == e.WORKFLOW_EXECUTION_STATUS_COMPLETED


async def test_a_poller_that_waits_gets_its_task_at_the_end_of_the_pause() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(schedule_activity("1"))
        await pause(server)
        polls = [
            asyncio.create_task(server.call(f"Poll{kind}TaskQueue", task_queue={"name": "orders"}))
            for kind in ("Workflow", "Activity")
        ]
        await settle()
        assert not any(poll.done() for poll in polls)
        await unpause(server)
        assert all(task.task_token for task in await asyncio.gather(*polls))


async def test_an_attempt_that_runs_may_finish_and_is_not_disturbed() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(schedule_activity("1", heartbeat_timeout=seconds(5)))
        task = await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})
        await pause(server)
        beat = await server.call("RecordActivityTaskHeartbeat", task_token=task.task_token)
        assert not (beat.cancel_requested or beat.activity_paused or beat.activity_reset)
        await server.call("RespondActivityTaskCompleted", task_token=task.task_token)
        assert (await server.names())[-1] == "ActivityTaskCompleted"
        assert await nothing_to_poll(server)


async def test_the_timeouts_of_an_activity_go_on() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(schedule_activity("1", schedule_to_start_timeout=seconds(5)))
        await pause(server)
        await server.pass_time(5)
        assert (await server.names())[-1] == "ActivityTaskTimedOut"


async def test_a_task_in_flight_is_taken_but_may_not_ask_for_another() -> None:
    async with driven() as server:
        await server.start()
        task = await server.poll()
        await pause(server)
        with pytest.raises(FailedPrecondition, match="force_create_new_workflow_task"):
            await server.call(
                "RespondWorkflowTaskCompleted", task_token=task.task_token, force_create_new_workflow_task=True
            )
        answer = await server.call(
            "RespondWorkflowTaskCompleted",
            task_token=task.task_token,
            commands=[schedule_activity("1", request_eager_execution=True)],
            return_new_workflow_task=True,
        )
        assert not answer.workflow_task.task_token and not answer.activity_tasks
        assert (await server.names())[-1] == "WorkflowExecutionPaused"
        assert await nothing_to_poll(server, "Activity")


async def test_queries_are_rejected_with_the_status_also_those_that_wait() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        query = {"execution": ORDER, "query": {"query_type": "stage"}}
        waiting = asyncio.create_task(server.call("QueryWorkflow", **query))
        await settle()
        await pause(server)
        for answer in (await waiting, await server.call("QueryWorkflow", **query)):
            assert answer.query_rejected.status == e.WORKFLOW_EXECUTION_STATUS_PAUSED
        assert await nothing_to_poll(server), "the rejected query was handed out"


async def test_updates_are_refused_and_one_that_waits_is_shown_afterwards() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        update = {"workflow_execution": ORDER, "request": {"meta": {"update_id": "u1"}, "input": {"name": "add"}}}
        waiting = asyncio.create_task(server.call("UpdateWorkflowExecution", **update))
        await settle()
        await pause(server)
        assert (await server.names())[-3:] == [
            "WorkflowTaskScheduled", "WorkflowTaskFailed", "WorkflowExecutionPaused",
        ]  # fmt: skip
        other = update | {"request": {"meta": {"update_id": "u2"}, "input": {"name": "add"}}}
        with pytest.raises(FailedPrecondition, match="Workflow is paused"):
            await server.call("UpdateWorkflowExecution", **other)
        with pytest.raises(MultiOperationExecution) as refused:
            await server.call(
                "ExecuteMultiOperation",
                operations=[
                    {
                        "start_workflow": {
                            "namespace": "default",
                            "workflow_id": "order-42",
                            "workflow_type": {"name": "Order"},
                            "task_queue": {"name": "orders"},
                            "workflow_id_conflict_policy": e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
                        }
                    },
                    {"update_workflow": {"namespace": "default", **other}},
                ],
            )
        assert "Workflow is paused" in str(refused.value.details)
        assert not waiting.done()
        await unpause(server)
        task = await server.poll()
        assert [message.protocol_instance_id for message in task.messages] == ["u1"]
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_starts_meet_a_paused_workflow_as_an_open_one() -> None:
    async with driven() as server:
        run_id = await server.start()
        await pause(server)
        with pytest.raises(ServiceError, match="already running"):
            await server.start(request_id="another")
        answer = await server.call(
            "SignalWithStartWorkflowExecution",
            **ORDER,
            workflow_type={"name": "Order"},
            task_queue={"name": "orders"},
            signal_name="hello",
        )
        assert (answer.run_id, answer.started) == (run_id, False)
        policy = e.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
        second = await server.start(workflow_id_conflict_policy=policy, request_id="third")
        assert await status(server, run_id=run_id) == e.WORKFLOW_EXECUTION_STATUS_TERMINATED
        assert await status(server, run_id=second) == e.WORKFLOW_EXECUTION_STATUS_RUNNING


async def test_lists_and_counts_know_paused_workflows_as_open_ones() -> None:
    async with driven() as server:
        for name in ("order-41", "order-42", "order-43"):
            await server.start(name)
        await pause(server)
        await server.call("TerminateWorkflowExecution", workflow_execution={"workflow_id": "order-43"})
        assert await listed(server, "ExecutionStatus = 'Paused'") == ["order-42"]
        assert await listed(server, "ExecutionStatus = 'Running'") == ["order-41"]
        assert await listed(server, "TemporalPauseInfo = 'Workflow:order-42'") == ["order-42"]
        assert await listed(server, "TemporalPauseInfo = 'Reason:bad key'") == ["order-42"]
        counts = await server.call("CountWorkflowExecutions", query="GROUP BY ExecutionStatus")
        assert sorted(group.group_values[0].data for group in counts.groups) == [
            b'"Paused"', b'"Running"', b'"Terminated"',
        ]  # fmt: skip
        opened = await server.call("ListOpenWorkflowExecutions", maximum_page_size=10)
        assert len(opened.executions) == 2
        closed = await server.call("ListClosedWorkflowExecutions", maximum_page_size=10)
        assert [one.execution.workflow_id for one in closed.executions] == ["order-43"]
        await unpause(server)
        assert not await listed(server, "TemporalPauseInfo IS NOT NULL")


async def test_who_may_be_paused_and_what_is_refused() -> None:
    async with driven() as server:
        with pytest.raises(NotFound):
            await pause(server)
        first = await server.start()
        with pytest.raises(InvalidArgument, match="workflow_id"):
            await pause(server, workflow_id="")
        with pytest.raises(InvalidArgument, match="reason is longer"):
            await pause(server, reason="x" * 1001)
        with pytest.raises(FailedPrecondition, match="not paused"):
            await unpause(server)
        await pause(server, run_id=first, request_id="pause-1")
        await pause(server, request_id="pause-1")
        with pytest.raises(FailedPrecondition, match="already paused"):
            await pause(server, request_id="pause-2")
        await server.call("TerminateWorkflowExecution", workflow_execution=ORDER)
        for call in (pause, unpause):
            with pytest.raises(NotFound, match="already completed"):
                await call(server)
        description = await server.call("DescribeNamespace")
        assert description.namespace_info.capabilities.workflow_pause


async def test_a_reset_of_a_paused_workflow_starts_a_run_that_is_not() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(start_timer("1", 60))
        await pause(server)
        await server.signal("approve")
        answer = await server.call(
            "ResetWorkflowExecution", workflow_execution=ORDER, workflow_task_finish_event_id=4, request_id="reset-1"
        )
        assert await status(server, run_id=answer.run_id) == e.WORKFLOW_EXECUTION_STATUS_RUNNING
        names = await server.names()
        assert "WorkflowExecutionPaused" not in names and "WorkflowExecutionSignaled" in names
        await server.turn(complete_workflow())


async def test_a_reset_goes_back_before_a_pause_that_took_a_task_back() -> None:
    async with driven() as server:
        await server.start()
        await pause(server)
        answer = await server.call(
            "ResetWorkflowExecution", workflow_execution=ORDER, workflow_task_finish_event_id=3, request_id="reset-1"
        )
        assert await status(server, run_id=answer.run_id) == e.WORKFLOW_EXECUTION_STATUS_RUNNING
        await server.turn(complete_workflow())


async def test_a_paused_child_leaves_its_parent_alone_and_reports_at_its_end() -> None:
    async with driven() as server:
        await server.start()
        child = command(
            e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
            workflow_id="child",
            workflow_type={"name": "Child"},
            task_queue={"name": "children"},
        )
        await server.turn(child)
        await settle()
        await pause(server, workflow_id="child")
        assert await status(server) == e.WORKFLOW_EXECUTION_STATUS_RUNNING
        await server.turn()
        await pause(server)
        await server.call("TerminateWorkflowExecution", workflow_execution={"workflow_id": "child"})
        await settle()
        assert (await server.names())[-1] == "ChildWorkflowExecutionTerminated"
        assert await nothing_to_poll(server)
        await unpause(server)
        await server.turn(complete_workflow())


async def test_children_and_signals_that_a_paused_workflow_asked_for_go_out() -> None:
    async with driven() as server:
        await server.start()
        task = await server.poll()
        await pause(server)
        child = command(
            e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
            workflow_id="child",
            workflow_type={"name": "Child"},
            task_queue={"name": "children"},
        )
        await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[child])
        await settle()
        assert (await server.names())[-1] == "ChildWorkflowExecutionStarted"
        assert await nothing_to_poll(server)


@pytest.mark.parametrize("in_flight", [False, True], ids=["at rest", "with a task in flight"])
async def test_a_restarted_server_keeps_it_paused(tmp_path: Path, in_flight: bool) -> None:
    clock = HandClock()
    async with driven(SqliteStorage.open(tmp_path / "paused.db"), clock) as server:
        await server.start()
        await server.turn(schedule_activity("1"))
        if in_flight:
            await server.signal()
            await server.poll()
        await pause(server)
    async with driven(SqliteStorage.open(tmp_path / "paused.db"), clock) as server:
        assert await status(server) == e.WORKFLOW_EXECUTION_STATUS_PAUSED
        assert (await server.describe()).workflow_extended_info.pause_info.reason == "bad key"
        assert await nothing_to_poll(server) and await nothing_to_poll(server, "Activity")
        await unpause(server)
        assert (await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})).activity_id == "1"
        await server.turn(complete_workflow())
