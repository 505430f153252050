"""ResetWorkflowExecution (rules 3.7.1 to 3.7.4), request by request against a node."""

from __future__ import annotations

from typing import Any

import pytest
from brain import command, complete_workflow, payloads, schedule_activity, seconds, start_timer
from hand_driven import SECOND, Driven, driven

from outlast.api.enums import v1 as e
from outlast.engine.execution import snapshot
from outlast.vocab.attributes import event_attributes
from outlast.vocab.errors import InvalidArgument


async def reset(server: Driven, point: int, run_id: str = "", request_id: str = "reset-1", **fields: Any) -> str:
    answer = await server.call(
        "ResetWorkflowExecution",
        workflow_execution={"workflow_id": "order-42", "run_id": run_id},
        workflow_task_finish_event_id=point,
        request_id=request_id,
        reason="wrong price",
        **fields,
    )
    return str(answer.run_id)


async def rebuilt_as_live(server: Driven, run_id: str) -> None:
    run = await server.node.runs.find(server.node.namespaces.id_of("default"), "order-42", run_id)
    rebuilt = snapshot.rebuild(*run.key, await server.events(run_id))
    assert snapshot.historic(rebuilt) == snapshot.historic(run.state)


async def test_a_reset_run_shares_the_beginning_and_parts_at_the_point() -> None:
    async with driven() as server:
        base = await server.start(workflow_run_timeout=seconds(600), input=payloads(b"7"))
        await server.turn(schedule_activity(), start_timer(after=900))
        await server.pass_time(5)
        await server.signal("one")
        await server.turn()
        await server.signal("two")
        await server.pass_time(5)
        before = await server.events(base)
        new = await reset(server, 4)
        assert new != base and (await server.describe()).workflow_execution_info.execution.run_id == new
        ended = (await server.events(base))[-1].workflow_execution_terminated_event_attributes
        assert ended.reason == "wrong price"
        after = await server.events(new)
        assert after[:3] == before[:3]
        assert (await server.names(new))[3:] == [
            "WorkflowTaskFailed",
            "WorkflowExecutionSignaled",
            "WorkflowExecutionSignaled",
            "WorkflowTaskScheduled",
        ]
        failed = after[3].workflow_task_failed_event_attributes
        assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
        assert (failed.base_run_id, failed.new_run_id) == (base, new)
        assert (failed.scheduled_event_id, failed.started_event_id) == (2, 3)
        assert failed.failure.HasField("reset_workflow_failure_info")
        assert [event.workflow_execution_signaled_event_attributes.signal_name for event in after[4:6]] == [
            "one",
            "two",
        ]
        started = after[0].workflow_execution_started_event_attributes
        assert started.original_execution_run_id == started.first_execution_run_id == base
        description = await server.describe(new)
        expires = description.workflow_extended_info.run_expiration_time.seconds
        assert expires == server.clock.now() // SECOND + 600
        assert (await server.describe(base)).workflow_extended_info.reset_run_id == new
        await rebuilt_as_live(server, new)
        task = await server.turn(complete_workflow())
        assert task.attempt == 1 and len(task.history.events) == 8


async def test_activities_in_flight_are_offered_again_and_timers_keep_their_hour() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(
            schedule_activity("slow", start_to_close_timeout=seconds(3600), schedule_to_start_timeout=seconds(60)),
            start_timer(after=100),
        )
        first = await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})
        assert first.activity_id == "slow"
        await server.signal()
        await server.turn()
        await server.pass_time(70)
        point = (await server.names()).index("WorkflowTaskCompleted", 5) + 1
        new = await reset(server, point)
        again = await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})
        assert again.workflow_execution.run_id == new and again.attempt == 1
        assert again.scheduled_time.seconds == server.clock.now() // SECOND
        await rebuilt_as_live(server, new)
        await server.turn()
        await server.pass_time(30)
        assert "TimerFired" in await server.names(new)


@pytest.mark.parametrize(
    ("fields", "heard"),
    [
        ({}, 1),
        ({"reset_reapply_exclude_types": [e.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL]}, 0),
        ({"reset_reapply_exclude_types": [e.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE]}, 1),
        ({"reset_reapply_type": e.RESET_REAPPLY_TYPE_NONE}, 0),
        ({"reset_reapply_type": e.RESET_REAPPLY_TYPE_SIGNAL}, 1),
        ({"post_reset_operations": [{"signal_workflow": {"signal_name": "more"}}]}, 2),
    ],
)
async def test_signals_are_heard_again_unless_excluded_and_cancel_requests_never(
    fields: dict[str, Any], heard: int
) -> None:
    async with driven() as server:
        await server.start()
        await server.turn(start_timer())
        await server.signal()
        await server.call("RequestCancelWorkflowExecution", workflow_execution={"workflow_id": "order-42"})
        new = await reset(server, 4, **fields)
        names = await server.names(new)
        assert names.count("WorkflowExecutionSignaled") == heard
        assert "WorkflowExecutionCancelRequested" not in names


async def test_what_waits_in_the_buffer_is_heard_again() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(start_timer())
        await server.signal("one")
        await server.poll()
        await server.signal("two")
        new = await reset(server, 4)
        assert (await server.names(new)).count("WorkflowExecutionSignaled") == 2


async def test_a_chain_of_continued_runs_is_heard_to_its_end() -> None:
    async with driven() as server:
        base = await server.start()
        await server.pass_time(5)
        await server.turn(start_timer())
        await server.signal("in the base")
        await server.turn(command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION))
        await server.pass_time(5)
        await server.turn(start_timer())
        await server.signal("in the next")
        current = (await server.describe()).workflow_execution_info.execution.run_id
        new = await reset(server, 4, run_id=base)
        signals = [
            event_attributes(event).signal_name  # type: ignore[attr-defined]
            for event in await server.events(new)
            if event.event_type == e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        ]
        assert signals == ["in the base", "in the next"]
        assert (await server.names(current))[-1] == "WorkflowExecutionTerminated"


async def test_a_closed_run_can_be_reset_and_the_same_request_resets_once() -> None:
    async with driven() as server:
        base = await server.start()
        await server.turn(complete_workflow())
        new = await reset(server, 4)
        assert await reset(server, 4) == new
        assert (await server.names(base))[-1] == "WorkflowExecutionCompleted"
        await server.turn(complete_workflow(b"2"))
        assert (await server.names(new))[-1] == "WorkflowExecutionCompleted"
        assert await reset(server, 4, request_id="reset-2") not in (base, new)


async def test_a_task_that_is_open_in_the_base_is_a_point_as_well() -> None:
    async with driven() as server:
        await server.start()
        new = await reset(server, 3)
        assert (await server.names(new))[2:] == ["WorkflowTaskStarted", "WorkflowTaskFailed", "WorkflowTaskScheduled"]
        await rebuilt_as_live(server, new)
        await server.poll()
        last = await reset(server, 7, request_id="reset-2")
        assert (await server.names(last))[4:] == [
            "WorkflowTaskScheduled",
            "WorkflowTaskStarted",
            "WorkflowTaskFailed",
            "WorkflowTaskScheduled",
        ]


@pytest.mark.parametrize("point", [0, 1, 2, 6, 50])
async def test_a_point_without_a_workflow_task_is_refused(point: int) -> None:
    async with driven() as server:
        await server.start()
        await server.turn(start_timer())
        with pytest.raises(InvalidArgument, match="WorkflowTaskCompleted"):
            await reset(server, point)
        assert (await server.names())[-1] == "TimerStarted"


async def test_a_waiting_child_answers_to_the_new_run() -> None:
    async with driven() as server:
        base = await server.start()
        await server.turn(
            command(
                e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
                workflow_id="child-1",
                workflow_type={"name": "Pack"},
                task_queue={"name": "packing"},
            )
        )
        await server.pass_time(1)
        assert (await server.names())[-2:] == ["ChildWorkflowExecutionStarted", "WorkflowTaskScheduled"]
        await server.turn()
        point = len(await server.names())
        await server.signal()
        new = await reset(server, point)
        await server.pass_time(1)
        child = await server.call("PollWorkflowTaskQueue", task_queue={"name": "packing"})
        await server.call(
            "RespondWorkflowTaskCompleted", task_token=child.task_token, commands=[complete_workflow(b"3")]
        )
        await server.pass_time(1)
        assert "ChildWorkflowExecutionCompleted" in await server.names(new)
        assert "ChildWorkflowExecutionCompleted" not in await server.names(base)
        await rebuilt_as_live(server, new)
