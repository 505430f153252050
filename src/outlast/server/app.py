"""The server process put together: a store, a node over it, and the gRPC door in front, until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Mapping

from outlast.engine.namespaces import add_search_attributes
from outlast.storage.memory import MemoryStorage
from outlast.storage.sqlite import SqliteStorage

from . import address
from .clock import WallClock
from .config import ServerConfig
from .node import Node
from .rpc import GrpcDoor
from .skipping import SkippingClock

logger = logging.getLogger("outlast.server")

_REFUSING_S = 0.2
"""So long who calls is told to come back later, before connections are cut: a call that meets the cut is lost without
a reason, which not every SDK tries again."""


async def serve(config: ServerConfig, on_ready: Callable[[int], None]) -> None:
    """Run a server until SIGTERM or SIGINT, then let calls under way and commits finish.

    Args:
        on_ready: called with the port once the server answers.

    Raises:
        OSError: the address cannot be bound; the database was not touched.
        StorageError: the database cannot be opened.
    """
    address.check(config.ip, config.port)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stopping.set)
    storage = SqliteStorage.open(config.database) if config.database else MemoryStorage()
    clock = SkippingClock() if config.skips_time else WallClock()
    node = await Node.open(storage, clock=clock, namespaces=config.namespaces)
    try:
        for namespace in config.namespaces:
            await _register(node, namespace, config.search_attributes)
        door = GrpcDoor(node)
        on_ready(await door.start(config.address))
        await stopping.wait()
        logger.info("Stopping; calls under way have %g s to end", config.grace_s)
        node.release()
        await asyncio.sleep(_REFUSING_S)
        await door.stop(config.grace_s)
    finally:
        await node.close()
    logger.info("Stopped")


async def _register(node: Node, namespace: str, attributes: Mapping[str, int]) -> None:
    """Add the search attributes that the namespace lacks."""
    known = node.namespaces.search_attributes(node.namespaces.id_of(namespace))
    missing = {name: type_ for name, type_ in attributes.items() if name not in known}
    if missing:
        await node.namespaces.change(namespace, lambda stored: add_search_attributes(stored, missing))


def run(config: ServerConfig, on_ready: Callable[[int], None]) -> None:
    """Run a server in this process, on uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(config, on_ready))
    else:
        uvloop.run(serve(config, on_ready))
