"""Eager workflow start: the first task comes with the answer to the start, to a worker of the same client."""

from __future__ import annotations

from datetime import timedelta

from stage import Stage

from outlast import workflow


@workflow.defn
class Quick:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"hello {name}"


async def test_the_first_task_comes_with_the_start(stage: Stage) -> None:
    async with stage.worker(Quick):
        handle = await stage.start(Quick.run, "bob", request_eager_start=True)
        assert getattr(handle, "__temporal_eagerly_started")
        assert await handle.result() == "hello bob"
    events = await stage.events(handle)
    assert events[0].workflow_execution_started_event_attributes.eager_execution_accepted
    assert await stage.names(handle) == [
        "WorkflowExecutionStarted",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
        "WorkflowExecutionCompleted",
    ]


async def test_not_with_a_delay(stage: Stage) -> None:
    async with stage.worker(Quick):
        handle = await stage.start(Quick.run, "bob", request_eager_start=True, start_delay=timedelta(milliseconds=1))
        assert not getattr(handle, "__temporal_eagerly_started")
        assert await handle.result() == "hello bob"
    events = await stage.events(handle)
    assert not events[0].workflow_execution_started_event_attributes.eager_execution_accepted


async def test_without_a_worker_it_is_a_usual_start(stage: Stage) -> None:
    handle = await stage.start(Quick.run, "bob", request_eager_start=True)
    assert not getattr(handle, "__temporal_eagerly_started")
    async with stage.worker(Quick):
        assert await handle.result() == "hello bob"
