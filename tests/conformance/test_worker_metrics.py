"""What operators measure of a worker: the same names, kinds and labels from either SDK."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from stage import EMBEDDED, Stage

from outlast import activity, workflow
from outlast.client import WorkflowFailureError
from outlast.common import RetryPolicy

SHORT = timedelta(seconds=10)


@activity.defn
async def act(how: str) -> None:
    if how == "fail":
        raise ValueError("as it should")


@workflow.defn
class Measured:
    failed_once = False

    @workflow.run
    async def run(self, how: str) -> None:
        if how == "task" and not Measured.failed_once:
            Measured.failed_once = True
            raise ValueError("once")
        once = RetryPolicy(maximum_attempts=1)
        await workflow.execute_activity(act, how, start_to_close_timeout=SHORT, retry_policy=once)
        if how == "again":
            workflow.continue_as_new("done")
        if how == "cancel":
            await asyncio.sleep(3600)


QUEUE = {"namespace", "task_queue", "service_name"}
OF_WORKFLOW = QUEUE | {"workflow_type"}
OF_ACTIVITY = OF_WORKFLOW | {"activity_type"}
# Name without its prefix -> kind (0 counts, 1 is, 2 takes), labels.
METRICS: dict[str, tuple[int, set[str]]] = {
    "workflow_completed": (0, OF_WORKFLOW),
    "workflow_failed": (0, OF_WORKFLOW),
    "workflow_canceled": (0, OF_WORKFLOW),
    "workflow_continue_as_new": (0, OF_WORKFLOW),
    "workflow_endtoend_latency": (2, OF_WORKFLOW),
    "workflow_task_execution_latency": (2, OF_WORKFLOW),
    "workflow_task_execution_failed": (0, OF_WORKFLOW | {"failure_reason"}),
    "workflow_task_schedule_to_start_latency": (2, QUEUE),
    "num_pollers": (1, QUEUE | {"poller_type"}),
    "sticky_cache_hit": (0, OF_WORKFLOW),
    "sticky_cache_size": (1, QUEUE),
    "activity_schedule_to_start_latency": (2, QUEUE),
    "activity_execution_latency": (2, OF_ACTIVITY),
    "activity_execution_failed": (0, OF_ACTIVITY | {"failure_reason"}),
    "activity_succeed_endtoend_latency": (2, OF_ACTIVITY),
    "worker_task_slots_used": (1, QUEUE | {"worker_type"}),
    "worker_task_slots_available": (1, QUEUE | {"worker_type"}),
}


async def test_what_a_worker_measures(stage: Stage) -> None:
    runtime = stage.sdk("runtime")
    buffer = runtime.MetricBuffer(10_000)
    target = "sqlite://:memory:" if stage.way == EMBEDDED else stage.client.service_client.config.target_host
    client = await stage.sdk("client").Client.connect(
        target, runtime=runtime.Runtime(telemetry=runtime.TelemetryConfig(metrics=buffer))
    )
    Measured.failed_once = False
    options: dict[str, Any] = {"task_queue": stage.queue}
    async with stage.worker(Measured, activities=[act], client=client):
        for how in ("done", "again", "task"):
            await client.execute_workflow(Measured.run, how, id=stage.id(), **options)
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(Measured.run, "fail", id=stage.id(), **options)
        handle = await client.start_workflow(Measured.run, "cancel", id=stage.id(), **options)
        await stage.until(lambda: _waits(handle))
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    found: dict[str, tuple[int, set[str]]] = {}
    counted: dict[str, float] = {}
    for update in buffer.retrieve_updates():
        name = update.metric.name.removeprefix("temporal_")
        found[name] = (int(update.metric.kind), set(update.attributes))
        if int(update.metric.kind) == 0:
            counted[name] = counted.get(name, 0) + update.value
    assert {name: found.get(name) for name in METRICS} == METRICS
    closed = ("workflow_completed", "workflow_failed", "workflow_canceled", "workflow_continue_as_new")
    assert [counted[name] for name in closed] == [3, 1, 1, 1]
    assert [counted["activity_execution_failed"], counted["workflow_task_execution_failed"]] == [1, 1]
    if stage.way == EMBEDDED:
        await client.service_client.close()


@workflow.defn
class Waiting:
    """Waits for a signal, with an activity behind it to replay."""

    def __init__(self) -> None:
        self.told = False

    @workflow.signal
    def tell(self) -> None:
        self.told = True

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(act, "done", start_to_close_timeout=SHORT)
        await workflow.wait_condition(lambda: self.told)


async def test_polls_and_replays_are_measured(stage: Stage) -> None:
    runtime = stage.sdk("runtime")
    buffer = runtime.MetricBuffer(10_000)
    target = "sqlite://:memory:" if stage.way == EMBEDDED else stage.client.service_client.config.target_host
    client = await stage.sdk("client").Client.connect(
        target, runtime=runtime.Runtime(telemetry=runtime.TelemetryConfig(metrics=buffer))
    )
    async with stage.worker(Waiting, activities=[act], client=client):
        handle = await client.start_workflow(Waiting.run, id=stage.id(), task_queue=stage.queue)
        await stage.until_event(handle, "WorkflowTaskCompleted", 2)
    first = buffer.retrieve_updates()
    pollers = {update.attributes["poller_type"] for update in first if update.metric.name == "temporal_num_pollers"}
    assert pollers >= {"workflow_task", "sticky_workflow_task", "activity_task"}
    # Nothing of this kind is left open.
    assert {u.attributes["poller_type"]: u.value for u in first if u.metric.name == "temporal_num_pollers"} == (
        dict.fromkeys(pollers, 0)
    )
    async with stage.worker(Waiting, activities=[act], client=client):
        await handle.signal(Waiting.tell)
        await handle.result()
    replays = [
        update for update in buffer.retrieve_updates() if update.metric.name == "temporal_workflow_task_replay_latency"
    ]
    assert len(replays) == 1 and set(replays[0].attributes) == OF_WORKFLOW
    assert replays[0].attributes["workflow_type"] == "Waiting"
    if stage.way == EMBEDDED:
        await client.service_client.close()


async def test_an_activity_without_a_workflow_is_measured_as_of_no_type(stage: Stage) -> None:
    runtime = stage.sdk("runtime")
    buffer = runtime.MetricBuffer(10_000)
    target = "sqlite://:memory:" if stage.way == EMBEDDED else stage.client.service_client.config.target_host
    client = await stage.sdk("client").Client.connect(
        target, runtime=runtime.Runtime(telemetry=runtime.TelemetryConfig(metrics=buffer))
    )
    async with stage.worker(activities=[act], client=client):
        await client.execute_activity(act, "done", id=stage.id(), task_queue=stage.queue, start_to_close_timeout=SHORT)
    wanted = {"namespace": "default", "task_queue": stage.queue, "activity_type": "act", "workflow_type": ""}
    found = {update.metric.name.removeprefix("temporal_"): update.attributes for update in buffer.retrieve_updates()}
    for name in ("activity_execution_latency", "activity_succeed_endtoend_latency"):
        assert {key: found[name][key] for key in OF_ACTIVITY - {"service_name"}} == wanted
    if stage.way == EMBEDDED:
        await client.service_client.close()


async def _waits(handle: Any) -> bool:
    return any([event.HasField("timer_started_event_attributes") async for event in handle.fetch_history_events()])
