"""Arguments to payloads for a call, with errors that name the argument.

Rule: an argument that cannot travel is refused at the call that passes it, not by a server minutes later.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from outlast.api.common.v1 import Payload
from outlast.exceptions import PayloadSizeError

from ._payload_converter import PayloadConverter

if TYPE_CHECKING:
    from ._data_converter import DataConverter

PAYLOAD_SIZE_MAX = 2 * 1024 * 1024
"""Bytes of one payload that a server accepts by default. Source: dynamic config ``limit.blobSize.error``."""


def arguments_to_payloads(
    converter: PayloadConverter, values: Sequence[Any], target: str, function: Callable[..., Any] | None = None
) -> list[Payload]:
    """``converter.to_payloads`` with errors that name the argument.

    Args:
        converter: any payload converter.
        values: the arguments.
        target: what is called, for the message: "workflow 'Order'", "activity 'charge'".
        function: where parameter names are read from, when it is known.

    Raises:
        TypeError: an argument cannot be converted.
    """
    try:
        return converter.to_payloads(values)
    except Exception as err:
        _name_culprit(converter, values, target, function, err)
        raise


def check_payload_sizes(
    payloads: Sequence[Payload], values: Sequence[Any], target: str, function: Callable[..., Any] | None = None
) -> None:
    """Refuse payloads that no server accepts.

    Raises:
        PayloadSizeError: one is above ``PAYLOAD_SIZE_MAX``.
    """
    for index, payload in enumerate(payloads):
        size = len(payload.data)
        if size > PAYLOAD_SIZE_MAX:
            # A codec may have joined payloads; then the position says nothing about the argument.
            named = _argument(index, values, function) if len(payloads) == len(values) else "the arguments"
            raise PayloadSizeError(
                f"{named} of {target} takes {size:,} bytes, more than the {PAYLOAD_SIZE_MAX:,} bytes that a server"
                " accepts; pass a reference (a key, a path, a URL) and let an activity read the data, or compress it"
                " with a payload codec",
                size=size,
                limit=PAYLOAD_SIZE_MAX,
            )


def result_to_payloads(converter: PayloadConverter, value: Any, target: str) -> list[Payload]:
    """``converter.to_payloads`` of what ``target`` returned, with an error that says so.

    Raises:
        TypeError: it cannot be converted.
    """
    try:
        return list(converter.to_payloads([value]))
    except (TypeError, ValueError) as err:
        raise TypeError(
            f"the result of {target}, of type {type(value).__name__}, cannot be converted to a payload: {err}."
            f" {_cure(value, 'Return')}"
        ) from err


async def encode_arguments(
    converter: DataConverter, values: Sequence[Any], target: str, function: Callable[..., Any] | None = None
) -> list[Payload]:
    """Convert, encode and check the arguments of a call; see the two functions above."""
    payloads = arguments_to_payloads(converter.payload_converter, values, target, function)
    if converter._codec is not None and payloads:
        payloads = await converter._codec.encode(payloads)
    check_payload_sizes(payloads, values, target, function)
    return payloads


def _name_culprit(
    converter: PayloadConverter,
    values: Sequence[Any],
    target: str,
    function: Callable[..., Any] | None,
    err: Exception,
) -> None:
    """Raise a TypeError that names the argument which fails when it is converted alone, if there is one."""
    for index, value in enumerate(values):
        try:
            converter.to_payloads([value])
        except Exception as alone:
            raise TypeError(
                f"{_argument(index, values, function)} of {target} cannot be converted to a payload: {alone}."
                f" {_cure(value, 'Pass')}"
            ) from err


def _cure(value: Any, verb: str) -> str:
    if inspect.isawaitable(value):
        return "Write `await` before the call that gave it"
    return f"{verb} a dataclass, a Pydantic model, or plain values"


def _argument(index: int, values: Sequence[Any], function: Callable[..., Any] | None) -> str:
    name = _parameter_name(index, function)
    label = f"argument {index} ({name})" if name else f"argument {index}"
    return f"{label} of type {type(values[index]).__name__}"


def _parameter_name(index: int, function: Callable[..., Any] | None) -> str | None:
    if function is None:
        return None
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None
    if names[:1] == ["self"]:
        names = names[1:]
    return names[index] if index < len(names) else None
