"""The embedded door: the whole engine in the caller's process, without a port.

``connect`` opens the database that a target names and starts an engine over it; clients of the same event loop share
it. The messages that cross this door are not copied: neither side changes what it was given.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from google.protobuf.message import Message

from outlast.storage.memory import MemoryStorage
from outlast.storage.port import Storage
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.errors import InvalidArgument, Unavailable

from .context import CallContext
from .node import Node

_PREFIX = "sqlite://"
_MEMORY = ":memory:"


class _Engine:
    """A running node and how many clients use it."""

    def __init__(self, node: Node, loop: asyncio.AbstractEventLoop) -> None:
        self.node = node
        self.loop = loop
        self.users = 0


_engines: dict[Path, _Engine] = {}
_opening: dict[Path, asyncio.Lock] = {}


class EmbeddedTransport:
    """A client's way to the engine in its own process."""

    def __init__(self, engine: _Engine, path: Path | None) -> None:
        self._engine = engine
        self._path = path
        self._closed = False
        engine.users += 1

    async def call(
        self,
        service: str,
        rpc: str,
        request: Message,
        *,
        metadata: Mapping[str, str | bytes],
        timeout: float | None,
    ) -> Message:
        """Answer one call. Raises ServiceError, and Unavailable once the transport is closed."""
        if self._closed:
            raise Unavailable("this client is closed; connect again")
        deadline_at = None if timeout is None else time.time_ns() + int(timeout * 1e9)
        headers = {name: value for name, value in metadata.items() if isinstance(value, str)}
        return await self._engine.node.call(service, rpc, request, CallContext("embedded", deadline_at, headers))

    async def close(self) -> None:
        """Let go of the engine; the last client closes it."""
        if self._closed:
            return
        self._closed = True
        self._engine.users -= 1
        if not self._engine.users:
            if self._path is not None:
                _engines.pop(self._path, None)
            await self._engine.node.close()


def over(node: Node) -> EmbeddedTransport:
    """The way to a node of one's own, which is closed with the transport."""
    return EmbeddedTransport(_Engine(node, asyncio.get_running_loop()), None)


async def connect(target: str, *, namespace: str = "default") -> EmbeddedTransport:
    """Open ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``sqlite://:memory:``.

    Args:
        namespace: created beside ``default`` where it does not exist.

    Raises:
        InvalidArgument: the target names no database.
        StorageError: the database is held by another process, damaged, newer, or not Outlast's.
    """
    path = _path(target)
    if path is None:
        node = await Node.open(MemoryStorage(), namespaces=("default", namespace))
        return over(node)
    loop = asyncio.get_running_loop()
    engine = _engines.get(path)
    if engine is not None and engine.loop is not loop:
        if engine.loop.is_running():
            raise InvalidArgument(
                f"{path} is open in another event loop of this process; connect from that loop, or use a server"
            )
        engine.node.storage.abandon()
        del _engines[path]
        engine = None
    if engine is None:
        lock = _opening.setdefault(path, asyncio.Lock())
        async with lock:
            engine = _engines.get(path)
            if engine is None:
                storage: Storage = SqliteStorage.open(path)
                engine = _engines[path] = _Engine(await Node.open(storage), loop)
        _opening.pop(path, None)
    await engine.node.namespaces.ensure(namespace)
    return EmbeddedTransport(engine, path)


def _path(target: str) -> Path | None:
    """The database file that a target names; None for a private one in memory."""
    rest = target.removeprefix(_PREFIX)
    if rest == target or not rest:
        raise InvalidArgument(f"{target!r} names no database; write sqlite:///orders.db or sqlite://:memory:")
    if rest in (_MEMORY, "/" + _MEMORY):
        return None
    if not rest.startswith("/") or rest == "/":
        raise InvalidArgument(
            f"{target!r} names no database file; write sqlite:///orders.db for a relative path, "
            "sqlite:////var/lib/orders.db for an absolute one"
        )
    return Path(rest[1:]).expanduser().absolute()
