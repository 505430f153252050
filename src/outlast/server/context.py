"""What a handler knows about a call beside its request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec
from google.protobuf.message import Message

_NOTHING: Mapping[str, str] = MappingProxyType({})


class CallContext(msgspec.Struct, frozen=True):
    """The circumstances of one call.

    ``door`` is where it came in: ``embedded``, ``grpc`` or ``http``. ``deadline_at`` is the caller's deadline in ns
    since the epoch, None when it has none. ``metadata`` holds the call's headers in lower case.
    """

    door: str
    deadline_at: int | None = None
    metadata: Mapping[str, str] = _NOTHING


Call: TypeAlias = Callable[[str, str, Message, CallContext], Awaitable[Message]]
"""``call(service, rpc, request, context)`` answers one call, or raises ServiceError: what every door leads to."""
