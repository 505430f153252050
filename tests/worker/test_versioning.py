"""What versioned workers declare on the wire."""

from __future__ import annotations

import pytest
from programs import Call, greet
from test_embedded import QUEUE, client, start

from outlast import workflow
from outlast.api.enums import v1 as e
from outlast.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
)
from outlast.client import Client
from outlast.common import VersioningBehavior, WorkerDeploymentVersion
from outlast.worker import Worker, WorkerDeploymentConfig
from outlast.worker._versioning import Versioning

__all__ = ["client"]

VERSION = WorkerDeploymentVersion(deployment_name="orders", build_id="1.0")


@workflow.defn
class Version:
    """Says which version ran it."""

    @workflow.run
    async def run(self) -> str:
        version = workflow.info().get_current_deployment_version()
        return f"{version.deployment_name}/{version.build_id}" if version else "none"


def test_a_deployment_is_declared_everywhere() -> None:
    versioning = Versioning(WorkerDeploymentConfig(VERSION, True, VersioningBehavior.PINNED), None, False)
    for request in (PollWorkflowTaskQueueRequest(), PollActivityTaskQueueRequest()):
        versioning.on_poll(request)
        assert request.deployment_options.deployment_name == "orders"
        assert request.deployment_options.worker_versioning_mode == e.WORKER_VERSIONING_MODE_VERSIONED
    for report in (RespondWorkflowTaskCompletedRequest(), RespondActivityTaskCompletedRequest()):
        versioning.on_report(report)
        assert report.deployment_options.build_id == "1.0"


def test_a_build_id_alone_is_a_stamp() -> None:
    versioning = Versioning(None, "b1", True)
    poll, workflow_task, activity = (
        PollWorkflowTaskQueueRequest(),
        RespondWorkflowTaskCompletedRequest(),
        RespondActivityTaskCompletedRequest(),
    )
    versioning.on_poll(poll)
    versioning.on_report(workflow_task)
    versioning.on_report(activity)
    assert (poll.worker_version_capabilities.build_id, poll.worker_version_capabilities.use_versioning) == ("b1", True)
    assert workflow_task.worker_version_stamp.build_id == activity.worker_version.build_id == "b1"


def test_an_unversioned_worker_declares_nothing() -> None:
    poll = PollWorkflowTaskQueueRequest()
    Versioning(None, None, False).on_poll(poll)
    assert poll == PollWorkflowTaskQueueRequest()


async def test_the_build_id_is_recorded(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Version], build_id="b1"):
        handle = await start(client, Version.run)
        assert await handle.result() == "/b1"
    completed = [one for one in (await handle.fetch_history()).events if one.event_type == 7]
    assert completed[0].workflow_task_completed_event_attributes.worker_version.build_id == "b1"


async def test_workflow_code_sees_the_version_of_its_worker(client: Client) -> None:
    config = WorkerDeploymentConfig(VERSION, use_worker_versioning=False)
    async with Worker(client, task_queue=QUEUE, workflows=[Version], deployment_config=config):
        assert await (await start(client, Version.run)).result() == "orders/1.0"


async def test_versioned_workflows_need_a_behavior(client: Client) -> None:
    config = WorkerDeploymentConfig(VERSION, use_worker_versioning=True)
    with pytest.raises(ValueError, match="Workflow Version names no versioning behavior"):
        Worker(client, task_queue=QUEUE, workflows=[Version], deployment_config=config)
    default = WorkerDeploymentConfig(VERSION, True, VersioningBehavior.AUTO_UPGRADE)
    Worker(client, task_queue=QUEUE, workflows=[Version], deployment_config=default)


async def test_old_and_new_versioning_exclude_each_other(client: Client) -> None:
    config = WorkerDeploymentConfig(VERSION, use_worker_versioning=False)
    with pytest.raises(ValueError, match="deployment_config cannot be given together"):
        Worker(client, task_queue=QUEUE, workflows=[Call], activities=[greet], deployment_config=config, build_id="x")
