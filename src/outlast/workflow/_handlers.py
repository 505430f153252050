"""Signal, query and update handlers: the decorators and what they leave on a function.

Rule: a decorator checks the function and attaches a ``HandlerDefinition``; type hints are read once, at first use.
Dynamic handlers have the name None and take ``(self, name: str, args: Sequence[RawValue])``.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partial
from typing import Any, Literal, Protocol, cast, overload, runtime_checkable

from outlast.common import RawValue, _type_hints_from_func
from outlast.types import (
    CallableSyncOrAsyncReturnNoneType,
    CallableType,
    MultiParamSpec,
    ProtocolReturnType,
    ReturnType,
)


class HandlerUnfinishedPolicy(Enum):
    """What happens when the workflow closes while the handler is still running: warn, or say nothing."""

    WARN_AND_ABANDON = 1
    ABANDON = 2


class UnfinishedUpdateHandlersWarning(RuntimeWarning):
    """The workflow closed while update handlers were running."""


class UnfinishedSignalHandlersWarning(RuntimeWarning):
    """The workflow closed while signal handlers were running."""


@dataclass(frozen=True)
class HandlerDefinition:
    """One handler. ``name`` is None when dynamic; ``is_method`` when ``fn`` takes the workflow object first."""

    kind: Literal["signal", "query", "update"]
    name: str | None
    fn: Callable[..., Any]
    is_method: bool
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None
    validator: Callable[..., None] | None = None

    @cached_property
    def hints(self) -> tuple[list[type] | None, type | None]:
        return _type_hints_from_func(self.fn)

    @property
    def arg_types(self) -> list[type] | None:
        """Type hints of the arguments, or None when they cannot be told."""
        return self.hints[0]

    @property
    def ret_type(self) -> type | None:
        return self.hints[1]

    @cached_property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.fn)

    @cached_property
    def dynamic_vararg(self) -> bool:
        """Whether this is a dynamic handler of the old form ``(self, name, *args)``."""
        return self.name is None and not _takes_raw_values(self.fn, self.arg_types, self.is_method)

    def bound(self, instance: Any) -> Callable[..., Any]:
        """The handler as a function of its arguments alone."""
        if not self.is_method:
            return self.fn
        if not self.is_async:
            return partial(self.fn, instance)
        fn = cast(Callable[..., Awaitable[Any]], self.fn)

        # partial would hide that it is a coroutine function from interceptors that ask.
        async def with_instance(*args: Any, **kwargs: Any) -> Any:
            return await fn(instance, *args, **kwargs)

        return with_instance

    def set_validator(self, validator: Callable[..., None]) -> None:
        """Attach the validator of an update.

        Raises:
            ValueError: the validator is async: nobody would await it, and every update would pass.
            RuntimeError: there is one already.
        """
        if inspect.iscoroutinefunction(validator):
            raise ValueError(
                f"Update validator must not be an async function: write `def {validator.__name__}` "
                f"for update {self.name or '<dynamic>'}"
            )
        if self.validator:
            raise RuntimeError(f"Validator already set for update {self.name}")
        object.__setattr__(self, "validator", validator)

    def checked(self, stacklevel: int) -> HandlerDefinition:
        """This definition, after the checks that need its signature.

        Raises:
            RuntimeError: a dynamic handler with the wrong parameters.
        """
        if self.kind == "query" and self.is_async:
            warnings.warn("Queries as async def functions are deprecated", DeprecationWarning, stacklevel + 1)
        if self.name is None and self.dynamic_vararg:
            if self.kind == "update":
                raise RuntimeError("Dynamic updates do not support a vararg third param, use Sequence[RawValue]")
            plural = {"signal": "signals", "query": "queries"}[self.kind]
            warnings.warn(
                f"Dynamic {plural} with vararg third param is deprecated, use Sequence[RawValue]",
                DeprecationWarning,
                stacklevel + 1,
            )
        return self


def _takes_raw_values(fn: Callable[..., Any], arg_types: list[type] | None, is_method: bool) -> bool:
    params = list(inspect.signature(fn).parameters.values())
    old_form = (
        len(params) == (3 if is_method else 2)
        and params[-2].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        and params[-1].kind is inspect.Parameter.VAR_POSITIONAL
    )
    if old_form:
        return False
    if not arg_types or len(arg_types) != 2 or arg_types[0] is not str or arg_types[1] != Sequence[RawValue]:
        raise RuntimeError(
            f"Dynamic handler must have 3 arguments: self, str, and Sequence[RawValue], but {fn.__qualname__} has not"
        )
    return True


def definition_of(fn: Any, kind: str) -> HandlerDefinition | None:
    """The definition that the decorator of this kind left on a function, if any."""
    found = getattr(fn, "_defn" if kind == "update" else f"__temporal_{kind}_definition", None)
    return found if isinstance(found, HandlerDefinition) and found.kind == kind else None


def signal_name(signal: str | Callable[..., Any]) -> str:
    """The name of a signal given by name or by handler method.

    Raises:
        RuntimeError: not a signal handler, or the dynamic one.
    """
    if not callable(signal):
        return str(signal)
    found = definition_of(signal, "signal")
    if found is None:
        qualname = getattr(signal, "__qualname__", repr(signal))
        raise RuntimeError(f"Signal definition not found on {qualname}, is it decorated with @workflow.signal?")
    if not found.name:
        raise RuntimeError("Cannot invoke dynamic signal definition")
    return found.name


def update_name_and_result_type(update: str | Callable[..., Any]) -> tuple[str, type | None]:
    """The name and result type of an update given by name or by handler method.

    Raises:
        RuntimeError: the handler is the dynamic one.
    """
    found = definition_of(update, "update")
    if found is None:
        return str(update), None
    if not found.name:
        raise RuntimeError("Cannot invoke dynamic update definition")
    return found.name, found.ret_type


def _decorator(
    kind: Literal["signal", "query", "update"],
    fn: Callable[..., Any] | None,
    name: str | None,
    dynamic: bool | None,
    policy: HandlerUnfinishedPolicy,
    description: str | None,
) -> Any:
    if name is not None and dynamic:
        raise RuntimeError(
            f"Cannot provide name and dynamic boolean: a dynamic {kind} handler has no name, leave out {name!r}"
        )

    def attach(fn: Callable[..., Any]) -> Any:
        defn = HandlerDefinition(kind, None if dynamic else name or fn.__name__, fn, True, policy, description).checked(
            stacklevel=3
        )
        if kind == "update":
            fn._defn = defn  # type: ignore[attr-defined]
            fn.validator = partial(_set_validator, defn)  # type: ignore[attr-defined]
        else:
            setattr(fn, f"__temporal_{kind}_definition", defn)
        return fn

    return attach if fn is None else attach(fn)


def _set_validator(defn: HandlerDefinition, fn: Callable[..., None]) -> Callable[..., None]:
    defn.set_validator(fn)
    return fn


@overload
def signal(fn: CallableSyncOrAsyncReturnNoneType) -> CallableSyncOrAsyncReturnNoneType: ...
@overload
def signal(
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Callable[[CallableSyncOrAsyncReturnNoneType], CallableSyncOrAsyncReturnNoneType]: ...
def signal(
    fn: Any = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """Make a method, async or not, the handler of a signal.

    Args:
        name: of the signal; the method's name by default.
        dynamic: handle every signal that has no handler of its own; excludes ``name``.
        unfinished_policy: whether to warn when the workflow closes while this handler runs.
        description: one line for UI and CLI.

    Raises:
        RuntimeError: ``name`` and ``dynamic``, or a dynamic handler with the wrong parameters.
    """
    return _decorator("signal", fn, name, dynamic, unfinished_policy, description)


@overload
def query(fn: CallableType) -> CallableType: ...
@overload
def query(
    *, name: str | None = None, dynamic: bool | None = False, description: str | None = None
) -> Callable[[CallableType], CallableType]: ...
def query(
    fn: Any = None, *, name: str | None = None, dynamic: bool | None = False, description: str | None = None
) -> Any:
    """Make a method the handler of a query. It must change nothing; async query handlers are deprecated.

    Args:
        name: of the query; the method's name by default.
        dynamic: answer every query that has no handler of its own; excludes ``name``.
        description: one line for UI and CLI.

    Raises:
        RuntimeError: ``name`` and ``dynamic``, nothing to decorate, or a dynamic handler with the wrong parameters.
    """
    if fn is None and name is None and not dynamic and not description:
        raise RuntimeError("Cannot create query without function or name or dynamic")
    return _decorator("query", fn, name, dynamic, HandlerUnfinishedPolicy.WARN_AND_ABANDON, description)


@runtime_checkable
class UpdateMethodMultiParam(Protocol[MultiParamSpec, ProtocolReturnType]):
    """What ``@workflow.update`` makes of a method."""

    _defn: HandlerDefinition

    def __call__(
        self, *args: MultiParamSpec.args, **kwargs: MultiParamSpec.kwargs
    ) -> ProtocolReturnType | Awaitable[ProtocolReturnType]: ...

    def validator(self, vfunc: Callable[MultiParamSpec, None]) -> Callable[MultiParamSpec, None]:
        """Decorate the synchronous method that decides, before acceptance, whether the arguments will do."""
        ...


@overload
def update(
    fn: Callable[MultiParamSpec, Awaitable[ReturnType]],
) -> UpdateMethodMultiParam[MultiParamSpec, ReturnType]: ...
@overload
def update(fn: Callable[MultiParamSpec, ReturnType]) -> UpdateMethodMultiParam[MultiParamSpec, ReturnType]: ...
@overload
def update(
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Callable[[Callable[MultiParamSpec, ReturnType]], UpdateMethodMultiParam[MultiParamSpec, ReturnType]]: ...
def update(
    fn: Any = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """Make a method, async or not, the handler of an update; its result goes back to the caller of the update.

    Args:
        name: of the update; the method's name by default.
        dynamic: handle every update that has no handler of its own; excludes ``name``.
        unfinished_policy: whether to warn when the workflow closes while this handler runs.
        description: one line for UI and CLI.

    Raises:
        RuntimeError: ``name`` and ``dynamic``, or a dynamic handler with the wrong parameters.
    """
    return _decorator("update", fn, name, dynamic, unfinished_policy, description)
