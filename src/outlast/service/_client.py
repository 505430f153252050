"""The raw services: every RPC of the descriptors as a method.

Rule: there is no code per RPC. How a call is made is the business of ``ServiceClient._rpc_call``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from google.protobuf.message import Message

from outlast.api.descriptors import SERVICES, message_class
from outlast.api.workflowservice.v1 import PollWorkflowTaskQueueResponse

from ._config import ConnectConfig

DeliverEagerTask = Callable[[PollWorkflowTaskQueueResponse | None], None]
"""Takes the task that came with the start, or None when none came."""

ReserveEagerTask = Callable[[], DeliverEagerTask | None]
"""Reserves a slot of a worker; None when none is free. What it returns must be called exactly once."""

ServiceRequest = TypeVar("ServiceRequest", bound=Message)
ServiceResponse = TypeVar("ServiceResponse", bound=Message)

FULL_NAMES: Mapping[str, str] = {
    "workflow": "temporal.api.workflowservice.v1.WorkflowService",
    "operator": "temporal.api.operatorservice.v1.OperatorService",
    "test": "temporal.api.testservice.v1.TestService",
    "health": "grpc.health.v1.Health",
}


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class _Service:
    """One service of the descriptors: its RPCs as async methods, named in snake case.

    Each takes ``(req, retry=False, metadata={}, timeout=None)``: the request message, whether to repeat the call after
    failures on the way, headers for this call, and its deadline. It raises :class:`RPCError`.
    """

    service: ClassVar[str]

    def __init_subclass__(cls, *, key: str) -> None:
        cls.service = key
        for method in SERVICES[FULL_NAMES[key]].methods:
            name = _snake(method.name)
            setattr(cls, name, _rpc(name, key, method.output_type.full_name))

    def __init__(self, client: ServiceClient) -> None:
        """Calls go through the client."""
        self.client = client

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]: ...


def _rpc(name: str, key: str, response_name: str) -> Callable[..., Awaitable[Any]]:
    response_class = cache(lambda: message_class(response_name))  # classes are made when they are first needed

    async def call(
        self: _Service,
        req: Message,
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = {},
        timeout: timedelta | None = None,
    ) -> Message:
        return await self.client._rpc_call(
            name, req, response_class(), service=key, retry=retry, metadata=metadata, timeout=timeout
        )

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Returns a ``{response_name}``."
    return call


class WorkflowService(_Service, key="workflow"):
    """``temporal.api.workflowservice.v1.WorkflowService``."""


class OperatorService(_Service, key="operator"):
    """``temporal.api.operatorservice.v1.OperatorService``."""


class TestService(_Service, key="test"):
    """``temporal.api.testservice.v1.TestService``: the clock of a test server."""

    __test__ = False  # pytest would collect it by its name


class CloudService:
    """The control plane of Temporal Cloud. Not built."""

    def __init__(self, client: ServiceClient) -> None:
        """Any use of it raises NotImplementedError."""
        self.client = client

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"CloudService.{name}: the control plane of Temporal Cloud is not built in outlast")


class HealthService:
    """``grpc.health.v1.Health``."""

    def __init__(self, client: ServiceClient) -> None:
        """Calls go through the client."""
        self.client = client

    async def check(
        self,
        req: Message,
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = {},
        timeout: timedelta | None = None,
    ) -> Any:
        """Ask for the status of a service.

        Args:
            req: a ``grpc.health.v1.HealthCheckRequest``.
            retry: repeat after failures on the way.
            metadata: headers of this call.
            timeout: deadline.
        """
        from grpc_health.v1.health_pb2 import HealthCheckResponse

        return await self.client._rpc_call(
            "check", req, HealthCheckResponse, service="health", retry=retry, metadata=metadata, timeout=timeout
        )


class ServiceClient(ABC):
    """A connection to the raw services."""

    @staticmethod
    async def connect(config: ConnectConfig) -> ServiceClient:
        """Connect over gRPC.

        Raises:
            RuntimeError: nothing answers at the address; not when ``lazy``, then the first call raises.
        """
        from ._calls import TransportServiceClient

        client = TransportServiceClient(config)
        if not config.lazy:
            await client._connected()
        return client

    def __init__(self, config: ConnectConfig) -> None:
        """Keep the configuration and make the services."""
        super().__init__()
        self.config = config
        self.workflow_service = WorkflowService(self)
        self.operator_service = OperatorService(self)
        self.cloud_service = CloudService(self)
        self.test_service = TestService(self)
        self.health_service = HealthService(self)
        self.eager_workers: dict[tuple[str, str], ReserveEagerTask] = {}
        """Workers of this process by namespace and task queue, to which a start may hand its first workflow task."""

    async def check_health(
        self,
        *,
        service: str = "temporal.api.workflowservice.v1.WorkflowService",
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = {},
        timeout: timedelta | None = None,
    ) -> bool:
        """Whether a service of the server says that it is serving.

        Raises:
            RPCError: the server cannot be reached, or does not know the service.
        """
        from grpc_health.v1 import health_pb2

        request = health_pb2.HealthCheckRequest(service=service)
        answer = await self.health_service.check(request, retry=retry, metadata=metadata, timeout=timeout)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    @property
    @abstractmethod
    def worker_service_client(self) -> ServiceClient:
        """The client that a worker polls with."""

    @abstractmethod
    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Replace the headers of all further calls."""

    @abstractmethod
    def update_api_key(self, api_key: str | None) -> None:
        """Replace the API key of all further calls."""

    async def close(self) -> None:
        """Close the connection. Beyond Temporal's interface; an embedded engine is closed with its last client."""

    @abstractmethod
    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: type[ServiceResponse],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> ServiceResponse: ...
