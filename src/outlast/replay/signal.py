"""Signals: delivered in order, each to a task of its own; without a handler they wait until one is set.

Rule: a signal that cannot be decoded is dropped with an error in the log, as Temporal does: it must not block the
workflow for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from outlast.api.common.v1 import Payload
from outlast.api.history.v1 import HistoryEvent
from outlast.workflow import logger
from outlast.workflow._calls import HandleSignalInput
from outlast.workflow._event_groups import signal_group
from outlast.workflow._handlers import HandlerDefinition

from .handlers import Execution, Handlers
from .workflow_execution import Closing

if TYPE_CHECKING:
    from .context import RunContext


class Signals:
    """The signals of one run."""

    __slots__ = ("_closing", "_context", "_handlers", "_waiting")

    def __init__(self, context: RunContext, handlers: Handlers, closing: Closing) -> None:
        self._context, self._handlers, self._closing = context, handlers, closing
        self._waiting: dict[str, list[HistoryEvent]] = {}

    def on_signaled(self, event: HistoryEvent) -> None:
        """A signal arrives."""
        self._context.jobs.add_signal(partial(self._deliver, event))

    def _deliver(self, event: HistoryEvent) -> None:
        name = event.workflow_execution_signaled_event_attributes.signal_name
        definition = self._handlers.find("signal", name)
        if definition is None:
            self._waiting.setdefault(name, []).append(event)
        else:
            self._handle(definition, event)

    def handler_was_set(self, name: str | None, definition: HandlerDefinition) -> None:
        """Deliver what has been waiting for this handler."""
        if name is not None:
            waiting = self._waiting.pop(name, [])
        else:
            waiting = [event for events in self._waiting.values() for event in events]
            self._waiting.clear()
        for event in waiting:
            self._handle(definition, event)

    def _handle(self, definition: HandlerDefinition, event: HistoryEvent) -> None:
        attributes = event.workflow_execution_signaled_event_attributes
        name, payloads = attributes.signal_name, attributes.input.payloads
        try:
            args = self._handlers.arguments(definition, name, payloads)
        except Exception:
            logger.exception("Failed deserializing signal input for %s, dropping the signal", name)
            return
        key = self._handlers.began(Execution(name, definition.unfinished_policy))
        task = self._context.loop.create_task(
            self._closing.guarded(self._run(name, args, attributes.header.fields, event.event_id)),
            name=f"signal: {name}",
        )
        task.add_done_callback(lambda _: self._handlers.ended(key))

    async def _run(self, name: str, args: Sequence[object], headers: Mapping[str, Payload], event_id: int) -> None:
        with signal_group(event_id).scope():
            await self._context.interception.inbound.handle_signal(HandleSignalInput(name, args, headers))
