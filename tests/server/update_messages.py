"""What a worker sends of the updates that its workflow task carries."""

from __future__ import annotations

from typing import Any

from brain import command
from hand_driven import Driven

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.api.protocol.v1 import Message
from outlast.api.update.v1 import Acceptance, Meta, Request, Response


def accept(task: Any) -> list[Message]:
    found = []
    for one in task.messages:
        request = Request()
        assert one.body.Unpack(request)
        message = Message(id=f"{one.id}/accept", protocol_instance_id=one.protocol_instance_id)
        message.body.Pack(Acceptance(accepted_request_message_id=one.id, accepted_request=request))
        found.append(message)
    return found


def respond(update_id: str = "u") -> Message:
    message = Message(id=f"{update_id}/complete", protocol_instance_id=update_id)
    message.body.Pack(Response(meta=Meta(update_id=update_id), outcome={"success": {}}))
    return message


def places(*messages: Message) -> list[Command]:
    return [command(e.COMMAND_TYPE_PROTOCOL_MESSAGE, message_id=one.id) for one in messages]


async def answer(server: Driven, task: Any, *messages: Message, commands: tuple[Command, ...] = ()) -> None:
    await server.call(
        "RespondWorkflowTaskCompleted",
        task_token=task.task_token,
        commands=[*places(*messages), *commands],
        messages=messages,
    )
