"""Rebuild typed values from what ``json.loads`` yields: ``value_to_type`` and the decoders behind it.

Rule: a hint is compiled once into a plain function and kept. Every container adds its own step to the path of an error
that comes from inside it, so the message says where in the value the mismatch is.

Source: the conversions of ``temporalio.converter.value_to_type``, its leniencies included.
"""

from __future__ import annotations

import collections
import dataclasses
import inspect
import types
import typing
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, NewType, NoReturn, TypeVar, get_type_hints

from ._foreign_types import decoder

Decode = Callable[[Any], Any]

_DECODERS_MAX = 2048  # hints made anew for every call would otherwise stay for ever

JSONTypeConverterUnhandled = NewType("JSONTypeConverterUnhandled", object)
"""Type of ``JSONTypeConverter.Unhandled``."""


class JSONTypeConverter(ABC):
    """Rebuilds values of a type that the built-in rules do not know, or knows them better."""

    Unhandled: ClassVar[JSONTypeConverterUnhandled] = JSONTypeConverterUnhandled(object())
    """Returned by ``to_typed_value`` for hints that are not this converter's business."""

    @abstractmethod
    def to_typed_value(self, hint: type, value: Any) -> Any | JSONTypeConverterUnhandled | None:
        """The value that the hint asks for, or ``Unhandled``.

        Args:
            hint: the annotation, of the whole value or of a part of it.
            value: what ``json.loads`` made: a scalar, a list or a dict.
        """


class ValueMismatch(TypeError):
    """A value does not fit its hint; ``str()`` names the place, the expectation and what was found."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps: list[str] = []

    def __str__(self) -> str:
        if not self.steps:
            return self.reason
        return f"value{''.join(reversed(self.steps))}: {self.reason}"


def value_to_type(hint: type, value: Any, custom_converters: Sequence[JSONTypeConverter] = []) -> Any:
    """Convert what ``json.loads`` made to what a hint asks for.

    Args:
        hint: any annotation: a class, a generic, a union, a literal, a NewType.
        value: scalar, list or dict; not changed.
        custom_converters: asked first, for the value and for every value inside.

    Raises:
        TypeError: the value does not fit, or the hint is of a kind that cannot be rebuilt from JSON.
    """
    decoders = HintDecoders(custom_converters) if custom_converters else _DEFAULT
    return decoders.decoder(hint)(value)


class HintDecoders:
    """Compiled hints for one set of custom converters."""

    __slots__ = ("_by_id", "_custom")

    def __init__(self, custom_converters: Sequence[JSONTypeConverter] = ()) -> None:
        self._custom = custom_converters
        # By identity: Union[int, str] equals Union[str, int], but they do not mean the same. The hint is kept
        # beside its decoder so that its id stays taken.
        self._by_id: dict[int, tuple[Any, Decode]] = {}

    def decoder(self, hint: Any) -> Decode:
        """The function that converts a value to this hint."""
        found = self._by_id.get(id(hint))
        if found is not None:
            return found[1]
        if len(self._by_id) >= _DECODERS_MAX:
            self._by_id.clear()
        # A class may contain itself: until its decoder is there, the inner ones look it up when they run.
        self._by_id[id(hint)] = (hint, lambda value: self.decoder(hint)(value))
        try:
            decode = _compile(self, hint)
        except BaseException:
            del self._by_id[id(hint)]
            raise
        if self._custom:
            decode = _customised(self._custom, hint, decode)
        self._by_id[id(hint)] = (hint, decode)
        return decode


def _customised(custom: Sequence[JSONTypeConverter], hint: Any, builtin: Decode) -> Decode:
    def decode(value: Any) -> Any:
        for converter in custom:
            converted = converter.to_typed_value(hint, value)
            if converted is not JSONTypeConverter.Unhandled:
                return converted
        return builtin(value)

    return decode


def _reraise(err: Exception, step: str) -> NoReturn:
    """Raise the error with one more step of its path: from where the step was taken, inside the except block."""
    if isinstance(err, ValueMismatch):
        err.steps.append(step)
        raise err
    mismatch = ValueMismatch(f"{type(err).__name__}: {err}")
    mismatch.steps.append(step)
    raise mismatch from err


def _expected(what: object, value: Any) -> ValueMismatch:
    shown = repr(value)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    name = what.__name__ if isinstance(what, type) else str(what)
    return ValueMismatch(f"expected {name}, got {type(value).__name__} {shown}")


# --- scalars


def _to_datetime(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError as err:
            raise ValueMismatch(f"expected an ISO 8601 datetime, got str {value!r}") from err
    if isinstance(value, datetime):
        return value
    raise _expected("an ISO 8601 datetime", value)


def _to_int(value: Any) -> int:
    if type(value) is int:
        return value
    if not isinstance(value, (int, float)):
        raise _expected("int|float", value)
    return int(value)


def _to_float(value: Any) -> float:
    if type(value) is float:
        return value
    if not isinstance(value, (int, float)):
        raise _expected("int|float", value)
    return float(value)


def _to_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _expected(bool, value)
    return value


def _to_str(value: Any) -> str:
    if type(value) is str:
        return value
    if not isinstance(value, str):
        raise _expected(str, value)
    return str(value)


def _to_bytes(value: Any) -> bytes:
    if isinstance(value, str) or not isinstance(value, (bytes, list)):
        # Bytes inside a larger value travel as a list of numbers; other SDKs' base64 text is ambiguous.
        raise _expected("bytes as a list of integers", value)
    return bytes(value)


def _to_none(value: Any) -> None:
    if value is not None:
        raise _expected("None", value)


def _as_it_is(value: Any) -> Any:
    return value


_SCALARS: Sequence[tuple[Any, Decode]] = (
    (Any, _as_it_is),
    (datetime, _to_datetime),
    (int, _to_int),
    (float, _to_float),
    (bool, _to_bool),
    (str, _to_str),
    (bytes, _to_bytes),
    (type(None), _to_none),
)


# --- compound hints, in the order in which they are recognised


def _compile(decoders: HintDecoders, hint: Any) -> Decode:
    for scalar, decode in _SCALARS:
        if hint is scalar:
            return decode
    supertype = getattr(hint, "__supertype__", None)
    if supertype is not None:
        return decoders.decoder(supertype)
    origin = getattr(hint, "__origin__", hint)
    args: tuple[Any, ...] = getattr(hint, "__args__", ())
    if getattr(hint, "__metadata__", None) is not None:  # Annotated[T, ...] means T
        return decoders.decoder(origin)
    if origin is typing.Literal:
        return _literal(args)
    if origin is typing.Union or isinstance(origin, types.UnionType):
        return _union(decoders, hint, args)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        if getattr(origin, "__required_keys__", None) or getattr(origin, "__optional_keys__", None):
            return _typed_dict(decoders, hint, origin)
        return _mapping(decoders, hint, args)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(decoders, hint)
    foreign = decoder(hint, decoders.decoder)
    if foreign is not None:
        return foreign
    if isinstance(inspect.getattr_static(hint, "parse_obj", None), (classmethod, staticmethod)):
        return _pydantic_v1(hint)
    if inspect.isclass(hint) and issubclass(hint, Enum) and issubclass(hint, (int, str)):
        return _enum(hint, int if issubclass(hint, int) else str)
    if inspect.isclass(hint) and issubclass(hint, uuid.UUID):
        return hint
    if inspect.isclass(origin) and issubclass(origin, Iterable):
        return _iterable(decoders, hint, origin, args)
    return _unserializable(hint)


def _unserializable(hint: Any) -> Decode:
    def decode(value: Any) -> Any:
        raise ValueMismatch(f"Unserializable type during conversion: {hint}")

    return decode


def _literal(allowed: tuple[Any, ...]) -> Decode:
    def decode(value: Any) -> Any:
        if value not in allowed:
            raise _expected(f"one of {', '.join(map(repr, allowed))}", value)
        return value

    return decode


def _union(decoders: HintDecoders, hint: Any, args: tuple[Any, ...]) -> Decode:
    members = [decoders.decoder(arg) for arg in args]
    some = [arg for arg in args if arg is not type(None)]
    if len(some) == 1 and len(args) == 2 and not decoders._custom:
        inner = decoders.decoder(some[0])
        return lambda value: None if value is None else inner(value)

    def decode(value: Any) -> Any:
        for member in members:
            try:
                return member(value)
            except Exception:
                continue
        raise _expected(hint, value)

    return decode


def _enum(hint: Any, wire: type) -> Decode:
    def decode(value: Any) -> Any:
        if not isinstance(value, wire):
            raise _expected(f"{wire.__name__} of enum {hint.__name__}", value)
        return hint(value)

    return decode


def _pydantic_v1(hint: Any) -> Decode:
    def decode(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _expected(f"dict for {hint.__name__}", value)
        return hint.parse_obj(value)

    return decode


def _concrete(args: tuple[Any, ...], index: int) -> Any:
    if len(args) <= index or args[index] is Any or isinstance(args[index], TypeVar):
        return None
    return args[index]


def _mapping(decoders: HintDecoders, hint: Any, args: tuple[Any, ...]) -> Decode:
    key_type, value_type = _concrete(args, 0), _concrete(args, 1)
    to_key = _mapping_key(decoders, key_type) if key_type else None
    to_value = decoders.decoder(value_type) if value_type else None

    def decode(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _expected(hint, value)
        if to_key is None and to_value is None:
            return dict(value)
        converted = {}
        for key, item in value.items():
            try:
                new_key = to_key(key) if to_key else key
            except Exception as err:
                _reraise(err, f".key({key!r})")
            try:
                converted[new_key] = to_value(item) if to_value else item
            except Exception as err:
                _reraise(err, f"[{new_key!r}]")
        return converted

    return decode


_KEY_WORDS: Mapping[Any, Mapping[str, Any]] = {bool: {"true": True, "false": False}, type(None): {"null": None}}


def _mapping_key(decoders: HintDecoders, key_type: Any) -> Decode:
    """JSON has only string keys; the hint says what they were before."""
    convert = decoders.decoder(key_type)
    from_text: Decode | None = None
    if key_type is int or key_type is float:
        from_text = key_type
    elif inspect.isclass(key_type) and issubclass(key_type, Enum) and issubclass(key_type, int):
        from_text = int
    elif key_type in (bool, type(None)):
        from_text = _KEY_WORDS[key_type].__getitem__
    is_type = isinstance(key_type, type)

    def decode(key: Any) -> Any:
        if from_text is not None and isinstance(key, str):
            key = from_text(key)
        return key if is_type and isinstance(key, key_type) else convert(key)

    return decode


def _typed_dict(decoders: HintDecoders, hint: Any, origin: Any) -> Decode:
    fields: dict[str, Decode] | None = None

    def decode(value: Any) -> Any:
        nonlocal fields
        if not isinstance(value, Mapping):
            raise _expected(hint, value)
        if fields is None:
            fields = {name: decoders.decoder(kind) for name, kind in get_type_hints(origin).items()}
        converted = {}
        for key, item in value.items():
            field = fields.get(key)
            try:
                converted[key] = field(item) if field else item
            except Exception as err:
                _reraise(err, f"[{key!r}]")
        return hint(**converted)

    return decode


def _dataclass(decoders: HintDecoders, hint: Any) -> Decode:
    # Fields are compiled at the first value, because annotations may name classes that are defined later.
    fields: list[tuple[str, bool, Decode]] | None = None

    def decode(value: Any) -> Any:
        nonlocal fields
        if not isinstance(value, dict):
            raise _expected(f"dict for dataclass {hint.__name__}", value)
        if fields is None:
            hints = get_type_hints(hint)
            fields = [(f.name, f.init, decoders.decoder(hints[f.name])) for f in dataclasses.fields(hint)]
        init: dict[str, Any] = {}
        later: dict[str, Any] = {}
        for name, is_init, to_value in fields:
            # A missing field is left to the dataclass, which knows its defaults; unknown keys are ignored.
            if name in value:
                try:
                    (init if is_init else later)[name] = to_value(value[name])
                except Exception as err:
                    _reraise(err, f".{name}")
        made = hint(**init)
        for name, item in later.items():
            object.__setattr__(made, name, item)  # works on frozen ones too
        return made

    return decode


_REBUILT: Mapping[Any, Callable[[list[Any]], Any]] = {
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.deque: collections.deque,
}


def _iterable(decoders: HintDecoders, hint: Any, origin: Any, args: tuple[Any, ...]) -> Decode:
    rebuild = _REBUILT.get(origin)
    if not args or (len(args) == 1 and (isinstance(args[0], TypeVar) or args[0] is Ellipsis)):

        def decode_any(value: Any) -> Any:
            if not isinstance(value, Iterable):
                raise _expected(hint, value)
            return rebuild(list(value)) if rebuild else list(value)

        return decode_any
    open_end = origin is not tuple or args[-1] is Ellipsis
    given = args[:1] if origin is not tuple else tuple(arg for arg in args if arg is not Ellipsis)
    items = [decoders.decoder(arg) for arg in given]

    def decode(value: Any) -> Any:
        if not isinstance(value, Iterable):
            raise _expected(hint, value)
        converted = []
        for index, item in enumerate(value):
            if index >= len(items) and not open_end:
                raise ValueMismatch(f"expected at most {len(items)} items for {hint}, got at least {index + 1}")
            try:
                converted.append(items[min(index, len(items) - 1)](item))
            except Exception as err:
                _reraise(err, f"[{index}]")
        return rebuild(converted) if rebuild else converted

    return decode


_DEFAULT = HintDecoders()
