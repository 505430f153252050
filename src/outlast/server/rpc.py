"""The gRPC door: every RPC of Temporal's services bound from the descriptors, with health and reflection.

No line here knows an RPC. Requests are parsed inside the handler, so that bytes which are no request are the caller's
fault (INVALID_ARGUMENT) and not gRPC's. An error carries its google.rpc.Status in the trailing metadata, where SDKs
look for it.

Source: https://grpc.io/docs/guides/error/ (the richer error model); rules 3.10.1 and 3.15.2.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from outlast.api.descriptors import POOL, SERVICES, message_class
from outlast.vocab import limits
from outlast.vocab.errors import Internal, InvalidArgument, ServiceError, Unavailable

from .context import Call, CallContext
from .health import Health
from .node import Node

logger = logging.getLogger("outlast.server")

BOUND = (
    "temporal.api.workflowservice.v1.WorkflowService",
    "temporal.api.operatorservice.v1.OperatorService",
)
"""The services that the door offers."""
TEST_SERVICE = "temporal.api.testservice.v1.TestService"
"""Offered beside them where the node's clock jumps."""

_CLOSING = "the server is shutting down; try again"
_STATUS_TRAILER = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_OPTIONS = (
    ("grpc.max_receive_message_length", limits.REQUEST_BYTES_MAX),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.max_concurrent_streams", 100_000),
    ("grpc.keepalive_time_ms", limits.GRPC_KEEPALIVE_S * 1000),
    ("grpc.keepalive_timeout_ms", limits.GRPC_KEEPALIVE_PATIENCE_S * 1000),
    ("grpc.server_handshake_timeout_ms", limits.GRPC_HANDSHAKE_S * 1000),
)


class GrpcDoor:
    """A gRPC server in front of a node."""

    def __init__(
        self, node: Node, call: Call | None = None, interceptors: Sequence[grpc.aio.ServerInterceptor] = ()
    ) -> None:
        """``call`` stands before ``node.call``, to count; None for nothing. ``interceptors`` see every call first."""
        self._node = node
        self._server = grpc.aio.server(
            options=_OPTIONS, compression=grpc.Compression.NoCompression, interceptors=interceptors or None
        )
        self._bound = (*BOUND, TEST_SERVICE) if node.stillness is not None else BOUND
        for name in self._bound:
            self._server.add_generic_rpc_handlers((_service(node, SERVICES[name], call or node.call),))
        self._health = Health(self._bound)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (*self._bound, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server, pool=_pool())

    async def start(self, address: str, credentials: grpc.ServerCredentials | None = None) -> int:
        """Listen at ``host:port``; answers the port, which differs where 0 was asked for.

        Args:
            credentials: for TLS; None speaks in the clear.

        Raises:
            OSError: the address cannot be bound.
        """
        try:
            port: int = (
                self._server.add_insecure_port(address)
                if credentials is None
                else self._server.add_secure_port(address, credentials)
            )
        except RuntimeError as error:
            raise OSError(str(error)) from error
        if not port:
            raise OSError(f"{address} cannot be bound")
        await self._server.start()
        self._health.serve()
        return port

    async def stop(self, grace: float) -> None:
        """Take no new calls, and give those under way ``grace`` seconds."""
        self._health.end()
        await self._server.stop(grace)


def _pool() -> Any:
    """Our private pool, with the messages of health and reflection added so that one pool describes all."""
    for module in (health_pb2, reflection._reflection_pb2):
        data = module.DESCRIPTOR.serialized_pb
        try:
            POOL.FindFileByName(module.DESCRIPTOR.name)
        except KeyError:
            POOL.AddSerializedFile(data)
    return POOL


def _service(node: Node, service: ServiceDescriptor, call: Call) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        service.full_name,
        {method.name: _method(node, service.full_name, method, call) for method in service.methods},
    )


def _method(node: Node, service: str, method: MethodDescriptor, call: Call) -> grpc.RpcMethodHandler:
    parse = message_class(method.input_type.full_name).FromString
    rpc = method.name

    async def handle(data: bytes, grpc_context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        try:
            if node.closing:
                raise Unavailable(_CLOSING)
            try:
                request = parse(data)
            except DecodeError as error:
                raise InvalidArgument(
                    f"{rpc}: the request is not a {method.input_type.full_name} ({error}); send that message"
                ) from error
            reply = await call(service, rpc, request, _context(node, grpc_context))
            return reply.SerializeToString()
        except ServiceError as error:
            await _abort(grpc_context, error)
        except asyncio.CancelledError:
            if node.closing:
                await _abort(grpc_context, Unavailable(_CLOSING))
            raise
        except Exception as error:
            logger.exception("%s failed", rpc)
            await _abort(grpc_context, Internal(f"this is a bug in outlast: {rpc}: {type(error).__name__}: {error}"))

    return grpc.unary_unary_rpc_method_handler(handle)


def _context(node: Node, grpc_context: grpc.aio.ServicerContext[bytes, bytes]) -> CallContext:
    remaining = grpc_context.time_remaining()
    metadata = {key: value for key, value in grpc_context.invocation_metadata() or () if isinstance(value, str)}
    # A call without a deadline reports a remaining time of hundreds of years.
    deadline_at = None if remaining is None or remaining > _NO_DEADLINE_S else node.wall.now() + int(remaining * 1e9)
    return CallContext("grpc", deadline_at, metadata)


_NO_DEADLINE_S = 10 * 365 * 24 * 3600.0


async def _abort(grpc_context: grpc.aio.ServicerContext[bytes, bytes], error: ServiceError) -> NoReturn:
    trailer = ((_STATUS_TRAILER, error.to_status().SerializeToString()),)
    await grpc_context.abort(_CODES[error.code], str(error), trailer)
    raise AssertionError("abort returned")
