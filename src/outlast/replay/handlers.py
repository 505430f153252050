"""The handlers of one run, by kind and name, and which of them are running.

Rule: handlers start as the class has them and change as running code says. A handler sees decoded arguments: by its
type hints, or, when dynamic, the name and raw values.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outlast.api.common.v1 import Payload
from outlast.common import RawValue
from outlast.workflow import (
    HandlerUnfinishedPolicy,
    UnfinishedSignalHandlersWarning,
    UnfinishedUpdateHandlersWarning,
)
from outlast.workflow._handlers import HandlerDefinition

if TYPE_CHECKING:
    from .context import RunContext

_WAIT_FOR_THEM = (
    "Wait for them before the workflow returns, "
    "`await workflow.wait_condition(workflow.all_handlers_finished)`, or, if it does not matter, decorate the handler "
    "with `unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON`."
)


@dataclass(frozen=True, slots=True)
class Execution:
    """One handler that is running. ``update_id`` is None for signals."""

    name: str
    policy: HandlerUnfinishedPolicy
    update_id: str | None = None


class Handlers:
    """Definitions of one run's handlers, and their executions.

    Attributes:
        running: executions that have not ended, by a key of their own.
        built_in: by kind, a function that makes the handlers that every workflow has.
    """

    __slots__ = ("_by_kind", "_context", "_next_key", "built_in", "running")

    def __init__(self, context: RunContext) -> None:
        self._context = context
        # Copied from the class when first asked for: most runs never see a query, many no signal.
        self._by_kind: dict[str, dict[str | None, HandlerDefinition]] = {}
        self.built_in: dict[str, Callable[[], dict[str, HandlerDefinition]]] = {}
        self.running: dict[int, Execution] = {}
        self._next_key = 0

    # -- definitions ----------------------------------------------------------------------------------------------

    def _of(self, kind: str) -> dict[str | None, HandlerDefinition]:
        handlers = self._by_kind.get(kind)
        if handlers is None:
            definition = self._context.definition
            mine = {"signal": definition.signals, "query": definition.queries, "update": definition.updates}
            built_in = self.built_in.get(kind)
            handlers = self._by_kind[kind] = dict(mine[kind])
            if built_in:
                handlers.update(built_in())
        return handlers

    def get(self, kind: str, name: str | None) -> HandlerDefinition | None:
        """The handler of exactly this name; None names the dynamic one."""
        return self._of(kind).get(name)

    def find(self, kind: str, name: str) -> HandlerDefinition | None:
        """The handler for this name: its own, or the dynamic one."""
        handlers = self._of(kind)
        return handlers.get(name) or handlers.get(None)

    def set(self, kind: str, name: str | None, definition: HandlerDefinition | None) -> None:
        """Set or, with None, remove a handler."""
        if definition is None:
            self._of(kind).pop(name, None)
        else:
            self._of(kind)[name] = definition

    def all(self, kind: str) -> list[HandlerDefinition]:
        """All handlers of a kind, by name; the dynamic one first."""
        return sorted(self._of(kind).values(), key=lambda definition: definition.name or "")

    def names(self, kind: str) -> str:
        """The names of a kind's handlers, for messages."""
        return " ".join(definition.name for definition in self.all(kind) if definition.name)

    # -- calls ----------------------------------------------------------------------------------------------------

    def arguments(self, definition: HandlerDefinition, name: str, payloads: Sequence[Payload]) -> list[Any]:
        """What to call a handler with.

        Raises:
            RuntimeError: the payloads do not decode.
        """
        context, converter = self._context, self._context.converters.payload
        if definition.name is not None:
            return context.decode(payloads, definition.arg_types, converter)
        if definition.dynamic_vararg:
            hints = definition.arg_types
            return [name, *context.decode(payloads, hints[1:] if hints else None, converter)]
        return [name, context.decode(payloads, [RawValue] * len(payloads), converter)]

    def bound(self, kind: str, name: str) -> Callable[..., Any]:
        """The handler for this name as a function of its arguments."""
        definition = self.find(kind, name)
        assert definition is not None, f"{kind} {name!r} was accepted without a handler"
        return definition.bound(self._context.instance)

    # -- executions -----------------------------------------------------------------------------------------------

    def began(self, execution: Execution) -> int:
        """Note a running handler; returns the key to ``ended``."""
        self._next_key += 1
        self.running[self._next_key] = execution
        return self._next_key

    def ended(self, key: int) -> None:
        """Forget a handler that has ended."""
        self.running.pop(key, None)

    def warn_of_unfinished(self) -> None:
        """The run closes: warn of handlers that it cuts off, unless they said not to."""
        cut_off = [one for one in self.running.values() if one.policy is HandlerUnfinishedPolicy.WARN_AND_ABANDON]
        updates = [{"name": one.name, "id": one.update_id} for one in cut_off if one.update_id is not None]
        signals = Counter(one.name for one in cut_off if one.update_id is None)
        if updates:
            warnings.warn(
                "[TMPRL1102] Workflow finished while update handlers are still running. Their work may be cut off, and "
                "their callers get an error instead of the result. "
                f"{_WAIT_FOR_THEM} The following updates were unfinished: {json.dumps(updates)}",
                UnfinishedUpdateHandlersWarning,
                stacklevel=2,
            )
        if signals:
            counts = [{"name": name, "count": count} for name, count in signals.most_common()]
            warnings.warn(
                "[TMPRL1102] Workflow finished while signal handlers are still running. Their work may be cut off. "
                f"{_WAIT_FOR_THEM} The following signals were unfinished: {json.dumps(counts)}",
                UnfinishedSignalHandlersWarning,
                stacklevel=2,
            )
