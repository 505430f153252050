"""API keys: who calls without one of the server's is refused, at both doors, before the request is read.

A key comes as ``authorization: Bearer KEY``, which Temporal's SDKs and programs send. A browser asks its user for a
name and a password and sends them as ``Basic``; the password is the key, the name is anybody's. Health answers
everybody: who watches over servers has no keys. With several keys one is replaced after the other without a pause.
``key_guard.py`` stands before HTTP.

Source: RFC 6750, RFC 7617.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import grpc

from outlast.vocab.errors import Unauthenticated

_OPEN_METHODS: Final = "/grpc.health.v1.Health/"


class ApiKeys:
    """The keys that let in. They are kept as digests, and compared in a time that tells nothing of them."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = tuple(_digest(key) for key in keys)

    def fault(self, authorization: str) -> Unauthenticated | None:
        """Why a call with this header is refused; None for one that is let in."""
        given = _given(authorization)
        if given is None:
            return Unauthenticated("this server wants an API key; send it as the header 'authorization: Bearer KEY'")
        digest = _digest(given)
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return (
            None if any(matches) else Unauthenticated("the API key is none of this server's; check which key is sent")
        )


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _given(authorization: str) -> str | None:
    """The key in the header; None where there is none."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        _, separator, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password if separator and password else None


class KeyInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls of gRPC."""

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """The handler of the call, or one that refuses it."""
        if handler_call_details.method.startswith(_OPEN_METHODS):
            return await continuation(handler_call_details)
        metadata = dict(handler_call_details.invocation_metadata or ())
        authorization = metadata.get("authorization", "")
        fault = self._keys.fault(authorization if isinstance(authorization, str) else "")
        return await continuation(handler_call_details) if fault is None else _refusing(fault)


def _refusing(fault: Unauthenticated) -> grpc.RpcMethodHandler:
    async def refuse(_: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(fault))

    return grpc.unary_unary_rpc_method_handler(refuse)
