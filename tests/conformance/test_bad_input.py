"""Bad input: what is refused, when, and in which words. Sentence by sentence what the product promises."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from stage import SECOND, Stage

from outlast import activity, workflow
from outlast.api.enums import v1 as e
from outlast.client import WorkflowFailureError, WorkflowQueryFailedError, WorkflowUpdateFailedError
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ServerError, TerminatedError, WorkflowAlreadyStartedError
from outlast.service import RPCError, RPCStatusCode

TOO_MUCH = "x" * (2 * 1024 * 1024)


@activity.defn
async def measure(text: str) -> int:
    return len(text)


@activity.defn
async def make(size: int) -> str:
    return "x" * size


@workflow.defn
class Patient:
    """Waits, and can be asked."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @workflow.signal
    def note(self, text: str) -> None:
        self.notes.append(text)

    @workflow.query
    def echo(self, text: str) -> str:
        return text

    @workflow.run
    async def run(self, order_id: str, amount: float) -> list[str]:
        await workflow.wait_condition(lambda: bool(self.notes))
        return self.notes


@workflow.defn
class Making:
    """Gets a text of a length from an activity."""

    @workflow.run
    async def run(self, size: int) -> int:
        limit = timedelta(seconds=10)
        once = RetryPolicy(maximum_attempts=1)
        return len(await workflow.execute_activity(make, size, start_to_close_timeout=limit, retry_policy=once))


@workflow.defn
class Passing:
    """Passes something to an activity that cannot travel, until it is corrected."""

    value: Any = "small"

    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(measure, Passing.value, start_to_close_timeout=timedelta(seconds=10))


async def test_the_second_start_of_a_running_id(stage: Stage) -> None:
    workflow_id = stage.id()
    first = await stage.start(Patient.run, "order", 1.0, id=workflow_id)
    with pytest.raises(WorkflowAlreadyStartedError) as refused:
        await stage.start(Patient.run, "order", 1.0, id=workflow_id)
    assert refused.value.workflow_id == workflow_id
    assert refused.value.workflow_type == "Patient"
    assert refused.value.run_id == first.first_execution_run_id


async def test_an_argument_that_does_not_serialise(stage: Stage) -> None:
    workflow_id = stage.id()
    with pytest.raises(TypeError) as refused:
        await stage.start(Patient.run, "order", object(), id=workflow_id)
    if stage.ours:
        assert "argument 1 (amount) of type object of workflow 'Patient'" in str(refused.value)
    with pytest.raises(RPCError, match=workflow_id):
        await stage.client.get_workflow_handle(workflow_id).describe()

    handle = await stage.start(Patient.run, "order", 1.0)
    calls = (
        lambda: handle.signal(Patient.note, object()),
        lambda: handle.query(Patient.echo, object()),
        lambda: handle.execute_update("change", object()),
    )
    for call in calls:
        with pytest.raises(TypeError) as refused:
            await call()
        if stage.ours:
            assert "argument 0" in str(refused.value)
            assert "of type object" in str(refused.value)
    assert "WorkflowExecutionSignaled" not in await stage.names(handle)


@pytest.mark.ways("embedded", "grpc", reason="Temporal's SDK leaves the size to the server")
async def test_a_payload_above_the_limit_at_the_call(stage: Stage) -> None:
    workflow_id = stage.id()
    with pytest.raises(ValueError, match=r"argument 0 \(order_id\) .* takes 2,097,154 bytes"):
        await stage.start(Patient.run, TOO_MUCH, 1.0, id=workflow_id)
    with pytest.raises(RPCError, match=workflow_id):
        await stage.client.get_workflow_handle(workflow_id).describe()
    handle = await stage.start(Patient.run, "order", 1.0)
    for call in (lambda: handle.signal(Patient.note, TOO_MUCH), lambda: handle.query(Patient.echo, TOO_MUCH)):
        with pytest.raises(ValueError, match=r"argument 0 \(text\) .* takes 2,097,154 bytes"):
            await call()
    assert "WorkflowExecutionSignaled" not in await stage.names(handle)


@pytest.mark.ways("temporalio", reason="our SDK refuses before it sends")
async def test_a_payload_above_the_limit_at_the_server(stage: Stage) -> None:
    handle = await stage.start(Patient.run, "order", 1.0)
    calls = (
        lambda: stage.start(Patient.run, TOO_MUCH, 1.0),
        lambda: handle.signal(Patient.note, TOO_MUCH),
    )
    for call in calls:
        with pytest.raises(RPCError) as refused:
            await call()
        assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT
        assert stage.says("input.payloads takes 2,097,", "size exceeds limit") in refused.value.message
    too_large = stage.says(r"query\.query_args\.payloads takes 2,097,", "size exceeds limit")
    with pytest.raises(WorkflowQueryFailedError, match=too_large):
        await handle.query(Patient.echo, TOO_MUCH)
    assert "WorkflowExecutionSignaled" not in await stage.names(handle)


@pytest.mark.parametrize("by_server", [False, True])
async def test_an_activity_result_above_the_limit_fails_the_activity(stage: Stage, by_server: bool) -> None:
    async with stage.worker(Making, activities=[make], disable_payload_error_limit=by_server):
        assert await stage.execute(Making.run, 2_000_000) == 2_000_000
        with pytest.raises(WorkflowFailureError) as failed:
            await stage.execute(Making.run, 2_100_000)
    assert isinstance(failed.value.cause, ActivityError)
    if by_server:
        assert isinstance(failed.value.cause.cause, ServerError)
        assert "Complete result exceeds size limit" in str(failed.value.cause.cause)
    else:
        assert not isinstance(failed.value.cause.cause, ServerError)


@pytest.mark.parametrize("value", ["too much", "object"])
async def test_what_cannot_travel_to_an_activity_fails_the_task_until_it_is_corrected(stage: Stage, value: str) -> None:
    Passing.value = object() if value == "object" else TOO_MUCH
    async with stage.worker(Passing, activities=[measure], max_cached_workflows=0):
        handle = await stage.start(Passing.run, task_timeout=SECOND)
        await stage.until_event(handle, "WorkflowTaskFailed")
        Passing.value = "small"
        assert await handle.result() == 5
    (failed,) = await stage.attributes(handle, "WorkflowTaskFailed")
    if value != "object":
        assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE
    elif stage.ours:
        assert "argument 0 of type object of activity 'measure'" in failed.failure.message


async def test_what_reaches_the_server_above_the_limit_ends_the_workflow(stage: Stage) -> None:
    Passing.value = TOO_MUCH
    async with stage.worker(Passing, activities=[measure], disable_payload_error_limit=True):
        with pytest.raises(WorkflowFailureError) as failed:
            await stage.execute(Passing.run)
    assert isinstance(failed.value.cause, TerminatedError)
    words = stage.says(
        "BadScheduleActivityAttributes: ScheduleActivityTask: input takes 2,097,",
        "BadScheduleActivityAttributes: ScheduleActivityTaskCommandAttributes.Input exceeds size limit",
    )
    assert words in str(failed.value.cause)


async def test_an_unknown_workflow_is_named(stage: Stage) -> None:
    nobody = stage.id()
    handle = stage.client.get_workflow_handle(nobody)
    calls = (
        handle.describe,
        handle.fetch_history,
        handle.cancel,
        handle.terminate,
        handle.result,
        lambda: handle.signal("note", "x"),
        lambda: handle.query("echo", "x"),
    )
    for call in calls:
        with pytest.raises(RPCError) as missing:
            await call()
        assert missing.value.status == RPCStatusCode.NOT_FOUND
        assert stage.says(repr(nobody), nobody) in missing.value.message


async def test_an_unknown_run_is_named(stage: Stage) -> None:
    handle = await stage.start(Patient.run, "order", 1.0)
    run_id = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(RPCError, match=run_id) as missing:
        await stage.client.get_workflow_handle(handle.id, run_id=run_id).describe()
    assert missing.value.status == RPCStatusCode.NOT_FOUND


async def test_an_unknown_namespace_is_named(stage: Stage) -> None:
    elsewhere = stage.with_options(namespace="nowhere")
    handle = elsewhere.get_workflow_handle("x")
    calls = (
        lambda: elsewhere.start_workflow(Patient.run, args=["order", 1.0], id=stage.id(), task_queue=stage.queue),
        handle.describe,
        lambda: handle.signal("note", "x"),
    )
    for call in calls:
        with pytest.raises(RPCError, match=stage.says("'nowhere'", "nowhere")) as missing:
            await call()
        assert missing.value.status == RPCStatusCode.NOT_FOUND


@workflow.defn
class Buggy:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("a bug, not a failure")


@pytest.mark.parametrize("name", ["Buggy", "Nobody"])
async def test_a_task_that_fails_tells_why_in_describe_and_in_the_log(
    stage: Stage, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage.worker(Buggy, max_cached_workflows=0):
        handle = await stage.start(name, task_timeout=SECOND)
        await stage.until_event(handle, "WorkflowTaskFailed")
        (failed,) = await stage.attributes(handle, "WorkflowTaskFailed")
        assert ("a bug, not a failure" if name == "Buggy" else "Nobody") in failed.failure.message
        if stage.ours:
            why = await (await handle.describe()).workflow_task_failure()
            logged = [record for record in caplog.records if handle.id in record.getMessage()]
            assert logged
            assert {record.levelno for record in logged} == {logging.WARNING}
            if name == "Buggy":
                assert "raise KeyError" in why.failure.stack_trace
                assert "raise KeyError" in caplog.text
            else:
                assert "Workflow class Nobody is not registered" in str(why)
                assert "Workflow class Nobody is not registered" in caplog.text
        await handle.terminate()


@pytest.mark.ways("embedded", "grpc", reason="the words of our worker")
async def test_questions_that_the_workflow_does_not_know(stage: Stage) -> None:
    async with stage.worker(Patient):
        handle = await stage.start(Patient.run, "order", 1.0)
        with pytest.raises(WorkflowQueryFailedError, match="status"):
            await handle.query("status")
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update("change", 1)
        assert "change" in str(refused.value.cause)
        await handle.signal(Patient.note, "done")
        async with asyncio.timeout(10):
            assert await handle.result() == ["done"]
