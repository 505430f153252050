"""The web UI and the JSON API of any client, to mount in an application or to serve beside one.

An application that embeds its engine has no server process whose UI could be opened; this is its UI. In FastAPI or
Starlette::

    api = FastAPI()
    api.mount("/workflows", outlast.ui.app(lambda: client))

The pages call the API below the place where they are mounted. What they show is what the server has: payloads that a
codec has encrypted stay encrypted, unless a codec server is named that the browser may ask.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import Message

from outlast.server.context import CallContext
from outlast.server.gateway import Gateway
from outlast.server.http import http_app
from outlast.server.http_server import HttpServer
from outlast.server.origin import Hosts
from outlast.server.rpc import BOUND
from outlast.service import RPCError
from outlast.vocab.errors import Unavailable, from_code

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from outlast.client import Client

logger = logging.getLogger("outlast.ui")

_ANY_HOST: Final = "*"
_GRACE_S: Final = 1.0


def app(
    client: Client | Callable[[], Client], *, allowed_hosts: Sequence[str] = (), codec_endpoint: str = ""
) -> ASGIApp:
    """An ASGI application with the web UI at its root and the JSON API below ``api/v1``.

    Whoever reaches it can do with workflows what the client can: put the application's own authentication before it.

    Args:
        client: whose namespaces are shown; a function, called at each request, where it is connected later.
        allowed_hosts: names under which it is reached, beside localhost and addresses. A request with another ``Host``
            is refused, because a foreign page may have sent it (DNS rebinding); ``"*"`` lets in all of them.
        codec_endpoint: URL of a codec server that the browser asks to decode payloads; "" shows them as they are.

    Raises:
        ValueError: the codec endpoint is no http or https URL.
    """
    hosts = None if _ANY_HOST in allowed_hosts else Hosts("", allowed_hosts, cure="allowed_hosts of outlast.ui.app")

    async def call(service: str, rpc: str, request: Message, context: CallContext) -> Message:
        return await _call(client() if callable(client) else client, service, rpc, request, context)

    return http_app(Gateway(call, BOUND), hosts, codec_endpoint=codec_endpoint)


async def serve(
    client: Client | Callable[[], Client],
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    allowed_hosts: Sequence[str] = (),
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve ``app`` by itself until cancelled.

    Args:
        client, allowed_hosts: as for ``app``.
        host, port: where to listen; port 0 takes a free one.
        on_ready: called with the URL once it can be opened.

    Raises:
        OSError: the address cannot be bound.
    """
    server = HttpServer(app(client, allowed_hosts=(host, *allowed_hosts)), _GRACE_S)
    bound = await server.start(host, port, "port")
    name = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
    url = f"http://{f'[{name}]' if ':' in name else name}:{bound}"
    logger.info("Web UI: %s", url)
    if on_ready is not None:
        on_ready(url)
    try:
        await server.ended()
    finally:
        await server.stop()


async def _call(client: Client, service: str, rpc: str, request: Message, context: CallContext) -> Message:
    """One call of a client, with the errors of a server."""
    services: dict[str, Any] = dict(zip(BOUND, (client.workflow_service, client.operator_service), strict=True))
    timeout = None
    if context.deadline_at is not None:
        timeout = timedelta(microseconds=(context.deadline_at - time.time_ns()) / 1000)
    method = getattr(services[service], re.sub(r"(?<!^)(?=[A-Z])", "_", rpc).lower())
    try:
        reply: Message = await method(request, metadata=context.metadata, timeout=timeout)
    except RPCError as error:
        raise from_code(error.status, error.message, error.raw_grpc_status) from error
    except RuntimeError as error:  # closed, or nobody answers at its address
        raise Unavailable(str(error)) from error
    return reply
