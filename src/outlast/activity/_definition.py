"""``@defn``, and the definition that it leaves on an activity.

Rule: whatever is wrong with a function is found when it is decorated, except its type hints: they may name what is
defined further down, so they are read when a worker or a call first needs them.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

from outlast.common import RawValue, _type_hints_from_func
from outlast.types import CallableType

_ATTRIBUTE = "__temporal_activity_definition"


@dataclass(frozen=True)
class Definition:
    """An activity as workers and callers need it. ``name`` is None for the dynamic activity."""

    name: str | None
    fn: Callable[..., Any]
    is_async: bool
    no_thread_cancel_exception: bool

    @cached_property
    def hints(self) -> tuple[list[type] | None, type | None]:
        """Hints of the parameters and of the result.

        Raises:
            TypeError: a dynamic activity with other parameters than one ``Sequence[RawValue]``.
        """
        arg_types, ret_type = _type_hints_from_func(self.fn)
        if self.name is None and arg_types != [Sequence[RawValue]]:
            raise TypeError(
                f"Dynamic activity must accept a single Sequence[outlast.common.RawValue], but {self.fn.__qualname__} "
                "does not; its parameter is what every argument arrives in"
            )
        return arg_types, ret_type

    @property
    def arg_types(self) -> list[type] | None:
        return self.hints[0]

    @property
    def ret_type(self) -> type | None:
        return self.hints[1]

    @staticmethod
    def from_callable(fn: Callable[..., Any]) -> Definition | None:
        """The definition of a decorated function, of a bound method or of an instance with a decorated class."""
        found = getattr(fn, _ATTRIBUTE, None)
        if not isinstance(found, Definition):
            return None
        # What was decorated may be the plain function behind a bound method, or the class of a callable.
        return found if found.fn is fn else dataclasses.replace(found, fn=fn)

    @staticmethod
    def must_from_callable(fn: Callable[..., Any]) -> Definition:
        """As ``from_callable``.

        Raises:
            TypeError: it was not decorated.
        """
        found = Definition.from_callable(fn)
        if found is None:
            name = getattr(fn, "__name__", None) or repr(fn)
            raise TypeError(
                f"Activity {name} missing attributes, was it decorated with @activity.defn? "
                f"Write @activity.defn above its definition"
            )
        return found


@overload
def defn(fn: CallableType) -> CallableType: ...
@overload
def defn(
    *, name: str | None = None, no_thread_cancel_exception: bool = False
) -> Callable[[CallableType], CallableType]: ...
@overload
def defn(
    *, no_thread_cancel_exception: bool = False, dynamic: bool = False
) -> Callable[[CallableType], CallableType]: ...
def defn(
    fn: Any = None, *, name: str | None = None, no_thread_cancel_exception: bool = False, dynamic: bool = False
) -> Any:
    """Make a function, a method or a class with ``__call__`` an activity; ``async def`` or plain ``def``.

    Args:
        name: the activity type; the name of the function by default.
        no_thread_cancel_exception: do not raise ``CancelledError`` in the thread of a plain ``def`` activity when it is
            cancelled; it has to ask ``is_cancelled``.
        dynamic: run every activity type that has no activity of its own; takes one ``Sequence[RawValue]``.

    Raises:
        ValueError: it is an activity already, or it is dynamic and has a name.
        TypeError: it is not callable, has keyword-only parameters, or is dynamic and has others than it must.
    """
    if dynamic and name is not None:
        raise ValueError(f"A dynamic activity has no name of its own, but {name!r} was given; leave out one of them")

    def decorate(function: Any) -> Any:
        if not callable(function):
            raise TypeError("Activity is not callable")
        if _ATTRIBUTE in getattr(function, "__dict__", {}):
            raise ValueError("Function already contains activity definition")
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                raise TypeError(
                    f"Activity cannot have keyword-only arguments, but {function.__name__} has {parameter.name!r}: "
                    "arguments travel by position"
                )
        call = function.__call__ if isinstance(function, type) or not inspect.isroutine(function) else function
        definition = Definition(
            name=None if dynamic else name or function.__name__,
            fn=function,
            is_async=inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call),
            no_thread_cancel_exception=no_thread_cancel_exception,
        )
        if dynamic:
            _ = definition.hints  # wrong ones are refused here
        setattr(function, _ATTRIBUTE, definition)
        return function

    return decorate if fn is None else decorate(fn)
