"""Handlers set, replaced and looked up by running workflow code.

Rule: None stands for "no handler" on both sides; the dynamic functions are those for names without a handler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from ._handlers import HandlerDefinition
from ._runtime import Runtime

_Handler = Callable[..., Any] | None


def _set(
    kind: Literal["signal", "query", "update"], name: str | None, handler: _Handler, validator: _Handler = None
) -> None:
    defn = None
    if handler:
        defn = HandlerDefinition(kind, name, handler, is_method=False).checked(stacklevel=3)
        if validator is not None:
            defn.set_validator(validator)
    Runtime.current().set_handler(kind, name, defn)


def get_signal_handler(name: str) -> _Handler:
    """The handler of this signal; never the dynamic one."""
    return Runtime.current().handler("signal", name)


def set_signal_handler(name: str, handler: _Handler) -> None:
    """Handle this signal from now on; what came before and found no handler is delivered at once."""
    _set("signal", name, handler)


def get_dynamic_signal_handler() -> _Handler:
    """The handler of signals that have none of their own."""
    return Runtime.current().handler("signal", None)


def set_dynamic_signal_handler(handler: _Handler) -> None:
    """Handle signals that have no handler; all that are waiting for one are delivered at once."""
    _set("signal", None, handler)


def get_query_handler(name: str) -> _Handler:
    """The handler of this query; never the dynamic one."""
    return Runtime.current().handler("query", name)


def set_query_handler(name: str, handler: _Handler) -> None:
    """Answer this query from now on."""
    _set("query", name, handler)


def get_dynamic_query_handler() -> _Handler:
    """The handler of queries that have none of their own."""
    return Runtime.current().handler("query", None)


def set_dynamic_query_handler(handler: _Handler) -> None:
    """Answer queries that have no handler."""
    _set("query", None, handler)


def get_update_handler(name: str) -> _Handler:
    """The handler of this update; never the dynamic one."""
    return Runtime.current().handler("update", name)


def set_update_handler(name: str, handler: _Handler, *, validator: _Handler = None) -> None:
    """Handle this update from now on.

    Raises:
        ValueError: the validator is async.
    """
    _set("update", name, handler, validator)


def get_dynamic_update_handler() -> _Handler:
    """The handler of updates that have none of their own."""
    return Runtime.current().handler("update", None)


def set_dynamic_update_handler(handler: _Handler, *, validator: _Handler = None) -> None:
    """Handle updates that have no handler.

    Raises:
        ValueError: the validator is async.
    """
    _set("update", None, handler, validator)


def all_handlers_finished() -> bool:
    """Whether no signal or update handler is running; worth waiting for before the workflow returns."""
    return Runtime.current().all_handlers_finished()
