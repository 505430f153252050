"""What a conformance case works with: a client of one SDK, a task queue of its own, and an engine behind them."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from outlast.api.history.v1 import History, HistoryEvent
from outlast.vocab.attributes import EVENT_FIELD, EVENT_NAMES

EMBEDDED, GRPC, TEMPORALIO = "embedded", "grpc", "temporalio"
WAYS = (EMBEDDED, GRPC, TEMPORALIO)
TEMPORAL_SERVER, REFERENCE = "temporal-server", "reference"
ORACLE = {GRPC: TEMPORAL_SERVER, TEMPORALIO: REFERENCE}
"""The same SDK against Temporal's own server: it runs where an address is named (``conftest.py``)."""
PATIENCE_S = 20
"""No case may wait longer for anything: who is late is broken."""


class Stage:
    """The fixture of every case: ``way`` names it, ``client`` is the SDK's client, ``queue`` the case's task queue."""

    def __init__(self, way: str, client: Any) -> None:
        self.way = way
        self.client = client
        self.queue = f"queue-{uuid.uuid4().hex[:12]}"
        self._numbers = itertools.count(1)

    @property
    def ours(self) -> bool:
        """Whether the worker and the client are ours."""
        return self.way not in (TEMPORALIO, REFERENCE)

    @property
    def oracle(self) -> bool:
        """Whether the server is Temporal's."""
        return self.way in ORACLE.values()

    def says(self, ours: str, temporal: str) -> str:
        """What the server says: the words of ours, or those of Temporal's."""
        return temporal if self.oracle else ours

    def sdk(self, module: str) -> Any:
        """A module of the SDK under test: ``sdk("common")`` is ``outlast.common`` or ``temporalio.common``."""
        return importlib.import_module(f"{'outlast' if self.ours else 'temporalio'}.{module}")

    def id(self) -> str:
        """A workflow id that nobody else uses."""
        return f"{self.queue}-{next(self._numbers)}"

    def with_options(self, **options: Any) -> Any:
        """Another client over the same connection: ``stage.with_options(data_converter=..., interceptors=[...])``."""
        return type(self.client)(**{**self.client.config(), **options})

    def worker(self, *workflows: Any, activities: Any = (), **options: Any) -> Any:
        """A worker on the case's queue; ``async with`` runs it."""
        worker = self.sdk("worker")
        options.setdefault("task_queue", self.queue)
        if not self.ours and workflows:
            options.setdefault("workflow_runner", worker.UnsandboxedWorkflowRunner())
        return worker.Worker(
            options.pop("client", self.client), workflows=list(workflows), activities=list(activities), **options
        )

    async def start(self, run: Any, *args: Any, **options: Any) -> Any:
        """Start a workflow on the case's queue, under an id of its own; answers the handle."""
        options.setdefault("id", self.id())
        options.setdefault("task_queue", self.queue)
        return await self.client.start_workflow(run, args=args, **options)

    async def execute(self, run: Any, *args: Any, **options: Any) -> Any:
        """Start a workflow and wait for its result."""
        return await (await self.start(run, *args, **options)).result()

    async def events(self, handle: Any, run_id: str | None = None) -> list[HistoryEvent]:
        """The run's history, as our messages whichever SDK fetched it."""
        if run_id is not None:
            handle = self.client.get_workflow_handle(handle.id, run_id=run_id)
        fetched = (await handle.fetch_history()).events
        events = [HistoryEvent.FromString(event.SerializeToString()) for event in fetched]
        assert [event.event_id for event in events] == list(range(1, len(events) + 1)), "event ids have a gap"
        return events

    async def names(self, handle: Any, run_id: str | None = None) -> list[str]:
        """The names of the run's events: ``["WorkflowExecutionStarted", "WorkflowTaskScheduled", ...]``."""
        return [EVENT_NAMES[event.event_type] for event in await self.events(handle, run_id)]

    async def attributes(self, handle: Any, name: str, run_id: str | None = None) -> list[Any]:
        """The attributes of the run's events with this name, in order."""
        assert name in EVENT_NAMES.values(), f"there is no event {name}"
        events = await self.events(handle, run_id)
        return [getattr(e, EVENT_FIELD[e.event_type]) for e in events if EVENT_NAMES[e.event_type] == name]

    async def history(self, handle: Any) -> History:
        """The run's history as one message of ours."""
        return History(events=await self.events(handle))

    async def shortly(self, condition: Callable[[], Awaitable[Any]]) -> bool:
        """Whether it is so: at once on our server, which answers with what it was told; in a while on Temporal's."""
        return bool(await (self.until(condition) if self.oracle else condition()))

    async def until(self, condition: Callable[[], Awaitable[Any]]) -> Any:
        """Ask until the answer is true; answers it. For what the server shows and nobody announces."""
        while True:
            if answer := await condition():
                return answer
            await asyncio.sleep(0.005)

    async def until_event(self, handle: Any, name: str, count: int = 1) -> None:
        """Wait until the run's history has ``count`` events with this name."""

        assert name in EVENT_NAMES.values(), f"there is no event {name}"

        async def there() -> bool:
            return (await self.names(handle)).count(name) >= count

        await self.until(there)

    async def until_closed(self, handle: Any) -> Any:
        """Wait for the end of the run, however it ends; answers its status."""
        async for _ in handle.fetch_history_events(
            wait_new_event=True,
            event_filter_type=self.sdk("client").WorkflowHistoryEventFilterType.CLOSE_EVENT,
        ):
            pass
        return (await handle.describe()).status


MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
