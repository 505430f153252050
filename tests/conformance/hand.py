"""A worker that does only what the case says: polls, completes and fails workflow tasks through the raw API.

It shows what SDK workers hide: attempts, transient events, buffering. Its messages are those of the SDK under test.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from stage import Stage

from outlast.api.enums import v1 as e
from outlast.vocab.attributes import COMMAND_FIELD, EVENT_NAMES

_IDENTITY = "by hand"


class Hand:
    """Starts workflows of the type ``Order`` on the stage's queue and plays their worker."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.service = stage.client.workflow_service
        self.api = stage.sdk("api.workflowservice.v1")

    def start_request(self, workflow_id: str, **fields: Any) -> Any:
        return self.api.StartWorkflowExecutionRequest(
            **{
                "namespace": "default",
                "workflow_id": workflow_id,
                "workflow_type": {"name": "Order"},
                "task_queue": {"name": self.stage.queue},
                "request_id": str(uuid.uuid4()),
                "identity": _IDENTITY,
                **fields,
            }
        )

    async def start(self, workflow_id: str | None = None, **fields: Any) -> Any:
        """Start a run; answers a handle for exactly this run."""
        request = self.start_request(workflow_id or self.stage.id(), **fields)
        response = await self.service.start_workflow_execution(request)
        return self.stage.client.get_workflow_handle(request.workflow_id, run_id=response.run_id)

    async def poll(self, queue: str | None = None) -> Any:
        """The next workflow task of the case's queue, or of a sticky one."""
        own = {"name": self.stage.queue}
        sticky = {"name": queue, "kind": e.TASK_QUEUE_KIND_STICKY, "normal_name": self.stage.queue}
        task = await self.service.poll_workflow_task_queue(
            self.api.PollWorkflowTaskQueueRequest(
                namespace="default", task_queue=sticky if queue else own, identity=_IDENTITY
            ),
            timeout=timedelta(seconds=15),
        )
        assert task.task_token, "no task came"
        return task

    async def complete(self, task: Any, *commands: Any, **fields: Any) -> Any:
        """Complete the task with commands."""
        return await self.service.respond_workflow_task_completed(
            self.api.RespondWorkflowTaskCompletedRequest(
                task_token=task.task_token, commands=commands, identity=_IDENTITY, namespace="default", **fields
            )
        )

    async def turn(self, *commands: Any, **fields: Any) -> Any:
        """Poll and complete; answers the task."""
        task = await self.poll()
        await self.complete(task, *commands, **fields)
        return task

    async def fail(self, task: Any, message: str = "bug") -> None:
        """Fail the task as a worker does whose workflow code raised."""
        await self.service.respond_workflow_task_failed(
            self.api.RespondWorkflowTaskFailedRequest(
                task_token=task.task_token,
                namespace="default",
                identity=_IDENTITY,
                cause=e.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
                failure={"message": message},
            )
        )

    async def attend(self, queue: str) -> None:
        """Poll a sticky queue briefly and in vain: from then on it counts as one that a worker serves."""
        task = await self.service.poll_workflow_task_queue(
            self.api.PollWorkflowTaskQueueRequest(
                namespace="default",
                task_queue={"name": queue, "kind": e.TASK_QUEUE_KIND_STICKY, "normal_name": self.stage.queue},
            ),
            timeout=timedelta(seconds=2.05 if self.stage.oracle else 1.05),
        )
        assert not task.task_token

    def sticky(self, queue: str, schedule_to_start_timeout: timedelta) -> Any:
        attributes = self.stage.sdk("api.taskqueue.v1").StickyExecutionAttributes
        return attributes(
            worker_task_queue={"name": queue, "kind": e.TASK_QUEUE_KIND_STICKY, "normal_name": self.stage.queue},
            schedule_to_start_timeout=schedule_to_start_timeout,
        )

    async def poll_activity(self) -> Any:
        """The next activity task of the queue."""
        task = await self.service.poll_activity_task_queue(
            self.api.PollActivityTaskQueueRequest(
                namespace="default", task_queue={"name": self.stage.queue}, identity=_IDENTITY
            ),
            timeout=timedelta(seconds=15),
        )
        assert task.task_token, "no activity task came"
        return task

    async def complete_activity(self, task: Any) -> None:
        await self.service.respond_activity_task_completed(
            self.api.RespondActivityTaskCompletedRequest(task_token=task.task_token, namespace="default")
        )

    # -- commands --------------------------------------------------------------------------------------------------

    def command(self, command_type: int, **attributes: Any) -> Any:
        command = self.stage.sdk("api.command.v1").Command
        return command(command_type=command_type, **{COMMAND_FIELD[command_type]: attributes})

    def complete_workflow(self) -> Any:
        return self.command(e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)

    def fail_workflow(self, message: str = "no stock", **info: Any) -> Any:
        failure = {"message": message, "application_failure_info": {"type": "OutOfStock", **info}}
        return self.command(e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, failure=failure)

    def cancel_workflow(self) -> Any:
        return self.command(e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)

    def start_timer(self, timer_id: str, after: timedelta) -> Any:
        return self.command(e.COMMAND_TYPE_START_TIMER, timer_id=timer_id, start_to_fire_timeout=after)

    def cancel_timer(self, timer_id: str) -> Any:
        return self.command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id=timer_id)

    def schedule_activity(self, activity_id: str = "1", **attributes: Any) -> Any:
        return self.command(
            e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
            **{
                "activity_id": activity_id,
                "activity_type": {"name": "charge"},
                "task_queue": {"name": self.stage.queue},
                "start_to_close_timeout": timedelta(seconds=10),
                **attributes,
            },
        )


def shown(task: Any) -> list[str]:
    """The names of the events that a workflow task came with."""
    return [EVENT_NAMES[event.event_type] for event in task.history.events]
