"""The HTTP application: the JSON API, the web UI, health, metrics, with the headers that keep foreign pages out.

``/api/v1/...`` and the RPCs' other bindings lead to the gateway, ``/api/v1/openapi.json`` describes them, ``/healthz``
says that the server answers, and ``/metrics`` what it counted. Every other path is a file of ``web/``, or a page of the
UI, which finds its way by the path itself: it gets ``index.html``, whose ``<base>`` names the place where the
application is mounted. A binding without ``/api/v1``, such as ``/namespaces/default/workflows``, can be a page's path
as well; a browser that navigates there gets the page.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import openapi
from .api_keys import ApiKeys
from .config import codec_origin
from .gateway import Gateway, quoted, raw_path, respond
from .key_guard import KeyGuard
from .origin import Hosts, OriginGuard
from .routes import PREFIX

WEB: Final = Path(__file__).with_name("web")
_BASE: Final = b'<base href="/">'
_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_GZIP_BYTES_MIN: Final = 1000
_CODEC: Final = b'<meta name="codec-endpoint" content="">'
_POLICY: Final = "content-security-policy"
_HEADERS: Final = {
    _POLICY: (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def http_app(
    gateway: Gateway,
    hosts: Hosts | None,
    metrics: Callable[[], Awaitable[bytes]] | None = None,
    keys: ApiKeys | None = None,
    codec_endpoint: str = "",
) -> ASGIApp:
    """The application.

    Args:
        gateway: the JSON API.
        hosts: the names that it answers to; None for any.
        metrics: what ``/metrics`` answers, in Prometheus' text format; None where nothing is counted.
        keys: one of which every request but ``/healthz`` has to bring; None lets everybody in.
        codec_endpoint: URL of the codec server that pages ask to decode payloads; they may talk to no other place.

    Raises:
        ValueError: the codec endpoint is no http or https URL.
    """
    app: ASGIApp = _Front(gateway, metrics, codec_endpoint)
    app = GZipMiddleware(app, minimum_size=_GZIP_BYTES_MIN)
    if keys is not None:
        app = KeyGuard(app, keys)
    app = OriginGuard(app, hosts)
    return _Headed(app, _connected_to(codec_endpoint))


def _connected_to(codec_endpoint: str) -> dict[str, str]:
    """The headers of safety, with the codec server's origin among what scripts may ask."""
    if not codec_endpoint:
        return _HEADERS
    return {**_HEADERS, _POLICY: f"{_HEADERS[_POLICY]}; connect-src 'self' {codec_origin(codec_endpoint)}"}


class _Front:
    """Sends a request to what answers it."""

    def __init__(self, gateway: Gateway, metrics: Callable[[], Awaitable[bytes]] | None, codec_endpoint: str) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self._files = _Files(codec_endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"outlast's HTTP application has no {scope['type']!r}; it speaks HTTP only")
        path = raw_path(scope)
        if path == "/healthz":
            await JSONResponse({"status": "SERVING"})(scope, receive, send)
        elif path == "/metrics":
            await (await self._counted())(scope, receive, send)
        elif path == f"{PREFIX}/openapi.json" and scope["method"] == "GET":
            described = openapi.document(self._gateway.routes, quoted(scope.get("root_path", "")).rstrip("/"))
            await respond(send, 200, msgspec.json.encode(described))
        elif path == "/api" or path.startswith("/api/") or self._is_call(scope, path):
            await self._gateway(scope, receive, send)
        else:
            await self._files.serve(path, scope, receive, send)

    async def _counted(self) -> Response:
        if self._metrics is None:
            return Response("this application has no metrics; `outlast server` has\n", 404, media_type="text/plain")
        return Response(await self._metrics(), headers={"content-type": _METRICS_TYPE})

    def _is_call(self, scope: Scope, path: str) -> bool:
        if scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
            return False
        return self._gateway.knows(path)


class _Files(StaticFiles):
    """The files of the UI; the page for what is none of them."""

    def __init__(self, codec_endpoint: str) -> None:
        super().__init__(directory=WEB)
        self._codec_endpoint = codec_endpoint

    async def serve(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        name = path.strip("/")
        _, found = self.lookup_path(name) if name else ("", None)
        is_file = found is not None and name != "index.html" and (WEB / name).is_file()
        response = await self.get_response(name, scope) if is_file else _page(scope, self._codec_endpoint)
        response.headers["cache-control"] = "no-cache"
        await response(scope, receive, send)


def _page(scope: Scope, codec_endpoint: str) -> Response:
    if scope["method"] not in ("GET", "HEAD"):
        return JSONResponse({"code": 12, "message": f"{scope['method']} is no way to a page"}, 405)
    base = quoted(scope.get("root_path", "").rstrip("/") + "/")
    content = (WEB / "index.html").read_bytes().replace(_BASE, _element("base", "href", base), 1)
    if codec_endpoint:
        content = content.replace(_CODEC, _element('meta name="codec-endpoint"', "content", codec_endpoint), 1)
    return Response(content, media_type="text/html")


def _element(tag: str, attribute: str, value: str) -> bytes:
    return f'<{tag} {attribute}="{html.escape(value)}">'.encode()


class _Headed:
    """Adds the headers of safety to every answer."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, with_headers)
