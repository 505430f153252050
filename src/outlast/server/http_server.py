"""The HTTP door of a server process: uvicorn in the server's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from . import address
from .api_keys import ApiKeys
from .context import Call
from .gateway import over_node
from .http import http_app
from .http_protocol import BOUNDS, Bounds, bounded
from .metrics import Metrics
from .node import Node
from .origin import Hosts
from .tls import Tls

logger = logging.getLogger("outlast.server")


def before(
    node: Node,
    hosts: Hosts,
    grace_s: float,
    *,
    call: Call | None = None,
    keys: ApiKeys | None = None,
    tls: Tls | None = None,
    codec_endpoint: str = "",
    bounds: Bounds = BOUNDS,
) -> tuple[HttpServer, Call]:
    """The server of a node's HTTP application, and the call through which every door reaches the node to be counted.

    Args:
        call: stands before ``node.call``; None for nothing.
        codec_endpoint: as for ``http_app``.
    """
    metrics = Metrics(node)
    counted = metrics.counted(call or node.call)
    app = http_app(over_node(node, counted), hosts, metrics.text, keys, codec_endpoint)
    return HttpServer(app, grace_s, tls=tls, bounds=bounds), counted


class HttpServer:
    """Serves one application at one address."""

    def __init__(self, app: ASGIApp, grace_s: float, *, tls: Tls | None = None, bounds: Bounds = BOUNDS) -> None:
        """``grace_s``: how long requests under way may take once the server stops."""
        client_ca = tls.client_ca if tls else None
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            http=bounded(bounds),
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=str(tls.key) if tls else None,
            ssl_ca_certs=str(client_ca) if client_ca else None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if client_ca else ssl.CERT_NONE,
            timeout_graceful_shutdown=max(1, round(grace_s)),
        )
        self._server = _Uvicorn(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self, ip: str, port: int, option: str) -> int:
        """Listen; answers the port, which differs where 0 was asked for.

        Args:
            option: what chooses the port, named where it cannot be had.

        Raises:
            OSError: the address cannot be bound.
        """
        listener = address.listen(ip, port, option)
        self._serving = asyncio.get_running_loop().create_task(self._server.serve([listener]), name="HTTP")
        bound: int = listener.getsockname()[1]
        return bound

    async def ended(self) -> None:
        """Wait until it has stopped; whoever is cancelled meanwhile does not stop it."""
        if self._serving is not None:
            await asyncio.wait((self._serving,))

    async def stop(self) -> None:
        """Take no new connections, and let requests under way end."""
        if self._serving is not None:
            self._server.should_exit = True
            await self._serving


class _Uvicorn(uvicorn.Server):
    """Leaves the signals to the process it is part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
