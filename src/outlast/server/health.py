"""gRPC's health service: whether the server, or one of its services, takes calls.

A watch is told of the end and then ends itself, so that nobody who watches keeps a server from stopping.

Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_STATUS = health_pb2.HealthCheckResponse


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """The status of the server, asked for as "", and of its services, which share it."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(("", *services))
        self._serving = False
        self._changed = asyncio.Event()
        self._ended = False

    def serve(self) -> None:
        """Calls are taken from now on."""
        self._serving = True
        self._tell()

    def end(self) -> None:
        """No call is taken any more; watches are told so and end."""
        self._serving, self._ended = False, True
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def Check(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: N802
        """The status now."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {request.service!r} here")
        return self._status(request.service)

    async def Watch(  # noqa: N802
        self, request: Any, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[Any]:
        """The status now, and whenever it changes."""
        while True:
            changed = self._changed
            yield self._status(request.service)
            if self._ended:
                return
            await changed.wait()

    def _status(self, service: str) -> Any:
        if service not in self._services:
            return _STATUS(status=_STATUS.SERVICE_UNKNOWN)
        return _STATUS(status=_STATUS.SERVING if self._serving else _STATUS.NOT_SERVING)
