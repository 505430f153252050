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
from outlast.api.sdk.v1 import UserMetadata
from outlast.api.workflowservice.v1 import (
    PollWorkflowTaskQueueResponse,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
)
from outlast.converter import PayloadCodec
from outlast.vocab import payloads

from ._codec_contexts import RunCodecs

Answer: TypeAlias = (
    RespondWorkflowTaskCompletedRequest | RespondWorkflowTaskFailedRequest | RespondQueryTaskCompletedRequest
)
Change: TypeAlias = Callable[[list[Payload]], Awaitable[list[Payload]]]
M = TypeVar("M", bound=Message)

# Marker -> its detail that belongs to the SDK and stays as it is.
_OWN = {"core_patch": "patch-data", "core_local_activity": "data"}


async def decode_task(
    task: PollWorkflowTaskQueueResponse, codec: PayloadCodec | RunCodecs, headers: bool
) -> PollWorkflowTaskQueueResponse:
    """A copy of a task with decoded payloads.

    Args:
        headers: whether headers went through the codec.

    Raises:
        HistoryGap: the codec's form for an event follows from one that was never seen.
    """
    if isinstance(codec, RunCodecs):
        return await _decoded_in_contexts(task, codec, headers)
    decoded = await _changed(
        task, "marker_recorded_event_attributes", lambda t: t.history.events, codec.decode, headers
    )
    await _change_messages(decoded.messages, codec.decode, headers)
    return decoded


async def encode_answer(answer: Answer, codec: PayloadCodec | RunCodecs, headers: bool) -> Answer:
    """A copy of an answer with encoded payloads; ``headers`` as above."""
    if isinstance(codec, RunCodecs):
        return await _encoded_in_contexts(answer, codec, headers)
    if not isinstance(answer, RespondWorkflowTaskCompletedRequest):
        return await payloads.avisit(answer, codec.encode, headers=headers)
    encoded = await _changed(answer, "record_marker_command_attributes", lambda a: a.commands, codec.encode, headers)
    await _change_messages(encoded.messages, codec.encode, headers)
    return encoded


async def _decoded_in_contexts(
    task: PollWorkflowTaskQueueResponse, codecs: RunCodecs, headers: bool
) -> PollWorkflowTaskQueueResponse:
    rest, events = _taken_out(task, lambda t: t.history.events)
    decoded = await decode_task(rest, codecs.of_run, headers)
    for event in events:
        bare, _ = _without_metadata(event)
        codec = codecs.of_event(event)
        decoded.history.events.append(
            await _changed(bare, "marker_recorded_event_attributes", lambda e: [e], codec.decode, headers)
        )
    return decoded


async def _encoded_in_contexts(answer: Answer, codecs: RunCodecs, headers: bool) -> Answer:
    if not isinstance(answer, RespondWorkflowTaskCompletedRequest):
        return await encode_answer(answer, codecs.of_run, headers)
    rest, commands = _taken_out(answer, lambda a: a.commands)
    encoded = await encode_answer(rest, codecs.of_run, headers)
    assert isinstance(encoded, RespondWorkflowTaskCompletedRequest)
    for command in commands:
        bare, metadata = _without_metadata(command)
        codec = codecs.of_command(command)
        changed = await _changed(bare, "record_marker_command_attributes", lambda c: [c], codec.encode, headers)
        if metadata is not None:
            changed.user_metadata.CopyFrom(await payloads.avisit(metadata, codecs.of_run.encode))
        encoded.commands.append(changed)
    return encoded


def _without_metadata(item: M) -> tuple[M, UserMetadata | None]:
    """An event or command without its summary and details, and these: people read them, who know only the run."""
    if not item.HasField("user_metadata"):
        return item, None
    bare = type(item)()
    bare.CopyFrom(item)
    bare.ClearField("user_metadata")
    return bare, item.user_metadata  # type: ignore[attr-defined]


def _taken_out(message: M, items_of: Callable[[M], Any]) -> tuple[M, list[Any]]:
    """A copy without its events or commands, and these."""
    rest = type(message)()
    rest.CopyFrom(message)
    items = items_of(rest)
    taken = list(items_of(message))
    del items[:]
    return rest, taken


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
