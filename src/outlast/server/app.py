"""The server process put together: a store, a node over it, the doors in front, until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from outlast.engine.namespaces import add_search_attributes
from outlast.storage.memory import MemoryStorage
from outlast.storage.sqlite import SqliteStorage

from . import address, request_rate, tls
from .api_keys import ApiKeys, KeyInterceptor
from .clock import WallClock
from .config import ServerConfig
from .context import Call
from .node import Node
from .rpc import GrpcDoor
from .skipping import SkippingClock

if TYPE_CHECKING:
    from .http_server import HttpServer

logger = logging.getLogger("outlast.server")

_GC_THRESHOLDS = (20_000, 20, 20)
"""Python's own, (700, 10, 10), look through the cached runs many times a second: a fifth of the server's time."""
_REFUSING_S = 0.2
"""So long who calls is told to come back later, before connections are cut: a call that meets the cut is lost without
a reason, which not every SDK tries again."""


class Listening(NamedTuple):
    """Where a server answers: the ports of gRPC and of HTTP, and why there is no HTTP although it was wanted."""

    port: int
    ui_port: int | None
    ui_fault: str


async def serve(config: ServerConfig, on_ready: Callable[[Listening], None]) -> None:
    """Run a server until SIGTERM or SIGINT, then let calls under way and commits finish.

    Args:
        on_ready: called with the ports once the server answers.

    Raises:
        OSError: the address cannot be bound, or a certificate is none; the database was not touched.
        StorageError: the database cannot be opened.
    """
    if config.tls is not None:
        tls.check(config.tls)
    address.check(config.ip, config.port)
    if config.ui_port is not None and config.ui_port_chosen:
        address.check(config.ip, config.ui_port, "--ui-port")
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stopping.set)
    storage = SqliteStorage.open(config.database) if config.database else MemoryStorage()
    clock = SkippingClock() if config.skips_time else WallClock()
    node = await Node.open(storage, clock=clock, namespaces=config.namespaces)
    http = None
    try:
        for namespace in config.namespaces:
            await _register(node, namespace, config.search_attributes)
        keys = ApiKeys(config.api_keys) if config.api_keys else None
        http, call = _http(node, config, keys)
        door = GrpcDoor(node, call, () if keys is None else (KeyInterceptor(keys),))
        port = await door.start(config.address, None if config.tls is None else tls.for_grpc(config.tls))
        on_ready(Listening(port, *await _listen(http, config)))
        await stopping.wait()
        logger.info("Stopping; calls under way have %g s to end", config.grace_s)
        node.release()
        await asyncio.sleep(_REFUSING_S)
        await door.stop(config.grace_s)
    finally:
        node.release()
        if http is not None:
            await http.stop()
        await node.close()
    logger.info("Stopped")


def _http(node: Node, config: ServerConfig, keys: ApiKeys | None) -> tuple[HttpServer | None, Call]:
    """The HTTP door, if there is one, and the call that all doors lead to: limited and counted."""
    call = request_rate.limited(node, node.call, config.namespace_rps) if config.namespace_rps else node.call
    if config.ui_port is None:
        return None, call
    from . import http_server  # who serves no HTTP needs none of its memory
    from .origin import Hosts

    hosts = Hosts(config.ip, config.ui_hosts)
    return http_server.before(
        node, hosts, config.grace_s, call=call, keys=keys, tls=config.tls, codec_endpoint=config.ui_codec_endpoint
    )


async def _listen(http: HttpServer | None, config: ServerConfig) -> tuple[int | None, str]:
    """The port of HTTP, and why there is none."""
    if http is None or config.ui_port is None:
        return None, ""
    try:
        return await http.start(config.ip, config.ui_port, "--ui-port"), ""
    except OSError as error:
        if config.ui_port_chosen:
            raise
        return None, error.strerror or str(error)


async def _register(node: Node, namespace: str, attributes: Mapping[str, int]) -> None:
    """Add the search attributes that the namespace lacks."""
    known = node.namespaces.search_attributes(node.namespaces.id_of(namespace))
    missing = {name: type_ for name, type_ in attributes.items() if name not in known}
    if missing:
        await node.namespaces.change(namespace, lambda stored: add_search_attributes(stored, missing))


def run(config: ServerConfig, on_ready: Callable[[Listening], None]) -> None:
    """Run a server in this process, on uvloop where it is installed."""
    _relieve_the_garbage_collector()
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(config, on_ready))
    else:
        uvloop.run(serve(config, on_ready))


def _relieve_the_garbage_collector() -> None:
    """What has been loaded stays for good, and hardly anything that the server makes forms circles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
