"""The server process put together: a store, a node over it, and the gRPC door in front, until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable

from outlast.storage.memory import MemoryStorage
from outlast.storage.sqlite import SqliteStorage

from .config import ServerConfig
from .node import Node
from .rpc import GrpcDoor


async def serve(config: ServerConfig, on_ready: Callable[[int], None]) -> None:
    """Run a server until SIGTERM or SIGINT, then let calls under way and commits finish.

    Args:
        on_ready: called with the port once the server answers.

    Raises:
        StorageError: the database cannot be opened.
        OSError: the address cannot be bound.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stopping.set)
    storage = SqliteStorage.open(config.database) if config.database else MemoryStorage()
    node = await Node.open(storage, namespaces=config.namespaces)
    try:
        door = GrpcDoor(node)
        on_ready(await door.start(config.address))
        await stopping.wait()
        node.release()
        await door.stop(config.grace_s)
    finally:
        await node.close()


def run(config: ServerConfig, on_ready: Callable[[int], None]) -> None:
    """Run a server in this process, on uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(config, on_ready))
    else:
        uvloop.run(serve(config, on_ready))
