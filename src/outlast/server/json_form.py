"""Messages as JSON: protobuf's mapping, with Temporal's shorthand for payloads.

A payload that holds JSON is that JSON, so that ``"input": ["Ada", 42]`` starts a workflow: ``json/plain`` is the plain
value, ``binary/null`` is null, ``json/protobuf`` is the object with its type under ``_protoMessageType``. Any other
payload, and one with more metadata, is an object of ``metadata`` and ``data`` in base64. ``Payloads`` is an array where
all of them can be written so.

Rule: where payloads can be is read from the descriptors, once per message type.

Source: https://protobuf.dev/programming-guides/json/; go.temporal.io/api/common/v1/payload_json.go.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from outlast.api.common.v1 import Payload, Payloads
from outlast.api.descriptors import POOL, message_class

PAYLOAD: Final[str] = Payload.DESCRIPTOR.full_name
PAYLOADS: Final[str] = Payloads.DESCRIPTOR.full_name
ANY: Final = "google.protobuf.Any"
TYPE_KEY: Final = "_protoMessageType"
"""Where the shorthand of a message names its type."""

_LONG: Final = object()
"""Says that a payload has no shorthand."""


class _Step(NamedTuple):
    name: str
    json_name: str
    is_list: bool
    is_map: bool


def to_json(message: Message, *, shorthand: bool = True, pretty: bool = False) -> bytes:
    """The message as one JSON object.

    Args:
        shorthand: write payloads as what they hold, where that is JSON.
        pretty: with line breaks and indentation.
    """
    tree: Any = json_format.MessageToDict(message, descriptor_pool=POOL)
    if shorthand:
        tree = _shortened(message, tree)
    data = msgspec.json.encode(tree)
    return msgspec.json.format(data, indent=2) if pretty else data


def _shortened(message: Any, tree: Any) -> Any:
    """The tree of a message with shorthand in it; the tree is changed."""
    name = message.DESCRIPTOR.full_name
    if name == PAYLOAD:
        short = _short(message)
        return tree if short is _LONG else short
    if name == PAYLOADS:
        shorts = [_short(item) for item in message.payloads]
        if _LONG not in shorts:
            return shorts
    elif name == ANY:
        return _shortened_any(message, tree)
    for step in steps(message.DESCRIPTOR):
        below = tree.get(step.json_name)
        if below is None:
            continue
        value = getattr(message, step.name)
        if step.is_map:
            values = {_key(key): item for key, item in value.items()}
            tree[step.json_name] = {key: _shortened(values[key], item) for key, item in below.items()}
        elif step.is_list:
            tree[step.json_name] = [_shortened(item, short) for item, short in zip(value, below, strict=True)]
        else:
            tree[step.json_name] = _shortened(value, below)
    return tree


def _shortened_any(message: Any, tree: dict[str, Any]) -> Any:
    try:
        inner = message_class(message.TypeName()).FromString(message.value)
    except (KeyError, DecodeError):
        return tree
    return {"@type": tree["@type"], **_shortened(inner, tree)} if steps(inner.DESCRIPTOR) else tree


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _short(payload: Payload) -> Any:
    """What a payload holds, or _LONG. JSON is taken over as it stands: no digit of a number changes."""
    metadata = payload.metadata
    encoding = metadata.get("encoding")
    if encoding == b"binary/null" and len(metadata) == 1 and not payload.data:
        return None
    if encoding == b"json/plain" and len(metadata) == 1:
        try:
            value = msgspec.json.decode(payload.data)
        except (msgspec.DecodeError, RecursionError):
            return _LONG
        # What would be read as something else is written at length.
        return _LONG if isinstance(value, dict) and (TYPE_KEY in value or is_long(value)) else msgspec.Raw(payload.data)
    if encoding == b"json/protobuf" and len(metadata) == 2 and metadata.get("messageType"):
        try:
            value = msgspec.json.decode(payload.data)
            kind = metadata["messageType"].decode()
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return _LONG
        return {TYPE_KEY: kind, **value} if isinstance(value, dict) and not is_long(value) else _LONG
    return _LONG


def is_long(value: Any) -> bool:
    """Whether a JSON value is a payload at length: it reads as one, and has metadata and data (or stands for null)."""
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        return False
    try:
        payload = json_format.ParseDict(value, Payload())
    except json_format.ParseError:
        return False
    return bool(payload.metadata) and (bool(payload.data) or payload.metadata.get("encoding") == b"binary/null")


# -- where payloads are ---------------------------------------------------------------------------------------------


@cache
def steps(descriptor: Descriptor) -> tuple[_Step, ...]:
    """The fields of a message through which a payload can be reached."""
    found = []
    for field in descriptor.fields:
        kind = values_of(field)
        if kind is not None and (_below(kind) & {PAYLOAD, ANY}):
            is_map = kind is not field.message_type
            found.append(_Step(field.name, field.json_name, field.is_repeated and not is_map, is_map))
    return tuple(found)


def values_of(field: FieldDescriptor) -> Descriptor | None:
    """The message that a field holds; of a map, that of its values; None for a scalar."""
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return kind.fields_by_name["value"].message_type
    return kind


@cache
def _below(descriptor: Descriptor) -> frozenset[str]:
    """The names of the message and of all that it can contain."""
    seen = {descriptor.full_name: descriptor}
    waiting = [descriptor]
    while waiting:
        for field in waiting.pop().fields:
            kind = values_of(field)
            if kind is not None and kind.full_name not in seen:
                seen[kind.full_name] = kind
                waiting.append(kind)
    return frozenset(seen)
