"""What the catalogues speak of: a server, and some workflows of the catalogue's own in it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any, NamedTuple

import temporalio.api.command.v1
import temporalio.api.workflowservice.v1 as api
from temporalio.client import Client
from temporalio.service import RPCError

from outlast.api.enums import v1 as e
from outlast.vocab.attributes import COMMAND_FIELD

_PATIENCE = timedelta(seconds=15)


class Started(NamedTuple):
    """A run and the request that started it."""

    workflow_id: str
    run_id: str
    request_id: str


class Answer(NamedTuple):
    """What a server said: the reply, or the refusal's code, types of details, and message."""

    code: str
    details: tuple[str, ...]
    message: str
    reply: Any


class Scene:
    """Workflows of the type ``Order`` on a queue of their own; ``set`` puts them there."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.queue = f"scene-{uuid.uuid4().hex[:8]}"
        self._count = 0

    def id(self) -> str:
        self._count += 1
        return f"{self.queue}-{self._count}"

    async def set(self) -> Scene:
        """An open workflow with a task and an activity under way; a closed one; tokens of all kinds."""
        self.open = await self.start()
        task = await self.poll()
        await self.complete(task, activity("1", self.queue))
        self.used_token = task.task_token
        work = await self.poll_activity()
        self.used_activity_token = work.task_token
        await self.must("RespondActivityTaskCompleted", task_token=work.task_token)
        task = await self.poll()
        await self.complete(task, activity("2", self.queue), activity("3", self.queue))
        self.activity_token = (await self.poll_activity()).task_token
        await self.poll_activity()
        await self.must(
            "SignalWorkflowExecution",
            workflow_execution={"workflow_id": self.open.workflow_id},
            signal_name="go",
        )
        self.token = (await self.poll()).task_token
        self.closed = await self.start()
        await self.complete(await self.poll(), activity("1", self.queue))
        self.orphan_activity_token = (await self.poll_activity()).task_token
        await self.must(
            "SignalWorkflowExecution",
            workflow_execution={"workflow_id": self.closed.workflow_id},
            signal_name="go",
        )
        self.orphan_token = (await self.poll()).task_token
        await self.must("TerminateWorkflowExecution", workflow_execution={"workflow_id": self.closed.workflow_id})
        return self

    def start_fields(self, **fields: Any) -> dict[str, Any]:
        """A start request's fields, good but for what is given."""
        return {
            "workflow_id": self.id(),
            "workflow_type": {"name": "Order"},
            "task_queue": {"name": self.queue},
            "request_id": uuid.uuid4().hex,
            "identity": "scene",
            **({} if "cron_schedule" in fields else {"workflow_execution_timeout": {"seconds": 600}}),
            "workflow_task_timeout": {"seconds": 60},
            **fields,
        }

    async def start(self, **fields: Any) -> Started:
        fields = self.start_fields(**fields)
        reply = await self.must("StartWorkflowExecution", **fields)
        return Started(fields["workflow_id"], reply.run_id, fields["request_id"])

    async def poll(self, **fields: Any) -> Any:
        task = await self.must("PollWorkflowTaskQueue", task_queue={"name": self.queue}, identity="scene", **fields)
        assert task.task_token, "no task came"
        return task

    async def poll_activity(self) -> Any:
        task = await self.must("PollActivityTaskQueue", task_queue={"name": self.queue}, identity="scene")
        assert task.task_token, "no activity task came"
        return task

    async def complete(self, task: Any, *commands: Any, **fields: Any) -> Any:
        return await self.must(
            "RespondWorkflowTaskCompleted", task_token=task.task_token, commands=commands, identity="scene", **fields
        )

    async def must(self, rpc: str, **fields: Any) -> Any:
        answer = await self.ask(rpc, **fields)
        assert answer.code == "OK", answer
        return answer.reply

    async def ask(self, rpc: str, **fields: Any) -> Answer:
        """Ask in the namespace ``default``, where the fields name none."""
        request = getattr(api, f"{rpc}Request")
        if "namespace" in request.DESCRIPTOR.fields_by_name:
            fields = {"namespace": "default", **fields}
        method = re.sub(r"(?<!^)([A-Z])", r"_\1", rpc).lower()
        try:
            reply = await getattr(self.client.workflow_service, method)(request(**fields), timeout=_PATIENCE)
        except RPCError as error:
            details = tuple(one.type_url.rpartition(".")[2] for one in error.grpc_status.details)
            return Answer(error.status.name, details, error.message, None)
        return Answer("OK", (), "", reply)


def command(kind: int, **attributes: Any) -> Any:
    """A command of this type."""
    return temporalio.api.command.v1.Command(command_type=kind, **{COMMAND_FIELD[kind]: attributes})


def activity(_id: str, queue: str, **attributes: Any) -> Any:
    """The command that schedules an activity."""
    return command(
        e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        **{
            "activity_id": _id,
            "activity_type": {"name": "charge"},
            "task_queue": {"name": queue},
            "start_to_close_timeout": {"seconds": 600},
            **attributes,
        },
    )
