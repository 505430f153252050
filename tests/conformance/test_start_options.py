"""Priority and versioning override: on the wire, in history, and inherited by what a workflow starts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from stage import Stage

from outlast import activity, workflow
from outlast.common import PinnedVersioningOverride, Priority, WorkerDeploymentVersion

SHORT = timedelta(seconds=10)


@activity.defn
async def priority_of_activity() -> list[Any]:
    found = activity.info().priority
    return [found.priority_key, found.fairness_key, found.fairness_weight]


def shown(priority: Priority) -> list[Any]:
    return [priority.priority_key, priority.fairness_key, priority.fairness_weight]


@workflow.defn
class Ranked:
    @workflow.run
    async def run(self, nested: bool) -> list[Any]:
        mine = shown(workflow.info().priority)
        own = Priority(priority_key=5)
        if not nested:
            return mine
        return [
            mine,
            await workflow.execute_activity(priority_of_activity, start_to_close_timeout=SHORT),
            await workflow.execute_activity(priority_of_activity, start_to_close_timeout=SHORT, priority=own),
            await workflow.execute_child_workflow(Ranked.run, False),
            await workflow.execute_child_workflow(Ranked.run, False, priority=own),
        ]


async def test_priorities_travel(stage: Stage) -> None:
    # Temporal's server leaves the workflow's priority out of activities that it starts eagerly.
    async with stage.worker(Ranked, activities=[priority_of_activity], disable_eager_activity_execution=stage.oracle):
        handle = await stage.start(
            Ranked.run, True, priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=1.5)
        )
        found = await handle.result()
    own = [2, "tenant", 1.5]
    higher = [5, "tenant", 1.5]
    assert found == [own, own, higher, own, higher]
    (started,) = await stage.attributes(handle, "WorkflowExecutionStarted")
    assert [started.priority.priority_key, started.priority.fairness_key] == [2, "tenant"]
    plain, ranked = await stage.attributes(handle, "ActivityTaskScheduled")
    assert plain.priority.priority_key == 0
    assert [ranked.priority.priority_key, ranked.priority.fairness_key] == [5, ""]


@pytest.mark.our_server(reason="Temporal's server takes no version that no worker has polled with")
async def test_a_versioning_override_travels(stage: Stage) -> None:
    version = WorkerDeploymentVersion(deployment_name="orders", build_id="1.0")
    handle = await stage.start(Ranked.run, False, versioning_override=PinnedVersioningOverride(version))
    (started,) = await stage.attributes(handle, "WorkflowExecutionStarted")
    pinned = started.versioning_override.pinned.version
    assert [pinned.deployment_name, pinned.build_id] == ["orders", "1.0"]
    await handle.terminate()
