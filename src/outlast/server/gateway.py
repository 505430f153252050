"""The JSON door: every RPC over HTTP, as an ASGI application.

Rule: no line here knows an RPC: ``routes.py`` reads the ways to them from the descriptors, ``json_form.py`` and
``json_request.py`` translate. What a call leads to is one function, so that the same gateway stands before a node and
before a client. An error is its google.rpc.Status as JSON.

Source: google/api/http.proto; Temporal's HTTP API (common/rpc and service/frontend/http_api_server.go): content types
``application/json+pretty`` and ``application/json+no-payload-shorthand``, the headers that reach the server.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote

from google.protobuf.message import Message
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from outlast.api.descriptors import message_class
from outlast.vocab import limits
from outlast.vocab.errors import Internal, InvalidArgument, NotFound, ServiceError, Unavailable, Unimplemented

from . import json_form, json_request
from .context import Call, CallContext
from .node import Node
from .routes import PREFIX, WHOLE, Match, Routes
from .rpc import BOUND, TEST_SERVICE

logger = logging.getLogger("outlast.server")

_CLOSING: Final = "the server is shutting down; try again"
_JSON: Final = "application/json"
_DRAINED_BYTES_MAX: Final = 4 * limits.REQUEST_BYTES_MAX
_PASSED_HEADERS: Final = frozenset(
    {"authorization", "client-name", "client-version", "supported-features", "temporal-namespace"}
)
_METADATA_PREFIX: Final = "grpc-metadata-"
_TIMEOUT: Final = "grpc-timeout"
_UNITS_NS: Final = {"H": 3600 * 10**9, "M": 60 * 10**9, "S": 10**9, "m": 10**6, "u": 10**3, "n": 1}
_SWITCHES: Final = frozenset({"pretty", "noPayloadShorthand"})
_HTTP_ERRORS: Final = {404: NotFound, 405: Unimplemented, 413: InvalidArgument, 415: InvalidArgument}


class _Refused(Exception):
    """What HTTP itself refuses, with its status."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] = {}) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class _Gone(Exception):
    """The client went away."""


class _Form(NamedTuple):
    """How bodies are written."""

    pretty: bool
    short_in: bool
    short_out: bool


class Gateway:
    """The JSON API in front of ``call``."""

    def __init__(self, call: Call, services: Sequence[str]) -> None:
        self._call = call
        self.routes = Routes(services)

    def knows(self, raw_path: str) -> bool:
        """Whether some verb of this path is an RPC."""
        match, verbs = self.routes.find("GET", raw_path)
        return match is not None or bool(verbs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        form = _Form(False, True, True)
        extra: Mapping[str, str] = {}
        try:
            headers = Headers(scope=scope)
            pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            form = _form(headers, [name for name, _ in pairs])
            match = self._match(scope["method"], raw_path(scope))
            body = await _body(receive)
            request = _request(match, body, headers, [pair for pair in pairs if pair[0] not in _SWITCHES], form)
            reply = await self._answer(match, request, _context(headers), receive)
            status, message = 200, reply
        except ServiceError as error:
            status, message = error.http_status, error.to_status()
        except _Refused as refused:
            status, message = refused.status, _HTTP_ERRORS[refused.status](str(refused)).to_status()
            extra = refused.headers
        except _Gone:
            return
        content = json_form.to_json(message, shorthand=form.short_out, pretty=form.pretty)
        await respond(send, status, content, extra)

    def _match(self, verb: str, path: str) -> Match:
        match, verbs = self.routes.find(verb, path)
        if match is not None:
            return match
        if verbs:
            raise _Refused(405, f"{path} has no {verb}; use {' or '.join(verbs)}", {"allow": ", ".join(verbs)})
        raise _Refused(
            404,
            f"{verb} {path} is no route of the JSON API; {PREFIX}/openapi.json lists all. A slash in an id is "
            "written %2F, and an id is never empty",
        )

    async def _answer(self, match: Match, request: Message, context: CallContext, receive: Receive) -> Message:
        """The reply; the call is given up when the client goes away first."""
        rpc = match.route.rpc.name
        call = asyncio.ensure_future(self._call(match.route.service, rpc, request, context))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((call, gone), return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise _Gone
            if call.cancelled():
                raise Unavailable(_CLOSING)
            return call.result()
        except ServiceError:
            raise
        except _Gone:
            raise
        except Exception as error:
            logger.exception("%s failed", rpc)
            raise Internal(f"this is a bug in outlast: {rpc}: {type(error).__name__}: {error}") from error
        finally:
            call.cancel()
            gone.cancel()
            await asyncio.wait((call, gone))


def over_node(node: Node, call: Call) -> Gateway:
    """The gateway in front of a node, whose calls go through ``call``."""

    async def open_call(service: str, rpc: str, request: Message, context: CallContext) -> Message:
        if node.closing:
            raise Unavailable(_CLOSING)
        return await call(service, rpc, request, context)

    return Gateway(open_call, (*BOUND, TEST_SERVICE) if node.stillness is not None else BOUND)


def raw_path(scope: Scope) -> str:
    """The path below the place where the application is mounted, still percent-encoded."""
    given = scope.get("raw_path")
    path: str = given.decode("latin-1").partition("?")[0] if given else quoted(scope["path"])
    root = quoted(scope.get("root_path", ""))
    if root and (path == root or path.startswith(root.rstrip("/") + "/")):
        path = path[len(root.rstrip("/")) :]
    return path or "/"


def quoted(path: str) -> str:
    """A path with everything percent-encoded that browsers encode in paths."""
    return quote(path, safe="/:@!$&'()*+,;=~-._")


async def respond(send: Send, status: int, content: bytes, headers: Mapping[str, str] = {}) -> None:
    """Send an answer of JSON."""
    fields = {
        "content-type": _JSON,
        "content-length": str(len(content)),
        "cache-control": "no-store",
        **headers,
    }
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})


# -- what a request says --------------------------------------------------------------------------------------------


def _form(headers: Headers, switches: Sequence[str]) -> _Form:
    accept, content = headers.get("accept", ""), headers.get("content-type", "")
    long = "noPayloadShorthand" in switches
    return _Form(
        pretty="pretty" in switches or "+pretty" in accept,
        short_in=not long and "+no-payload-shorthand" not in content,
        short_out=not long and "+no-payload-shorthand" not in accept,
    )


def _context(headers: Headers) -> CallContext:
    metadata = {}
    for name, value in headers.items():
        if name in _PASSED_HEADERS:
            metadata[name] = value
        elif name.startswith(_METADATA_PREFIX):
            metadata[name.removeprefix(_METADATA_PREFIX)] = value
    timeout = headers.get(_TIMEOUT)
    if timeout is None:
        return CallContext("http", None, metadata)
    found = re.fullmatch(r"(\d{1,8})([HMSmun])", timeout)
    if found is None:
        raise InvalidArgument(f"the header {_TIMEOUT} is {timeout!r}; write digits and a unit of H, M, S, m, u, n: 10S")
    return CallContext("http", time.time_ns() + int(found[1]) * _UNITS_NS[found[2]], metadata)


def _request(match: Match, body: bytes, headers: Headers, pairs: list[tuple[str, str]], form: _Form) -> Message:
    """The request that a path, a query string and a body stand for together."""
    route = match.route
    rpc, kind = route.rpc.name, route.rpc.input_type
    tree: Any = json_request.from_query(pairs, kind, rpc)
    if route.body:
        _check_content(headers, bool(body))
        value = json_request.decoded(body, rpc)
        if route.body == WHOLE:
            if pairs:
                raise InvalidArgument(f"{rpc}: the query parameter {pairs[0][0]} belongs into the body")
            tree = value
        else:
            tree[route.body] = value
    elif body:
        raise InvalidArgument(f"{rpc}: a {route.verb} has no body; use the query string")
    request = message_class(kind.full_name)()
    json_request.read(tree, request, rpc, shorthand=form.short_in)
    for path, text in match.values.items():
        _set(request, path, text, rpc)
    return request


def _set(request: Any, path: str, text: str, rpc: str) -> None:
    *above, last = path.split(".")
    owner = request
    for part in above:
        owner = getattr(owner, part)
    given = getattr(owner, last)
    if given and given != text:
        raise InvalidArgument(f"{rpc}: {path} is {text!r} in the path and {given!r} in the request; give it once")
    setattr(owner, last, text)


def _check_content(headers: Headers, body: bool) -> None:
    content = headers.get("content-type")
    if content is None and not body:
        return
    kind = (content or "").partition(";")[0].strip().lower()
    if kind != _JSON and not kind.startswith(_JSON + "+"):
        raise _Refused(415, f"the content type is {kind!r}; send {_JSON}")
    if headers.get("content-encoding", "identity") != "identity":
        raise _Refused(415, f"the body is encoded as {headers['content-encoding']!r}; send it as it is")


async def _body(receive: Receive) -> bytes:
    """The body; one that is too large is read on for a while, because whoever still sends does not hear the answer."""
    parts = bytearray()
    size = 0
    more = True
    while more and size <= _DRAINED_BYTES_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part = message.get("body", b"")
        size += len(part)
        more = message.get("more_body", False)
        if size <= limits.REQUEST_BYTES_MAX:
            parts += part
    if size > limits.REQUEST_BYTES_MAX:
        fault = f"the body is larger than {limits.REQUEST_BYTES_MAX} bytes; send less"
        raise _Refused(413, fault, {"connection": "close"} if more else {})
    return bytes(parts)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
