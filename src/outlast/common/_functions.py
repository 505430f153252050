"""What the SDK reads from the functions that users hand over: type hints and the ``arg`` / ``args`` pair."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, get_type_hints

import outlast.api.common.v1 as common_api

# Default of every ``arg`` parameter: None is a legitimate argument, so absence needs a value of its own.
_arg_unset: Any = object()


def _arg_or_args(arg: Any, args: Sequence[Any]) -> Sequence[Any]:
    """The arguments as a sequence.

    Raises:
        ValueError: both ``arg`` and ``args`` were given.
        TypeError: ``args`` is a string, whose characters would be the arguments.
    """
    if isinstance(args, str | bytes):
        raise TypeError(f"args is one {type(args).__name__}, but takes a sequence of arguments; write args=[{args!r}]")
    if arg is _arg_unset:
        return args
    if args:
        raise ValueError("Cannot have arg and args")
    return (arg,)


def _apply_headers(
    source: Mapping[str, common_api.Payload] | None, dest: MutableMapping[str, common_api.Payload]
) -> None:
    """Copy headers into a protobuf map, whose values can only be changed in place."""
    if source:
        for key, payload in source.items():
            dest[key].CopyFrom(payload)


# Callables whose own ``__call__`` says nothing about their parameters.
_PLAIN_CALLABLES = (
    types.FunctionType,
    types.MethodType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
    types.BuiltinFunctionType,
)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _type_hints_from_func(func: Callable[..., Any]) -> tuple[list[type] | None, type | None]:
    """Type hints of the positional parameters and of the result of a function, method or callable object.

    Returns:
        Hints in order, without an unannotated leading ``self``, None standing for a parameter without annotation;
        the list is None when a parameter is keyword-only or variadic. The second value is None without annotation.
    """
    if not isinstance(func, _PLAIN_CALLABLES):
        call = getattr(func if isinstance(func, type) else type(func), "__call__", None)  # noqa: B004
        if call is not None:
            func = call
    hints = get_type_hints(func)
    result = hints.get("return")
    found: list[Any] = []
    for index, parameter in enumerate(inspect.signature(func).parameters.values()):
        if index == 0 and parameter.name == "self" and _is_plain_self(parameter.annotation):
            continue
        if parameter.kind not in _POSITIONAL:
            return None, result
        found.append(hints.get(parameter.name))
    return found, result


def _is_plain_self(annotation: Any) -> bool:
    return annotation is inspect.Parameter.empty or str(annotation) in ("typing.Self", "typing_extensions.Self")
