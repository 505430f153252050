"""Updates over time, restarts and lost workers, with a clock that only the test moves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from brain import payloads, start_timer
from hand_driven import SECOND, Driven, HandClock, driven, settle
from update_messages import accept, answer, places, respond

from outlast.api.enums import v1 as e
from outlast.api.protocol.v1 import Message
from outlast.api.update.v1 import Rejection
from outlast.api.workflowservice.v1 import UpdateWorkflowExecutionRequest
from outlast.server.context import CallContext
from outlast.server.handlers import WORKFLOW_SERVICE
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.errors import DeadlineExceeded, InvalidArgument, MultiOperationExecution, NotFound, Unavailable

ADMITTED, ACCEPTED, COMPLETED = 1, 2, 3


def update(server: Driven, update_id: str = "u", stage: int = ACCEPTED, **fields: Any) -> asyncio.Task[Any]:
    """Send an update; the task answers the response."""
    return asyncio.create_task(
        server.call(
            "UpdateWorkflowExecution",
            workflow_execution={"workflow_id": "order-42"},
            request={"meta": {"update_id": update_id}, "input": {"name": "add"}},
            wait_policy={"lifecycle_stage": stage},
            **fields,
        )
    )


def look(server: Driven, update_id: str = "u", stage: int = 0) -> asyncio.Task[Any]:
    """Poll an update."""
    reference = {"workflow_execution": {"workflow_id": "order-42"}, "update_id": update_id}
    return asyncio.create_task(
        server.call("PollWorkflowExecutionUpdate", update_ref=reference, wait_policy={"lifecycle_stage": stage})
    )


async def test_after_twenty_seconds_the_stage_reached_is_the_answer() -> None:
    async with driven() as server:
        await server.start()
        sent = update(server)
        await server.pass_time(19.9)
        assert not sent.done()
        await server.pass_time(0.1)
        response = await sent
        assert response.stage == ADMITTED and not response.HasField("outcome")
        assert response.update_ref.update_id == "u"
        again = update(server, stage=COMPLETED)
        task = await server.poll()
        assert len(task.messages) == 1
        await answer(server, task, *accept(task))
        await server.pass_time(20)
        assert (await again).stage == ACCEPTED
        assert (await look(server)).stage == ACCEPTED
        waits = look(server, stage=COMPLETED)
        await server.signal()
        await answer(server, await server.poll(), respond())
        assert (await waits).stage == COMPLETED and (await waits).HasField("outcome")


async def test_a_caller_with_a_nearer_deadline_gets_no_answer() -> None:
    async with driven() as server:
        await server.start()
        request = UpdateWorkflowExecutionRequest(
            namespace="default",
            workflow_execution={"workflow_id": "order-42"},
            request={"input": {"name": "add"}},
        )
        context = CallContext("grpc", server.clock.now() + 5 * SECOND)
        call = server.node.call(WORKFLOW_SERVICE, "UpdateWorkflowExecution", request, context)
        sent = asyncio.create_task(call)
        await server.pass_time(5)
        with pytest.raises(DeadlineExceeded):
            await sent


async def test_an_unknown_update_is_not_found() -> None:
    async with driven() as server:
        await server.start()
        with pytest.raises(NotFound, match="is not known"):
            await look(server)


async def test_a_speculative_task_that_nobody_takes_becomes_a_normal_one() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        sent = update(server)
        await settle()
        assert len(await server.names()) == 4
        await server.pass_time(5)
        assert (await server.names())[4:] == ["WorkflowTaskScheduled", "WorkflowTaskTimedOut", "WorkflowTaskScheduled"]
        task = await server.poll()
        await answer(server, task, *accept(task))
        assert (await sent).stage == ACCEPTED


async def test_a_worker_that_died_does_not_lose_the_update() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        sent = update(server)
        await settle()
        lost = await server.poll()
        await server.pass_time(10)
        task = await server.poll()
        assert (task.attempt, [one.event_id for one in task.messages]) == (2, [8])
        with pytest.raises(NotFound):
            await answer(server, lost, *accept(lost))
        await answer(server, task, *accept(task))
        assert (await sent).stage == ACCEPTED


async def test_what_waits_is_lost_with_the_server_and_what_is_accepted_is_not(tmp_path: Path) -> None:
    clock = HandClock()
    async with driven(SqliteStorage.open(tmp_path / "db"), clock) as server:
        await server.start()
        await server.turn()
        accepted = update(server, "accepted")
        await settle()
        task = await server.poll()
        await answer(server, task, *accept(task))
        assert (await accepted).stage == ACCEPTED
        waiting = update(server, "waiting")
        await settle()
        history = await server.names()
    with pytest.raises(Unavailable, match="send the update again"):
        await waiting
    async with driven(SqliteStorage.open(tmp_path / "db"), clock) as server:
        assert await server.names() == history
        with pytest.raises(NotFound):
            await look(server, "waiting")
        assert (await look(server, "accepted")).stage == ACCEPTED
        again = update(server, "waiting")
        attached = update(server, "accepted", COMPLETED)
        await settle()
        task = await server.poll()
        assert [one.protocol_instance_id for one in task.messages] == ["waiting"]
        await answer(server, task, *accept(task), respond("accepted"))
        assert (await again).stage == ACCEPTED
        assert (await attached).stage == COMPLETED


async def test_a_follower_of_the_history_misses_nothing_when_a_task_is_dropped() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        sent = update(server)
        await settle()
        await server.poll()
        page = await server.call(
            "GetWorkflowExecutionHistory", execution={"workflow_id": "order-42"}, wait_new_event=True
        )
        assert page.history.events[-1].event_id == 4
        sent.cancel()


async def test_updates_and_commands_of_one_completion_keep_their_order() -> None:
    async with driven() as server:
        await server.start()
        sent = [update(server, "a"), update(server, "b")]
        await settle()
        task = await server.poll()
        first, second = accept(task)
        await server.call(
            "RespondWorkflowTaskCompleted",
            task_token=task.task_token,
            commands=[*places(second), start_timer(), *places(first)],
            messages=[first, second],
        )
        assert [(await one).stage for one in sent] == [ACCEPTED, ACCEPTED]
        recorded = (await server.events())[4:]
        assert [
            event.workflow_execution_update_accepted_event_attributes.protocol_instance_id for event in recorded
        ] == [
            "b",
            "",
            "a",
        ]


def reject(task: Any) -> Message:
    (request,) = task.messages
    message = Message(id=f"{request.id}/reject", protocol_instance_id=request.protocol_instance_id)
    message.body.Pack(Rejection(failure={"message": "no"}))
    return message


@pytest.mark.parametrize("first", ["query", "poll"])
async def test_a_query_is_answered_although_its_task_is_dropped(first: str) -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        sent = update(server)
        await settle()
        task = await server.poll() if first == "poll" else None
        asked = asyncio.create_task(
            server.call("QueryWorkflow", execution={"workflow_id": "order-42"}, query={"query_type": "state"})
        )
        await settle()
        task = task or await server.poll()
        assert len(task.queries) == (1 if first == "query" else 0)
        reply = await server.call(
            "RespondWorkflowTaskCompleted",
            task_token=task.task_token,
            messages=[reject(task)],
            query_results={query_id: {"result_type": 1, "answer": payloads(b"1")} for query_id in task.queries},
        )
        assert reply.reset_history_event_id == 3
        assert (await sent).outcome.failure.message == "no"
        if first == "poll":
            alone = await server.poll()
            assert alone.HasField("query") and not alone.messages
            await server.call(
                "RespondQueryTaskCompleted",
                task_token=alone.task_token,
                completed_type=1,
                query_result=payloads(b"1"),
            )
        assert (await asked).query_result == payloads(b"1")


# -- update-with-start ---------------------------------------------------------------------------------------------

START: dict[str, Any] = {
    "workflow_id": "order-42",
    "workflow_type": {"name": "Order"},
    "task_queue": {"name": "orders"},
    "workflow_id_conflict_policy": e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
}
UPDATE: dict[str, Any] = {
    "workflow_execution": {"workflow_id": "order-42"},
    "request": {"meta": {"update_id": "u"}, "input": {"name": "add"}},
}


async def both(server: Driven, start: dict[str, Any] | None = None, update: dict[str, Any] | None = None) -> Any:
    operations = [{"start_workflow": {**START, **(start or {})}}, {"update_workflow": {**UPDATE, **(update or {})}}]
    return await server.call("ExecuteMultiOperation", operations=operations)


async def test_the_operations_have_to_be_a_start_and_an_update() -> None:
    async with driven() as server:
        for operations in ([], [{"start_workflow": START}], [{"update_workflow": UPDATE}, {"start_workflow": START}]):
            with pytest.raises(InvalidArgument, match="exactly one start_workflow"):
                await server.call("ExecuteMultiOperation", operations=operations)


@pytest.mark.parametrize(
    ("start", "update", "at_fault"),
    [
        ({"cron_schedule": "@daily"}, {}, 0),
        ({"request_eager_execution": True}, {}, 0),
        ({"workflow_start_delay": {"seconds": 1}}, {}, 0),
        ({"task_queue": {}}, {}, 0),
        ({}, {"workflow_execution": {"workflow_id": "another"}}, 1),
        ({}, {"first_execution_run_id": "11111111-1111-4111-8111-111111111111"}, 1),
        ({}, {"request": {"input": {}}}, 1),
    ],
)
async def test_what_cannot_go_together(start: dict[str, Any], update: dict[str, Any], at_fault: int) -> None:
    async with driven() as server:
        with pytest.raises(MultiOperationExecution) as refused:
            await both(server, start, update)
        assert refused.value.code == InvalidArgument.code
        errors = refused.value.errors
        assert isinstance(errors[at_fault], InvalidArgument)
        other = errors[1 - at_fault]
        assert other is not None and other.message == "Operation was aborted."
        with pytest.raises(NotFound):
            await server.describe()


async def test_an_update_that_is_lost_after_the_start_says_so() -> None:
    async with driven() as server:
        sent = asyncio.create_task(both(server))
        await settle()
        await server.call("TerminateWorkflowExecution", workflow_execution={"workflow_id": "order-42"})
        with pytest.raises(MultiOperationExecution) as refused:
            await sent
        start, update = refused.value.errors
        assert start is None and isinstance(update, NotFound)


async def test_a_full_run_refuses_the_update_and_the_start_is_aborted() -> None:
    async with driven() as server:
        await server.start()
        sent = [update(server, f"u{number}") for number in range(10)]
        await settle()
        with pytest.raises(MultiOperationExecution, match="could not be executed") as refused:
            await both(server)
        start, failed = refused.value.errors
        assert start is not None and start.message == "Operation was aborted."
        assert failed is not None and "10 updates in flight" in failed.message
        for one in sent:
            one.cancel()
