"""One object that configures clients, workers and replayers.

Rule: the public names are those of ``temporalio.plugin``. What a plugin brings is added behind what is there already;
a function instead of a value decides for itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias, TypeVar, cast

import outlast.client
import outlast.worker
from outlast.client import ClientConfig, WorkflowHistory
from outlast.converter import DataConverter
from outlast.service import ConnectConfig, ServiceClient
from outlast.worker import Replayer, ReplayerConfig, Worker, WorkerConfig, WorkflowReplayResult, WorkflowRunner

T = TypeVar("T")

PluginParameter: TypeAlias = T | Callable[[T | None], T] | None
"""A value, or a function from the value so far (None where there is none) to the value to use."""

_Interceptor: TypeAlias = outlast.client.Interceptor | outlast.worker.Interceptor


class SimplePlugin(outlast.client.Plugin, outlast.worker.Plugin):
    """A plugin made of values. Each goes to every component that it makes sense for."""

    def __init__(
        self,
        name: str,
        *,
        data_converter: PluginParameter[DataConverter] = None,
        interceptors: Sequence[_Interceptor] | None = None,
        activities: PluginParameter[Sequence[Callable[..., Any]]] = None,
        nexus_service_handlers: PluginParameter[Sequence[Any]] = None,
        workflows: PluginParameter[Sequence[type]] = None,
        workflow_runner: PluginParameter[WorkflowRunner] = None,
        workflow_failure_exception_types: PluginParameter[Sequence[type[BaseException]]] = None,
        run_context: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    ) -> None:
        """Make a plugin; what is left out stays as it is.

        Args:
            name: name of the plugin.
            data_converter: replaces the one of clients and replayers.
            interceptors: added to clients, workers and replayers, each to those it is an interceptor of. One that is
                both goes to the client, from which its workers take it.
            activities: added to workers.
            nexus_service_handlers: added to workers.
            workflows: added to workers and replayers.
            workflow_runner: replaces the one of workers and replayers.
            workflow_failure_exception_types: added to workers and replayers.
            run_context: makes the context in which workers and replayers run.
        """
        self._name = name
        self.data_converter = data_converter
        self.interceptors = interceptors
        self.activities = activities
        self.nexus_service_handlers = nexus_service_handlers
        self.workflows = workflows
        self.workflow_runner = workflow_runner
        self.workflow_failure_exception_types = workflow_failure_exception_types
        self.run_context = run_context

    def name(self) -> str:
        """The name that was given."""
        return self._name

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Set the data converter, add the client interceptors."""
        _set(config, "data_converter", self.data_converter)
        _add(config, "interceptors", _of(outlast.client.Interceptor, self.interceptors))
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        """Connect as without the plugin."""
        return await next(config)

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Add activities, workflows, worker interceptors and failure types; set the runner."""
        _add(config, "activities", self.activities)
        _add(config, "nexus_service_handlers", self.nexus_service_handlers)
        self._configure_workflows(config)
        inherited: Sequence[object] = config["client"].config(active_config=True)["interceptors"]
        own = [i for i in _of(outlast.worker.Interceptor, self.interceptors) or () if i not in inherited]
        _add(config, "interceptors", own)
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Add workflows, worker interceptors and failure types; set data converter and runner."""
        _set(config, "data_converter", self.data_converter)
        self._configure_workflows(config)
        _add(config, "interceptors", _of(outlast.worker.Interceptor, self.interceptors))
        return config

    def _configure_workflows(self, config: WorkerConfig | ReplayerConfig) -> None:
        _add(config, "workflows", self.workflows)
        _set(config, "workflow_runner", self.workflow_runner)
        _add(config, "workflow_failure_exception_types", self.workflow_failure_exception_types)

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Run it inside ``run_context``."""
        async with AsyncExitStack() as stack:
            if self.run_context is not None:
                await stack.enter_async_context(self.run_context())
            await next(worker)

    @asynccontextmanager
    async def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        """Replay inside ``run_context``."""
        async with AsyncExitStack() as stack:
            if self.run_context is not None:
                await stack.enter_async_context(self.run_context())
            yield await stack.enter_async_context(next(replayer, histories))


def _of(kind: type[T], interceptors: Iterable[_Interceptor] | None) -> list[T] | None:
    return None if interceptors is None else [i for i in interceptors if isinstance(i, kind)]


def _set(config: Any, key: str, parameter: Any) -> None:
    if parameter is not None:
        value = parameter(config.get(key)) if callable(parameter) else parameter
        if value is not None:
            config[key] = value


def _add(config: Any, key: str, parameter: PluginParameter[Sequence[Any]]) -> None:
    if parameter is None:
        return
    so_far = config.get(key)
    added = parameter(so_far) if callable(parameter) else [*(so_far or ()), *parameter]
    if added is not None:
        config[key] = cast("list[Any]", added)


__all__ = ["PluginParameter", "SimplePlugin"]
