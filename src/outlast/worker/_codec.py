"""The payload codec around workflow tasks and their completions.

Rule: every payload that user code made goes through the codec, search attributes excepted, because the server reads
them; what a marker says for the SDK itself does not either. Messages that were received are copied, not
changed.

Source: temporalio ``worker/_workflow.py`` and its payload visitor.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from google.protobuf.message import Message

from outlast.api.common.v1 import Payload
from outlast.api.descriptors import message_class
from outlast.api.workflowservice.v1 import (
    PollWorkflowTaskQueueResponse,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
)
from outlast.converter import PayloadCodec
from outlast.vocab import payloads

Answer: TypeAlias = (
    RespondWorkflowTaskCompletedRequest | RespondWorkflowTaskFailedRequest | RespondQueryTaskCompletedRequest
)
Change: TypeAlias = Callable[[list[Payload]], Awaitable[list[Payload]]]
M = TypeVar("M", bound=Message)

# Marker -> its detail that belongs to the SDK and stays as it is.
_OWN = {"core_patch": "patch-data", "core_local_activity": "data"}


async def decode_task(
    task: PollWorkflowTaskQueueResponse, codec: PayloadCodec, headers: bool
) -> PollWorkflowTaskQueueResponse:
    """A copy of a task with decoded payloads.

    Args:
        headers: whether headers went through the codec.
    """
    decoded = await _changed(
        task, "marker_recorded_event_attributes", lambda t: t.history.events, codec.decode, headers
    )
    await _change_messages(decoded.messages, codec.decode, headers)
    return decoded


async def encode_answer(answer: Answer, codec: PayloadCodec, headers: bool) -> Answer:
    """A copy of an answer with encoded payloads; ``headers`` as above."""
    if not isinstance(answer, RespondWorkflowTaskCompletedRequest):
        return await payloads.avisit(answer, codec.encode, headers=headers)
    encoded = await _changed(answer, "record_marker_command_attributes", lambda a: a.commands, codec.encode, headers)
    await _change_messages(encoded.messages, codec.encode, headers)
    return encoded


async def _changed(message: M, marker: str, items_of: Callable[[M], Any], change: Change, headers: bool) -> M:
    """A copy with changed payloads; in the attributes ``marker``, those of the SDK itself stay as they are."""
    kept = {
        index: getattr(item, marker)
        for index, item in enumerate(items_of(message))
        if item.HasField(marker) and getattr(item, marker).marker_name in _OWN
    }
    if not kept:
        return await payloads.avisit(message, change, headers=headers)
    without = type(message)()
    without.CopyFrom(message)
    for index, attributes in kept.items():
        getattr(items_of(without)[index], marker).details.pop(_OWN[attributes.marker_name], None)
    result = await payloads.avisit(without, change, headers=headers)
    for index, attributes in kept.items():
        own = _OWN[attributes.marker_name]
        if own in attributes.details:
            getattr(items_of(result)[index], marker).details[own].CopyFrom(attributes.details[own])
    return result


async def _change_messages(messages: Any, change: Change, headers: bool) -> None:
    """Change the payloads of update messages, which are packed in Any. They belong to a copy."""
    for message in messages:
        name = message.body.TypeName()
        if name:
            content = message_class(name)()
            message.body.Unpack(content)
            message.body.Pack(await payloads.avisit(content, change, headers=headers))
