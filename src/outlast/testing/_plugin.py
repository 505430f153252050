"""What a test environment does to the workers of its clients: assertions fail workflows, and histories are replayed.

Rule: every workflow that has closed is replayed once with the code that ran it, so that a test finds what is not
deterministic before a deployment does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import outlast.client
import outlast.worker
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.client import ClientConfig, WorkflowHistory
from outlast.service import ConnectConfig, ServiceClient
from outlast.worker import Replayer, ReplayerConfig, Worker, WorkerConfig, WorkflowReplayResult
from outlast.workflow._definition import Definition

from ._mocks import Mocks


class EnvironmentPlugin(outlast.client.Plugin, outlast.worker.Plugin):
    """Keeps the configuration of every worker, to replay with it what that worker ran."""

    def __init__(self) -> None:
        self._workers: list[WorkerConfig] = []
        self._replayed: set[str] = set()
        self.mocks = Mocks()

    # -- plugin ----------------------------------------------------------------------------------------------------

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Unchanged."""
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        """Unchanged."""
        return await next(config)

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """A failed ``assert`` in workflow code fails the workflow, and so the test; mocks replace activities."""
        types = config.get("workflow_failure_exception_types", [])
        config["workflow_failure_exception_types"] = [*types, AssertionError]
        config["activities"] = self.mocks.replace(config.get("activities", []))
        config["interceptors"] = [*config.get("interceptors", []), self.mocks]
        self._workers.append(config)
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Unchanged."""
        await next(worker)

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Unchanged."""
        return config

    def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Unchanged."""
        return next(replayer, histories)

    # -- replay ----------------------------------------------------------------------------------------------------

    def is_due(self, run_id: str) -> bool:
        """Whether this run has not been replayed."""
        return run_id not in self._replayed

    async def replay(self, workflow_id: str, run_id: str, events: list[HistoryEvent]) -> None:
        """Replay a closed run with the code of the worker that serves its task queue; without one, do nothing.

        Raises:
            NondeterminismError: the code does something else than it did.
            RuntimeError: it failed in another way.
        """
        self._replayed.add(run_id)
        config = self._worker_of(events[0])
        if config is None or not any(event.event_type == _e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in events):
            return
        client = config["client"]
        inherited = [one for one in client.config()["interceptors"] if isinstance(one, outlast.worker.Interceptor)]
        replayer = Replayer(
            workflows=config["workflows"],
            workflow_runner=config["workflow_runner"],
            unsandboxed_workflow_runner=config["unsandboxed_workflow_runner"],
            debug_mode=config["debug_mode"],
            namespace=client.namespace,
            data_converter=client.data_converter,
            interceptors=[*inherited, *config.get("interceptors", [])],
            workflow_failure_exception_types=config["workflow_failure_exception_types"],
            header_codec_behavior=client.config()["header_codec_behavior"],
        )
        await replayer.replay_workflow(WorkflowHistory(workflow_id, events))

    def _worker_of(self, started: HistoryEvent) -> WorkerConfig | None:
        attributes = started.workflow_execution_started_event_attributes
        config: WorkerConfig
        for config in reversed(self._workers):
            if config["task_queue"] != attributes.task_queue.name:
                continue
            names = {Definition.must_from_class(one).name for one in config.get("workflows", [])}
            if attributes.workflow_type.name in names or None in names:
                return config
        return None
