"""A real gRPC server whose answers a test writes: handlers by RPC name, and a record of what arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from outlast.api.descriptors import SERVICES, message_class
from outlast.vocab.errors import ServiceError, Unimplemented

WORKFLOW = "temporal.api.workflowservice.v1.WorkflowService"


@dataclass
class Call:
    rpc: str
    request: Any
    metadata: dict[str, str | bytes]
    remaining: float | None


@dataclass
class Server:
    handlers: dict[str, Callable[[Any], Awaitable[Message] | Message]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    address: str = ""

    def received(self, rpc: str) -> list[Call]:
        return [call for call in self.calls if call.rpc == rpc]


class _Generic(grpc.GenericRpcHandler):
    def __init__(self, server: Server) -> None:
        self.server = server

    def service(self, details: Any) -> Any:
        _, service, rpc = details.method.split("/")
        method = SERVICES[service].methods_by_name[rpc]

        async def answer(request: Message, context: Any) -> Message:
            metadata = dict(context.invocation_metadata())
            self.server.calls.append(Call(rpc, request, metadata, context.time_remaining()))
            handler = self.server.handlers.get(rpc)
            try:
                if handler is None:
                    raise Unimplemented(f"{rpc} has no handler")
                result = handler(request)
                return result if isinstance(result, Message) else await result
            except ServiceError as err:
                context.set_trailing_metadata((("grpc-status-details-bin", err.to_status().SerializeToString()),))
                code = next(c for c in grpc.StatusCode if c.value[0] == err.code)
                await context.abort(code, str(err))
                raise

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=message_class(method.input_type.full_name).FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )


@asynccontextmanager
async def serving(credentials: grpc.ServerCredentials | None = None, **handlers: Any) -> AsyncIterator[Server]:
    """A server on a free port, with TLS when it has credentials. GetSystemInfo answers without a handler too."""
    from outlast.api.workflowservice.v1 import GetSystemInfoResponse

    server = Server({"GetSystemInfo": lambda _: GetSystemInfoResponse(server_version="test"), **handlers})
    grpc_server = grpc.aio.server()
    grpc_server.add_generic_rpc_handlers((_Generic(server),))
    if credentials is None:
        port = grpc_server.add_insecure_port("127.0.0.1:0")
    else:
        port = grpc_server.add_secure_port("127.0.0.1:0", credentials)
    server.address = f"127.0.0.1:{port}"
    await grpc_server.start()
    try:
        yield server
    finally:
        await grpc_server.stop(None)
