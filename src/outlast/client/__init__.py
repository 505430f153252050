"""Clients: start workflows, wait for them, ask them, tell them, list them.

Rule: the public names are those of ``temporalio.client``. Schedules, standalone activities and Nexus are not built.
"""

from __future__ import annotations

from outlast.service import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    PayloadLimitsConfig,
    RetryConfig,
    RPCError,
    RPCStatusCode,
    ServiceClient,
    TLSConfig,
)

from ._async_activity import AsyncActivityHandle, AsyncActivityIDReference
from ._client import Client, ClientConfig, ClientConnectConfig
from ._exceptions import (
    AsyncActivityCancelledError,
    RPCTimeoutOrCancelledError,
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from ._history import WorkflowHistory, WorkflowHistoryEventAsyncIterator, WorkflowHistoryEventFilterType
from ._inputs import (
    CancelWorkflowInput,
    CompleteAsyncActivityInput,
    CountWorkflowsInput,
    DescribeWorkflowInput,
    FailAsyncActivityInput,
    FetchWorkflowHistoryEventsInput,
    HeartbeatAsyncActivityInput,
    ListWorkflowsInput,
    QueryWorkflowInput,
    ReportCancellationAsyncActivityInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    TerminateWorkflowInput,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
)
from ._interceptor import Interceptor, OutboundInterceptor
from ._plugin import Plugin
from ._workflow_execution import WorkflowExecution, WorkflowExecutionDescription, WorkflowExecutionStatus
from ._workflow_handle import WorkflowHandle
from ._workflow_list import (
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
    WorkflowExecutionCountAggregationGroup,
)
from ._workflow_update import WithStartWorkflowOperation, WorkflowUpdateHandle, WorkflowUpdateStage

__all__ = [
    "AsyncActivityCancelledError",
    "AsyncActivityHandle",
    "AsyncActivityIDReference",
    "CancelWorkflowInput",
    "Client",
    "ClientConfig",
    "ClientConnectConfig",
    "CompleteAsyncActivityInput",
    "ConnectConfig",
    "CountWorkflowsInput",
    "DescribeWorkflowInput",
    "DnsLoadBalancingConfig",
    "FailAsyncActivityInput",
    "FetchWorkflowHistoryEventsInput",
    "GrpcCompression",
    "HeartbeatAsyncActivityInput",
    "HttpConnectProxyConfig",
    "Interceptor",
    "KeepAliveConfig",
    "ListWorkflowsInput",
    "OutboundInterceptor",
    "PayloadLimitsConfig",
    "Plugin",
    "QueryWorkflowInput",
    "RPCError",
    "RPCStatusCode",
    "RPCTimeoutOrCancelledError",
    "ReportCancellationAsyncActivityInput",
    "RetryConfig",
    "ServiceClient",
    "SignalWorkflowInput",
    "StartWorkflowInput",
    "StartWorkflowUpdateInput",
    "StartWorkflowUpdateWithStartInput",
    "TLSConfig",
    "TerminateWorkflowInput",
    "UpdateWithStartStartWorkflowInput",
    "UpdateWithStartUpdateWorkflowInput",
    "WithStartWorkflowOperation",
    "WorkflowContinuedAsNewError",
    "WorkflowExecution",
    "WorkflowExecutionAsyncIterator",
    "WorkflowExecutionCount",
    "WorkflowExecutionCountAggregationGroup",
    "WorkflowExecutionDescription",
    "WorkflowExecutionStatus",
    "WorkflowFailureError",
    "WorkflowHandle",
    "WorkflowHistory",
    "WorkflowHistoryEventAsyncIterator",
    "WorkflowHistoryEventFilterType",
    "WorkflowQueryFailedError",
    "WorkflowQueryRejectedError",
    "WorkflowUpdateFailedError",
    "WorkflowUpdateHandle",
    "WorkflowUpdateRPCTimeoutOrCancelledError",
    "WorkflowUpdateStage",
]
