"""The raw gRPC services, and how to connect to them.

Rule: the public names are those of ``temporalio.service``.
"""

from __future__ import annotations

from ._client import (
    CloudService,
    HealthService,
    OperatorService,
    ServiceClient,
    ServiceRequest,
    ServiceResponse,
    TestService,
    WorkflowService,
)
from ._config import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    PayloadLimitsConfig,
    RetryConfig,
    TLSConfig,
)
from ._errors import RPCError, RPCStatusCode

LOG_PROTOS = False
"""Whether every request and response is logged, at DEBUG, by the logger ``outlast.service``."""

__all__ = [
    "LOG_PROTOS",
    "CloudService",
    "ConnectConfig",
    "DnsLoadBalancingConfig",
    "GrpcCompression",
    "HealthService",
    "HttpConnectProxyConfig",
    "KeepAliveConfig",
    "OperatorService",
    "PayloadLimitsConfig",
    "RPCError",
    "RPCStatusCode",
    "RetryConfig",
    "ServiceClient",
    "ServiceRequest",
    "ServiceResponse",
    "TLSConfig",
    "TestService",
    "WorkflowService",
]
