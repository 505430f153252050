"""``json/plain``: Python values as JSON text, rebuilt on the way back from type hints.

Rule: the text is byte for byte what Temporal's Python SDK writes: standard ``json``, sorted keys, no spaces, ASCII.
Only the way there is shorter: one encoder for all calls, and no deep copy of dataclasses.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]
from typing import Any, ClassVar

from outlast.api.common.v1 import Payload

from ._foreign_types import reducer
from ._payload_converter import EncodingPayloadConverter, TypeDecided
from ._typed_values import HintDecoders, JSONTypeConverter

_REDUCERS_MAX = 4096


class AdvancedJSONEncoder(json.JSONEncoder):
    """Encodes dataclasses, datetimes, UUIDs, sets and other iterables, and objects with a ``dict()`` method."""

    def default(self, o: Any) -> Any:
        """What to encode instead of ``o``."""
        if isinstance(o, datetime):
            return o.isoformat()
        if dataclasses.is_dataclass(o) and not isinstance(o, type):
            return dataclasses.asdict(o)
        reduce = reducer(type(o), self.default)
        if reduce is not None:
            return reduce(o)
        as_dict = getattr(o, "dict", None)
        if callable(as_dict):
            return as_dict()
        if not isinstance(o, list) and isinstance(o, Iterable):
            return list(o)
        if isinstance(o, uuid.UUID):
            return str(o)
        return super().default(o)


class _ShallowEncoder(AdvancedJSONEncoder):
    """The same text as its base, with the rule for a type looked up once and dataclasses opened one level at a time.

    ``dataclasses.asdict`` copies deeply what the encoder walks anyway.
    """

    _reducers: ClassVar[dict[type, Callable[[Any], Any]]] = {datetime: datetime.isoformat, uuid.UUID: str, set: list}

    def default(self, o: Any) -> Any:
        kind = type(o)
        reduce = self._reducers.get(kind)
        if reduce is None:
            plain = dataclasses.is_dataclass(kind) and not issubclass(kind, datetime)
            reduce = _fields_reader(kind) if plain else reducer(kind, self.default)
            if reduce is None:
                return super().default(o)
            if len(self._reducers) >= _REDUCERS_MAX:
                self._reducers.clear()
            self._reducers[kind] = reduce
        return reduce(o)


def _fields_reader(kind: type) -> Callable[[Any], Any]:
    names = tuple(field.name for field in dataclasses.fields(kind))
    return lambda o: {name: getattr(o, name) for name in names}


_shallow = _ShallowEncoder(separators=(",", ":"), sort_keys=True)
_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_PLAIN = frozenset({str, int, float, bool, type(None), dict, list, tuple})


def _encode_shallow(value: Any) -> str:
    """``_shallow.encode``, without what it sets up anew for every value in Python."""
    if type(value) is str:
        return encode_basestring_ascii(value)
    if c_make_encoder is None:
        return _shallow.encode(value)
    # A dict of its own for every call: it is how circular references are found.
    encode = c_make_encoder({}, _shallow.default, encode_basestring_ascii, None, ":", ",", True, False, True)
    return "".join(encode(value, 0))


def _loads(data: bytes) -> Any:
    """``json.loads``; the short way for what we and most others write: UTF-8 without white space around it."""
    try:
        text = data.decode()
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    except (ValueError, StopIteration):
        pass
    return json.loads(data)


class JSONPlainPayloadConverter(EncodingPayloadConverter, TypeDecided):
    """``json/plain``: everything ``json`` can write, and more through the encoder class.

    Takes every value, so it belongs at the end of a chain.
    """

    def __init__(
        self,
        *,
        encoder: type[json.JSONEncoder] | None = AdvancedJSONEncoder,
        decoder: type[json.JSONDecoder] | None = None,
        encoding: str = "json/plain",
        custom_type_converters: Sequence[JSONTypeConverter] = [],
    ) -> None:
        """Make a converter.

        Args:
            encoder: encoder class; made anew for every value unless it is the default.
            decoder: decoder class; made anew for every value unless it is None.
            encoding: name to write and to answer to.
            custom_type_converters: asked before the built-in rules when a value is rebuilt, inner values included.
        """
        super().__init__()
        self._encoder = encoder
        self._decoder = decoder
        self._encoding = encoding
        self._blank = Payload(metadata={"encoding": encoding.encode()}).SerializeToString()
        self._hints = HintDecoders(custom_type_converters)

    @property
    def encoding(self) -> str:
        """``json/plain`` unless another name was given."""
        return self._encoding

    @classmethod
    def takes_type(cls, value_type: type) -> bool:
        """All types: what ``json`` cannot write is an error, not a reason to ask someone else."""
        return True

    def to_payload(self, value: Any) -> Payload | None:
        """Its JSON.

        Raises:
            TypeError: a value inside has a type that JSON has no form for.
        """
        if type(value) not in _PLAIN and hasattr(value, "parse_obj") and not hasattr(value, "__pydantic_serializer__"):
            warnings.warn(
                "This pydantic 1 model is written by its dict(), and values inside it may not be read back: use"
                " pydantic 2, whose models need nothing else",
                stacklevel=2,
            )
        if self._encoder is AdvancedJSONEncoder:
            text = _encode_shallow(value)
        else:
            text = json.dumps(value, cls=self._encoder, separators=(",", ":"), sort_keys=True)
        payload = Payload.FromString(self._blank)  # a third of the time that the constructor takes for the map
        payload.data = text.encode()
        return payload

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """The value, rebuilt as the hint says.

        Raises:
            RuntimeError: the data is not JSON.
            TypeError: the value does not fit the hint; the message names the place inside the value.
        """
        try:
            value = _loads(payload.data) if self._decoder is None else json.loads(payload.data, cls=self._decoder)
        except json.JSONDecodeError as err:
            raise RuntimeError("Failed parsing") from err
        return self._hints.decoder(type_hint)(value) if type_hint else value
