"""Task tokens: what a worker hands back to say which task it speaks of. Opaque to it, MessagePack to us."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from outlast.vocab.errors import InvalidArgument


class WorkflowTaskToken(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    """A started workflow task."""

    namespace_id: str
    workflow_id: str
    run_id: str
    scheduled_event_id: int
    attempt: int
    started_at: int


class ActivityTaskToken(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """A started activity attempt."""

    namespace_id: str
    workflow_id: str
    run_id: str
    scheduled_event_id: int
    attempt: int
    started_at: int


class QueryTaskToken(msgspec.Struct, frozen=True, array_like=True, tag="q"):
    """A query that was dispatched by itself."""

    namespace_id: str
    workflow_id: str
    run_id: str
    query_id: str


class PageToken(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """Where the next page of a history starts, or which event a long poll waits for."""

    run_id: str
    next_event_id: int


class ChangeToken(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """What a caller has seen of a run: a long poll waits for what comes after it."""

    run_id: str
    transitions: int


_T = TypeVar("_T", WorkflowTaskToken, ActivityTaskToken, QueryTaskToken, PageToken, ChangeToken)
_encoder = msgspec.msgpack.Encoder()
_decoders: dict[type, msgspec.msgpack.Decoder[object]] = {
    kind: msgspec.msgpack.Decoder(kind)
    for kind in (WorkflowTaskToken, ActivityTaskToken, QueryTaskToken, PageToken, ChangeToken)
}


def encode(token: msgspec.Struct) -> bytes:
    return _encoder.encode(token)


def decode(kind: type[_T], data: bytes, field: str = "task_token") -> _T:
    """Read a token of this kind.

    Raises:
        InvalidArgument: the bytes are empty or no such token.
    """
    if not data:
        raise InvalidArgument(f"{field} is empty; pass on the token that the task or page came with")
    try:
        token = _decoders[kind].decode(data)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"{field} is not a {kind.__name__} of this server ({error})") from error
    assert isinstance(token, kind)
    return token
