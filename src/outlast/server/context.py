"""What a handler knows about a call beside its request."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

_NOTHING: Mapping[str, str] = MappingProxyType({})


class CallContext(msgspec.Struct, frozen=True):
    """The circumstances of one call.

    ``door`` is where it came in: ``embedded``, ``grpc`` or ``http``. ``deadline_at`` is the caller's deadline in ns
    since the epoch, None when it has none. ``metadata`` holds the call's headers in lower case.
    """

    door: str
    deadline_at: int | None = None
    metadata: Mapping[str, str] = _NOTHING
