"""QueryWorkflow where no answer can come: before the first task, while tasks fail, without a worker (rule 3.8.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from brain import payloads
from hand_driven import Driven, driven, settle

from outlast.vocab.errors import DeadlineExceeded, FailedPrecondition, Unavailable, WorkflowNotReady


def ask(server: Driven, workflow_id: str = "order-42") -> asyncio.Task[Any]:
    execution = {"workflow_id": workflow_id}
    return asyncio.create_task(
        server.call("QueryWorkflow", execution=execution, query={"query_type": "stage"}), name=f"query of {workflow_id}"
    )


async def fail(server: Driven, times: int) -> None:
    for _ in range(times):
        task = await server.poll()
        await server.call("RespondWorkflowTaskFailed", task_token=task.task_token, failure={"message": "bug"})


async def ended(query: asyncio.Task[Any]) -> BaseException | None:
    await settle()
    assert query.done(), "the query still waits"
    return query.exception()


async def test_a_run_whose_first_task_keeps_failing_is_not_waited_for() -> None:
    async with driven() as server:
        await server.start()
        await server.start("order-43")
        early = ask(server)
        await settle()
        for number in range(14):
            task = await server.poll()
            await server.call("RespondWorkflowTaskFailed", task_token=task.task_token, failure={"message": f"{number}"})
        assert isinstance(await ended(early), FailedPrecondition)
        for workflow_id in ("order-42", "order-43"):
            attempt = (await server.describe(workflow_id=workflow_id)).pending_workflow_task.attempt
            late = ask(server, workflow_id)
            if attempt >= 3:
                assert isinstance(await ended(late), FailedPrecondition)
            else:
                await settle()
                assert not late.done()
                await server.pass_time(20)
                assert isinstance(await ended(late), WorkflowNotReady)


@pytest.mark.parametrize("failures", [2, 14])
async def test_a_query_that_waits_is_refused_when_the_third_attempt_comes(failures: int) -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        await server.signal()
        waits = ask(server)
        await settle()
        await fail(server, 1)
        await settle()
        assert not waits.done()
        await fail(server, failures - 1)
        error = await ended(waits)
        assert isinstance(error, FailedPrecondition) and "failed" in error.message
        assert isinstance(await ended(ask(server)), FailedPrecondition)


async def test_a_query_is_answered_again_once_the_workflow_task_succeeds() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        await server.signal()
        await fail(server, 3)
        await server.turn()
        query = ask(server)
        await settle()
        task = await server.poll()
        assert task.query.query_type == "stage"
        await server.call(
            "RespondQueryTaskCompleted", task_token=task.task_token, completed_type=1, query_result=payloads(b"7")
        )
        assert (await query).query_result == payloads(b"7")


async def test_a_run_that_was_closed_before_its_code_ran_has_nothing_to_ask() -> None:
    async with driven() as server:
        await server.start()
        early = ask(server)
        await settle()
        await server.call("TerminateWorkflowExecution", workflow_execution={"workflow_id": "order-42"})
        assert isinstance(await ended(early), WorkflowNotReady)
        assert isinstance(await ended(ask(server)), WorkflowNotReady)


async def test_without_a_worker_for_20_seconds_a_query_fails() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        await server.pass_time(60)
        query = ask(server)
        await server.pass_time(19)
        assert not query.done()
        await server.pass_time(1)
        error = await ended(query)
        assert isinstance(error, FailedPrecondition) and "'orders'" in error.message


async def test_a_worker_that_keeps_silent_is_told_from_none() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        query = ask(server)
        await settle()
        assert (await server.poll()).query.query_type == "stage"
        await server.pass_time(20)
        assert isinstance(await ended(query), DeadlineExceeded)


async def test_the_query_of_a_run_that_is_deleted_ends() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        query = ask(server)
        await settle()
        await server.call("DeleteWorkflowExecution", workflow_execution={"workflow_id": "order-42"})
        assert isinstance(await ended(query), Unavailable)


async def test_the_query_of_a_node_that_is_shut_down_ends() -> None:
    async with driven() as server:
        await server.start()
        await server.turn()
        query = ask(server)
        await settle()
    assert isinstance(await ended(query), Unavailable)
