"""A node over storage in memory (or another) whose clock only the test moves, called without any door.

``Driven.pass_time`` lets time pass: every alarm on the way rings at its instant, and what it sets off runs to its end
before the next. No real time is waited for.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from outlast.api import workflowservice
from outlast.api.command.v1 import Command
from outlast.api.history.v1 import HistoryEvent
from outlast.server.context import CallContext
from outlast.server.handlers import WORKFLOW_SERVICE
from outlast.server.node import Node
from outlast.storage.memory import MemoryStorage
from outlast.storage.port import Storage
from outlast.vocab.attributes import EVENT_NAMES

_messages = workflowservice.v1

SECOND = 1_000_000_000
EPOCH = 1_700_000_000 * SECOND
"""2023-11-14 22:13:20 UTC"""
_TURNS = 20
"""Turns of the event loop after which everything that an alarm set off has come to rest, over storage in memory."""


class _Alarm:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class HandClock:
    """A ``Clock`` that stands still until it is told to move."""

    def __init__(self, now: int = EPOCH) -> None:
        self._now = now
        self._order = itertools.count()
        self._alarms: list[tuple[int, int, _Alarm]] = []

    def now(self) -> int:
        return self._now

    def call_at(self, at: int, call: Callable[[], None]) -> _Alarm:
        alarm = _Alarm(call)
        heapq.heappush(self._alarms, (at, next(self._order), alarm))
        return alarm

    async def advance(self, by_ns: int) -> None:
        """Move on, ringing what is due on the way."""
        until = self._now + by_ns
        await settle()
        while self._alarms and self._alarms[0][0] <= until:
            at, _, alarm = heapq.heappop(self._alarms)
            self._now = max(self._now, at)
            if alarm.call is not None:
                alarm.call()
                await settle()
        self._now = until


async def settle() -> None:
    """Let the event loop do what it has to do."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class Driven:
    """A node under test."""

    def __init__(self, node: Node, clock: HandClock) -> None:
        self.node = node
        self.clock = clock

    async def call(self, rpc: str, **fields: Any) -> Any:
        """Call an RPC of the workflow service; ``namespace`` and ``identity`` are filled in."""
        message = getattr(_messages, f"{rpc}Request")
        names = message.DESCRIPTOR.fields_by_name
        for name, value in (("namespace", "default"), ("identity", "test")):
            if name in names:
                fields.setdefault(name, value)
        return await self.node.call(WORKFLOW_SERVICE, rpc, message(**fields), CallContext("grpc"))

    async def start(self, workflow_id: str = "order-42", **fields: Any) -> str:
        """Start a workflow; answers its run id."""
        fields = {"workflow_type": {"name": "Order"}, "task_queue": {"name": "orders"}, **fields}
        started = await self.call("StartWorkflowExecution", workflow_id=workflow_id, **fields)
        return str(started.run_id)

    async def signal(self, name: str = "approve", workflow_id: str = "order-42", **fields: Any) -> None:
        execution = {"workflow_id": workflow_id}
        await self.call("SignalWorkflowExecution", workflow_execution=execution, signal_name=name, **fields)

    async def poll(self) -> Any:
        """Take the workflow task that waits."""
        task = await self.call("PollWorkflowTaskQueue", task_queue={"name": "orders"})
        assert task.task_token, "there is no workflow task"
        return task

    async def turn(self, *commands: Command) -> Any:
        """Take the workflow task that waits and complete it."""
        task = await self.poll()
        await self.call("RespondWorkflowTaskCompleted", task_token=task.task_token, commands=commands)
        return task

    async def events(self, run_id: str = "", workflow_id: str = "order-42") -> list[HistoryEvent]:
        execution = {"workflow_id": workflow_id, "run_id": run_id}
        answer = await self.call("GetWorkflowExecutionHistory", execution=execution)
        return list(answer.history.events)

    async def names(self, run_id: str = "", workflow_id: str = "order-42") -> list[str]:
        return [EVENT_NAMES[event.event_type] for event in await self.events(run_id, workflow_id)]

    async def describe(self, run_id: str = "", workflow_id: str = "order-42") -> Any:
        execution = {"workflow_id": workflow_id, "run_id": run_id}
        return await self.call("DescribeWorkflowExecution", execution=execution)

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(int(seconds * SECOND))


@asynccontextmanager
async def driven(storage: Storage | None = None, clock: HandClock | None = None) -> AsyncIterator[Driven]:
    """Open a node; it is closed with its storage at the end."""
    clock = clock or HandClock()
    node = await Node.open(storage or MemoryStorage(), clock=clock)
    try:
        yield Driven(node, clock)
    finally:
        await node.close()
