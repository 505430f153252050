"""Who polls a task queue: the last poll of each identity, for a few minutes.

Source: PollerInfo; rule 3.10.3.
"""

from __future__ import annotations

import msgspec

from outlast.vocab import limits


class PollerSeen(msgspec.Struct, frozen=True):
    """What a poll told of its worker. ``rate_per_second`` 0 = no limit; the last two are serialized messages."""

    identity: str
    rate_per_second: float = 0.0
    version_capabilities: bytes = b""
    deployment_options: bytes = b""


class Pollers:
    """Identity -> its last poll."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, PollerSeen]] = {}

    def note(self, poller: PollerSeen, now: int) -> None:
        """Remember a poll; the longest unseen identities make room."""
        self._seen.pop(poller.identity, None)
        self._seen[poller.identity] = (now, poller)
        if len(self._seen) > limits.POLLERS_REMEMBERED_MAX:
            del self._seen[next(iter(self._seen))]

    def recent(self, now: int) -> list[tuple[int, PollerSeen]]:
        """The polls of the last minutes, with their instants, the latest first."""
        while self._seen:
            identity, (at, _) = next(iter(self._seen.items()))
            if at > now - limits.WORKER_REGISTRY_NS:
                break
            del self._seen[identity]
        return list(reversed(self._seen.values()))
