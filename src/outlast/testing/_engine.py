"""The engine of a test environment, and the clients that share it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from outlast.api.operatorservice.v1 import AddSearchAttributesRequest
from outlast.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryResponse
from outlast.client import Client
from outlast.common import SearchAttributeKey
from outlast.server import embedded
from outlast.server.clock import WallClock
from outlast.server.node import Node
from outlast.server.rpc import GrpcDoor
from outlast.server.skipping import SkippingClock
from outlast.service import ConnectConfig, RetryConfig
from outlast.service._calls import TransportServiceClient
from outlast.storage.memory import MemoryStorage
from outlast.storage.port import RunKey, Storage
from outlast.storage.sqlite import SqliteStorage

from ._plugin import EnvironmentPlugin
from ._transport import TestTransport

if TYPE_CHECKING:
    from outlast.runtime import Runtime
    from outlast.server.http_server import HttpServer


logger = logging.getLogger("outlast.testing")

_GRACE_S = 1.0
"""How long a page's request may take at the end."""


class Engine:
    """A running node, the way to it, and what has to be done at its end."""

    def __init__(
        self, node: Node, transport: TestTransport, door: GrpcDoor | None, *, replays: bool, ui: HttpServer | None
    ) -> None:
        self.node = node
        self.transport = transport
        self.clock = node.clock if isinstance(node.clock, SkippingClock) else None
        self._door = door
        self._ui = ui
        self._plugin = EnvironmentPlugin()
        self.mocks = self._plugin.mocks
        self._replays = replays
        if replays:
            transport.on_closed = self._on_closed

    def client(
        self,
        config: dict[str, Any],
        retry_config: RetryConfig | None,
        rpc_metadata: Mapping[str, str | bytes],
        identity: str | None,
        runtime: Runtime | None,
    ) -> Client:
        """A client of this engine; ``config`` are the keyword arguments of ``Client`` but the connection."""
        connection = ConnectConfig(
            target_host="sqlite://:memory:",
            retry_config=retry_config,
            rpc_metadata=rpc_metadata,
            identity=identity or "",
            runtime=runtime,
        )
        service = TransportServiceClient(connection, self.transport)
        return Client(service, **{**config, "plugins": [*config["plugins"], self._plugin]})

    async def register(self, namespace: str, keys: Sequence[SearchAttributeKey[Any]], client: Client) -> None:
        """Make search attributes known."""
        request = AddSearchAttributesRequest(namespace=namespace)
        for key in keys:
            request.search_attributes[key.name] = key.indexed_value_type.value
        await client.operator_service.add_search_attributes(request)

    async def shutdown(self) -> None:
        """Replay what has not been replayed, then let go of everything."""
        try:
            if self._replays:
                await self._replay_the_rest()
        finally:
            if self._door is not None or self._ui is not None:
                self.node.release()
            if self._door is not None:
                await self._door.stop(0)
            if self._ui is not None:
                await self._ui.stop()
            await self.transport.close()

    # -- replay ----------------------------------------------------------------------------------------------------

    async def _on_closed(self, request: Message, answer: Message) -> None:
        """The history of a run has ended: replay it before its result is handed out."""
        assert isinstance(request, GetWorkflowExecutionHistoryRequest)
        assert isinstance(answer, GetWorkflowExecutionHistoryResponse)
        if not answer.history.events:
            return
        namespace_id = self.node.namespaces.id_of(request.namespace)
        execution = request.execution
        run_id = execution.run_id or await self.node.runs.current_run_id(namespace_id, execution.workflow_id)
        if run_id is not None:
            await self._replay(RunKey(namespace_id, execution.workflow_id, run_id))

    async def _replay_the_rest(self) -> None:
        for description in self.node.namespaces.all():
            token = b""
            while True:
                page = await self.node.storage.list_executions(description.namespace_info.id, page_token=token)
                for key, row in page.rows:
                    if row.close_time is not None:
                        await self._replay(key)
                token = page.next_page_token
                if not token:
                    break

    async def _replay(self, key: RunKey) -> None:
        if not self._plugin.is_due(key.run_id):
            return
        run = await self.node.runs.get(key)
        await run.settled()
        if not run.state.running:
            events = await self.node.runs.events(run, 1, run.state.next_event_id)
            await self._plugin.replay(key.workflow_id, key.run_id, events)


async def open_engine(
    *,
    skipping: bool,
    namespace: str = "default",
    database: str | None = None,
    ip: str = "127.0.0.1",
    port: int | None = None,
    ui_port: int | None = None,
    raise_task_failures: bool,
    replay_completed: bool,
    stuck_after: timedelta | None,
) -> Engine:
    """Start a node; without a port nothing listens, without ``ui_port`` nothing for browsers.

    Raises:
        StorageError: the database cannot be opened.
        OSError: the address cannot be bound.
    """
    storage: Storage = SqliteStorage.open(Path(database)) if database else MemoryStorage()
    clock = SkippingClock() if skipping else WallClock()
    node = await Node.open(storage, clock=clock, namespaces=dict.fromkeys(("default", namespace)))
    door, ui, call = None, None, None
    if ui_port is not None:
        from outlast.server import http_server  # who has no UI needs no HTTP server in memory
        from outlast.server.origin import Hosts

        ui, call = http_server.before(node, Hosts(ip), _GRACE_S)
        logger.info("Web UI: http://%s:%d", ip, await ui.start(ip, ui_port, "ui_port"))
    if port is not None:
        door = GrpcDoor(node, call)
        await door.start(f"{ip}:{port}")
    transport = TestTransport(
        embedded.over(node),
        node,
        raises_task_failures=raise_task_failures,
        stuck_after=stuck_after.total_seconds() if stuck_after is not None else 0,
    )
    return Engine(node, transport, door, replays=replay_completed, ui=ui)
