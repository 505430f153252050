"""HTTP connections within bounds: how many there are, and how long a slow one is waited for.

    (connected) --head--> --body--> the application answers --keep-alive--> (as connected)
        head_s     body_s              write_s without progress

uvicorn ends connections that are idle between requests; nothing in it ends one that never finishes its request, or
never reads its answer. Who is too slow gets 408, who is one too many 503, each with a word why.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from outlast.vocab import limits


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the connections of one server are held to."""

    connections: int = limits.HTTP_CONNECTIONS_MAX
    head_s: float = limits.HTTP_HEAD_S
    body_s: float = limits.HTTP_BODY_S
    write_s: float = limits.HTTP_WRITE_S


BOUNDS = Bounds()
"""Of a server that is told nothing else."""


def bounded(bounds: Bounds) -> type[H11Protocol]:
    """The protocol of a server's connections."""
    return type("BoundedProtocol", (_BoundedProtocol,), {"bounds": bounds})


class _BoundedProtocol(H11Protocol):
    bounds: Bounds

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        self._alarm: asyncio.TimerHandle | None = None
        self._awaited: object = None
        self._stalled: asyncio.TimerHandle | None = None
        if len(self.connections) > self.bounds.connections:
            self._refuse("503 Service Unavailable", f"{self.bounds.connections} connections are open; come back later")
        else:
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._awaited = None
        for alarm in (self._alarm, self._stalled):
            if alarm is not None:
                alarm.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request."""
        super().data_received(data)
        self._await_request()

    def _await_request(self) -> None:
        """Set the alarm for what of the request is still to come: its head or its body."""
        state = self.conn.their_state
        if state is self._awaited or self.transport.is_closing():
            return
        self._awaited = state
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if state is h11.IDLE:
            self._alarm = self.loop.call_later(self.bounds.head_s, self._late, f"in {self.bounds.head_s:g} s")
        elif state is h11.SEND_BODY:
            self._alarm = self.loop.call_later(self.bounds.body_s, self._late, f"in {self.bounds.body_s:g} s")

    def _late(self, how: str) -> None:
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()
        else:
            self._refuse("408 Request Timeout", f"the request did not come {how}; send it whole")

    def _refuse(self, status: str, why: str) -> None:
        body = f"{why}\n".encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(f"{head}retry-after: 1\r\nconnection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def on_response_complete(self) -> None:
        """The next request may come; until its first byte only uvicorn's own alarm runs."""
        self._awaited = None
        super().on_response_complete()
        if self.conn.their_state is not h11.IDLE:
            self._await_request()

    def pause_writing(self) -> None:
        """The client does not read what it is sent."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.bounds.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
