"""The client: one connection, one namespace, and the way to every handle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, Required, Self, TypedDict, overload

from outlast.common import HeaderCodecBehavior, QueryRejectCondition
from outlast.converter import DataConverter
from outlast.service import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    OperatorService,
    PayloadLimitsConfig,
    RetryConfig,
    ServiceClient,
    TestService,
    TLSConfig,
    WorkflowService,
)
from outlast.types import ReturnType, SelfType
from outlast.workflow._definition import Definition

from ._activity_class_calls import ActivityClassCalls
from ._activity_method_calls import ActivityMethodCalls
from ._activity_requests import ActivityRequests
from ._async_activity import AsyncActivityHandle, AsyncActivityIDReference
from ._async_activity_requests import AsyncActivityRequests
from ._embedded import connector
from ._inputs import CountWorkflowsInput, ListWorkflowsInput
from ._interceptor import Interceptor, OutboundInterceptor
from ._plugin import Plugin
from ._schedule_handle import ScheduleCalls
from ._schedule_requests import ScheduleRequests
from ._start_calls import StartCalls
from ._update_requests import UpdateRequests
from ._update_with_start_calls import UpdateWithStartCalls
from ._workflow_handle import WorkflowHandle
from ._workflow_list import WorkflowExecutionAsyncIterator, WorkflowExecutionCount

if TYPE_CHECKING:
    from types import TracebackType

    from outlast.runtime import Runtime


_PAYLOAD_LIMITS = PayloadLimitsConfig()


class ClientConnectConfig(TypedDict, total=False):
    """Keyword arguments of ``Client.connect``."""

    target_host: str
    namespace: str
    api_key: str | None
    data_converter: DataConverter
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    default_workflow_query_reject_condition: QueryRejectCondition | None
    tls: bool | TLSConfig | None
    retry_config: RetryConfig | None
    keep_alive_config: KeepAliveConfig | None
    connect_timeout: timedelta | None
    rpc_metadata: Mapping[str, str | bytes]
    identity: str | None
    lazy: bool
    runtime: Runtime | None
    http_connect_proxy_config: HttpConnectProxyConfig | None
    dns_load_balancing_config: DnsLoadBalancingConfig | None
    grpc_compression: GrpcCompression
    payload_limits: PayloadLimitsConfig
    header_codec_behavior: HeaderCodecBehavior


class ClientConfig(TypedDict, total=False):
    """Arguments of ``Client``, as plugins change them."""

    service_client: Required[ServiceClient]
    namespace: Required[str]
    data_converter: Required[DataConverter]
    plugins: Required[Sequence[Plugin]]
    interceptors: Required[Sequence[Interceptor]]
    default_workflow_query_reject_condition: Required[QueryRejectCondition | None]
    header_codec_behavior: Required[HeaderCodecBehavior]


class _Requests(UpdateRequests, ActivityRequests, AsyncActivityRequests, ScheduleRequests):
    """The last link of the chain of interceptors: turns inputs into requests."""

    def __init__(self, client: Client) -> None:
        # There is no next link, so the base class has nothing to be given.
        self._client = client


class Client(StartCalls, UpdateWithStartCalls, ActivityClassCalls, ActivityMethodCalls, ScheduleCalls):
    """Starts workflows and activities and talks to them.

    For use in the event loop in which it was made, by any number of tasks.

    ``Client(service_client, namespace=...)`` makes another client over the connection of a first one.
    """

    @classmethod
    async def connect(
        cls,
        target_host: str,
        *,
        namespace: str = "default",
        api_key: str | None = None,
        data_converter: DataConverter = DataConverter.default,
        plugins: Sequence[Plugin] = [],
        interceptors: Sequence[Interceptor] = [],
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        tls: bool | TLSConfig | None = None,
        retry_config: RetryConfig | None = None,
        keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default,
        connect_timeout: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        lazy: bool = False,
        runtime: Runtime | None = None,
        http_connect_proxy_config: HttpConnectProxyConfig | None = None,
        dns_load_balancing_config: DnsLoadBalancingConfig | None = None,
        grpc_compression: GrpcCompression = GrpcCompression.GZIP,
        payload_limits: PayloadLimitsConfig = _PAYLOAD_LIMITS,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> Self:
        """Connect to a server, or open an engine in this process.

        Args:
            target_host: ``host:port`` of a server; or ``sqlite:///orders.db``, ``sqlite:////var/lib/orders.db`` or
                ``sqlite://:memory:`` for an engine in this process, which needs no server.
            namespace: namespace of all calls.
            api_key: sent as a bearer token; switches TLS on.
            data_converter: values to payloads and back.
            plugins: change configuration and connection; earlier ones wrap later ones.
            interceptors: see every call; earlier ones wrap later ones. Those that are worker interceptors too are used
                by the workers of this client.
            default_workflow_query_reject_condition: for queries that do not say.
            tls: True or a configuration for TLS; None for TLS only with an API key.
            retry_config: repetition of calls that failed on the way.
            keep_alive_config: pings on an idle connection; None for none.
            connect_timeout: patience when connecting; 10 seconds when None.
            rpc_metadata: headers of every call.
            identity: who we are in histories; ``pid@host`` when None.
            lazy: connect at the first call. An engine in this process is opened at once.
            runtime: for the metrics of the workers of this client.
            http_connect_proxy_config: proxy to tunnel through; the environment's proxies are not used.
            dns_load_balancing_config: spread calls over all addresses of the host.
            grpc_compression: gzip by default.
            payload_limits: sizes from which on a warning is logged.
            header_codec_behavior: whether the codec is applied to headers.

        Raises:
            RuntimeError: nothing answers at the address.
            ValueError: the target has an unknown scheme.
        """
        config = ConnectConfig(
            target_host=target_host,
            api_key=api_key,
            tls=tls,
            retry_config=retry_config,
            keep_alive_config=keep_alive_config,
            connect_timeout=connect_timeout,
            rpc_metadata=rpc_metadata,
            identity=identity or "",
            lazy=lazy,
            runtime=runtime,
            http_connect_proxy_config=http_connect_proxy_config,
            dns_load_balancing_config=dns_load_balancing_config,
            grpc_compression=grpc_compression,
            payload_limits=payload_limits,
        )
        connect = connector(target_host, namespace)
        for plugin in reversed(plugins):
            connect = _through(plugin, connect)
        return cls(
            await connect(config),
            namespace=namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
            plugins=plugins,
        )

    def __init__(
        self,
        service_client: ServiceClient,
        *,
        namespace: str = "default",
        data_converter: DataConverter = DataConverter.default,
        plugins: Sequence[Plugin] = [],
        interceptors: Sequence[Interceptor] = [],
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        """Make a client over a connection; parameters as in ``connect``."""
        config = ClientConfig(
            service_client=service_client,
            namespace=namespace,
            data_converter=data_converter,
            plugins=plugins,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )
        self._initial_config = config.copy()
        for plugin in plugins:
            config = plugin.configure_client(config)
        self._config = config
        self._impl: OutboundInterceptor = _Requests(self)
        for interceptor in reversed(list(config["interceptors"])):
            self._impl = interceptor.intercept_client(self._impl)

    async def close(self) -> None:
        """Close the connection, and with the last client of a database the engine in this process.

        Beyond Temporal's interface. Clients over the same ``service_client`` are closed with it.
        """
        await self.service_client.close()

    async def __aenter__(self) -> Self:
        """This client."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    def config(self, *, active_config: bool = False) -> ClientConfig:
        """A copy of the configuration: as given, or with ``active_config`` as plugins made it."""
        config = self._config.copy() if active_config else self._initial_config.copy()
        config["interceptors"] = list(config["interceptors"])
        return config

    @property
    def service_client(self) -> ServiceClient:
        """The connection."""
        return self._config["service_client"]

    @property
    def workflow_service(self) -> WorkflowService:
        """The raw calls of the workflow service."""
        return self._config["service_client"].workflow_service

    @property
    def operator_service(self) -> OperatorService:
        """The raw calls of the operator service."""
        return self._config["service_client"].operator_service

    @property
    def test_service(self) -> TestService:
        """The raw calls of a test server."""
        return self._config["service_client"].test_service

    @property
    def namespace(self) -> str:
        """Namespace of all calls."""
        return self._config["namespace"]

    @property
    def identity(self) -> str:
        """Who we are in histories."""
        return self._config["service_client"].config.identity

    @property
    def data_converter(self) -> DataConverter:
        """Values to payloads and back."""
        return self._config["data_converter"]

    @property
    def rpc_metadata(self) -> Mapping[str, str | bytes]:
        """Headers of every call. Set a new mapping to change them; do not change this one."""
        return self.service_client.config.rpc_metadata

    @rpc_metadata.setter
    def rpc_metadata(self, value: Mapping[str, str | bytes]) -> None:
        self.service_client.update_rpc_metadata(value)
        self.service_client.config.rpc_metadata = value

    @property
    def api_key(self) -> str | None:
        """Key of every call; may be set while connected."""
        return self.service_client.config.api_key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self.service_client.config.api_key = value
        self.service_client.update_api_key(value)

    def get_workflow_handle(
        self,
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
    ) -> WorkflowHandle[Any, Any]:
        """The handle of a workflow that exists; nothing is asked of the server.

        Args:
            workflow_id: id of the workflow.
            run_id: confine all calls to this run.
            first_execution_run_id: confine cancel, terminate and update to the chain that began with this run.
            result_type: what to convert the result to.
        """
        return WorkflowHandle(
            self,
            workflow_id,
            run_id=run_id,
            result_run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=result_type,
        )

    def get_workflow_handle_for(
        self,
        workflow: Callable[Concatenate[SelfType, ...], Awaitable[ReturnType]],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> WorkflowHandle[SelfType, ReturnType]:
        """``get_workflow_handle`` with the types of a run method.

        Raises:
            ValueError: not the run method of a workflow.
        """
        return self.get_workflow_handle(
            workflow_id,
            run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=Definition.must_from_run_fn(workflow).ret_type,
        )

    def list_workflows(
        self,
        query: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionAsyncIterator:
        """The workflows that a list filter matches, fetched as they are asked for.

        Args:
            query: list filter, such as ``WorkflowType = "Order" AND ExecutionStatus = "Running"``; all when None.
            limit: executions at most.
            page_size: executions per call.
            next_page_token: where to begin.
            rpc_metadata: headers of the calls.
            rpc_timeout: deadline of each call.

        Returns:
            For ``async for``; calls, and so errors, come with the first execution.
        """
        return self._impl.list_workflows(
            ListWorkflowsInput(
                query=query,
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                limit=limit,
            )
        )

    async def count_workflows(
        self,
        query: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionCount:
        """How many workflows a list filter matches; with ``GROUP BY ExecutionStatus``, per status.

        Raises:
            RPCError: INVALID_ARGUMENT for a filter that is wrong.
        """
        return await self._impl.count_workflows(
            CountWorkflowsInput(query=query, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    @overload
    def get_async_activity_handle(self, *, activity_id: str, run_id: str | None = None) -> AsyncActivityHandle: ...

    @overload
    def get_async_activity_handle(
        self, *, workflow_id: str, run_id: str | None, activity_id: str
    ) -> AsyncActivityHandle: ...

    @overload
    def get_async_activity_handle(self, *, task_token: bytes) -> AsyncActivityHandle: ...

    def get_async_activity_handle(
        self,
        *,
        workflow_id: str | None = None,
        run_id: str | None = None,
        activity_id: str | None = None,
        task_token: bytes | None = None,
    ) -> AsyncActivityHandle:
        """The handle of an activity that is completed from outside; nothing is asked of the server.

        Args:
            workflow_id: workflow of the activity; None for a standalone one.
            run_id: run of the workflow, or of a standalone activity.
            activity_id: id of the activity.
            task_token: ``activity.info().task_token``, instead of all the others.

        Raises:
            ValueError: neither a token nor an activity id, or both.
        """
        if task_token is not None:
            if workflow_id is not None or run_id is not None or activity_id is not None:
                raise ValueError("Task token cannot be present with other IDs")
            return AsyncActivityHandle(self, task_token)
        if activity_id is None:
            if workflow_id is not None:
                raise ValueError("Workflow ID, run ID, and activity ID must all be given together")
            raise ValueError("Require task token, or workflow_id & run_id & activity_id, or activity_id & run_id")
        return AsyncActivityHandle(
            self, AsyncActivityIDReference(workflow_id=workflow_id, run_id=run_id, activity_id=activity_id)
        )


def _through(
    plugin: Plugin, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
) -> Callable[[ConnectConfig], Awaitable[ServiceClient]]:
    return lambda config: plugin.connect_service_client(config, next)


_NOT_BUILT = {
    "standalone Nexus operations": (
        "create_nexus_client",
        "list_nexus_operations",
        "count_nexus_operations",
        "get_nexus_operation_handle",
    ),
    "version sets of workers (the versioning that worker deployments replaced)": (
        "update_worker_build_id_compatibility",
        "get_worker_build_id_compatibility",
        "get_worker_task_reachability",
    ),
}


def _refuse(name: str, feature: str) -> Callable[..., NoReturn]:
    def call(self: Client, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"Client.{name}: {feature} are not built in outlast")

    call.__name__ = name
    call.__doc__ = f"Not built: {feature}.\n\nRaises:\n    NotImplementedError: always."
    return call


for _feature, _names in _NOT_BUILT.items():
    for _name in _names:
        setattr(Client, _name, _refuse(_name, _feature))
