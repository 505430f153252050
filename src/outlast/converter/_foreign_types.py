"""Values of classes that other libraries made: pydantic 2 models, attrs classes and msgspec structs, without set-up.

Rule: recognised by what the libraries leave on the classes, so none of them is imported unless a value of it is there.
Temporal's converter knows none of them but pydantic, whose models it writes by their deprecated ``dict()``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_type_hints

import msgspec


def reducer(kind: type, default: Callable[[Any], Any]) -> Callable[[Any], Any] | None:
    """The function that turns a value of such a class into what JSON can hold; None for other classes.

    Args:
        default: for values inside that the library does not know.
    """
    if hasattr(kind, "__pydantic_serializer__") and hasattr(kind, "model_dump"):
        return lambda value: value.model_dump(mode="json")
    if issubclass(kind, msgspec.Struct):
        return lambda value: msgspec.to_builtins(value, enc_hook=default)
    attributes = getattr(kind, "__attrs_attrs__", None)
    if attributes is not None:
        names = tuple((attribute.alias, attribute.name) for attribute in attributes if attribute.init)
        return lambda value: {alias: getattr(value, name) for alias, name in names}
    return None


def decoder(hint: Any, decoder_of: Callable[[Any], Callable[[Any], Any]]) -> Callable[[Any], Any] | None:
    """The function that makes a value of such a class from what JSON held; None for other hints.

    Args:
        decoder_of: the decoder of a hint inside.
    """
    if not isinstance(hint, type):
        return None
    if hasattr(hint, "__pydantic_validator__") and hasattr(hint, "model_validate_json"):
        validate = hint.model_validate_json
        return lambda value: validate(json.dumps(value))
    if issubclass(hint, msgspec.Struct):
        return lambda value: msgspec.convert(value, hint, dec_hook=lambda inner, item: decoder_of(inner)(item))
    if hasattr(hint, "__attrs_attrs__"):
        return _attrs(hint, decoder_of)
    return None


def _attrs(hint: Any, decoder_of: Callable[[Any], Callable[[Any], Any]]) -> Callable[[Any], Any]:
    # Compiled at the first value, because annotations may name classes that are defined later.
    decoders: dict[str, Callable[[Any], Any]] = {}

    def decode(value: Any) -> Any:
        if not decoders:
            hints = get_type_hints(hint)
            decoders.update((a.alias, decoder_of(hints.get(a.name, Any))) for a in hint.__attrs_attrs__ if a.init)
        if not isinstance(value, dict):
            raise TypeError(f"expected dict for {hint.__name__}, got {type(value).__name__}")
        found = {}
        for alias, item in value.items():
            if alias in decoders:
                try:
                    found[alias] = decoders[alias](item)
                except Exception as error:
                    steps = getattr(error, "steps", None)
                    if steps is None:
                        raise TypeError(f"field {alias}: {type(error).__name__}: {error}") from error
                    steps.append(f".{alias}")
                    raise
        return hint(**found)

    return decode
