"""The encodings that are not JSON text of Python values: null, bytes and protobuf messages.

Source: the default converters of Temporal's SDKs; metadata and bytes are the same.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError, Message

from outlast.api import descriptors
from outlast.api.common.v1 import Payload

from ._payload_converter import EncodingPayloadConverter, TypeDecided


class BinaryNullPayloadConverter(EncodingPayloadConverter, TypeDecided):
    """``binary/null``: None."""

    _blank: ClassVar = Payload(metadata={"encoding": b"binary/null"}).SerializeToString()

    @property
    def encoding(self) -> str:
        """``binary/null``."""
        return "binary/null"

    @classmethod
    def takes_type(cls, value_type: type) -> bool:
        """None only."""
        return value_type is type(None)

    def to_payload(self, value: Any) -> Payload | None:
        """A payload without data."""
        return Payload.FromString(self._blank) if value is None else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """None.

        Raises:
            RuntimeError: the payload has data.
        """
        if payload.data:
            raise RuntimeError("Expected empty data set for binary/null")
        return None


class BinaryPlainPayloadConverter(EncodingPayloadConverter, TypeDecided):
    """``binary/plain``: bytes, as they are."""

    _blank: ClassVar = Payload(metadata={"encoding": b"binary/plain"}).SerializeToString()

    @property
    def encoding(self) -> str:
        """``binary/plain``."""
        return "binary/plain"

    @classmethod
    def takes_type(cls, value_type: type) -> bool:
        """Bytes and subclasses."""
        return issubclass(value_type, bytes)

    def to_payload(self, value: Any) -> Payload | None:
        """The bytes."""
        if not isinstance(value, bytes):
            return None
        payload = Payload.FromString(self._blank)
        payload.data = value
        return payload

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """The bytes; the hint does not matter."""
        return payload.data


class JSONProtoPayloadConverter(EncodingPayloadConverter, TypeDecided):
    """``json/protobuf``: protobuf messages in proto3 JSON, keys sorted, without spaces."""

    def __init__(self, ignore_unknown_fields: bool = False) -> None:
        """Whether decoding overlooks fields that the message does not have, instead of failing."""
        super().__init__()
        self._ignore_unknown_fields = ignore_unknown_fields

    @property
    def encoding(self) -> str:
        """``json/protobuf``."""
        return "json/protobuf"

    @classmethod
    def takes_type(cls, value_type: type) -> bool:
        """Message classes."""
        return _is_message_type(value_type)

    def to_payload(self, value: Any) -> Payload | None:
        """Its JSON, with the full name in ``messageType``."""
        if not _is_message_type(type(value)):
            return None
        text = json.dumps(json_format.MessageToDict(value), separators=(",", ":"), sort_keys=True)
        name = value.DESCRIPTOR.full_name.encode()
        return Payload(metadata={"encoding": b"json/protobuf", "messageType": name}, data=text.encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """A message of the type named in ``messageType``.

        Raises:
            RuntimeError: the type is not loaded in this process, or the JSON does not fit it.
        """
        message = _new_message(payload, type_hint)
        try:
            return json_format.Parse(payload.data, message, ignore_unknown_fields=self._ignore_unknown_fields)
        except json_format.ParseError as err:
            raise RuntimeError("Failed parsing") from err


class BinaryProtoPayloadConverter(EncodingPayloadConverter, TypeDecided):
    """``binary/protobuf``: protobuf messages in their wire format."""

    @property
    def encoding(self) -> str:
        """``binary/protobuf``."""
        return "binary/protobuf"

    @classmethod
    def takes_type(cls, value_type: type) -> bool:
        """Message classes."""
        return _is_message_type(value_type)

    def to_payload(self, value: Any) -> Payload | None:
        """Its bytes, with the full name in ``messageType``."""
        if not _is_message_type(type(value)):
            return None
        name = value.DESCRIPTOR.full_name.encode()
        return Payload(metadata={"encoding": b"binary/protobuf", "messageType": name}, data=value.SerializeToString())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """A message of the type named in ``messageType``.

        Raises:
            RuntimeError: the type is not loaded in this process, or the bytes are damaged.
        """
        message = _new_message(payload, type_hint)
        try:
            message.ParseFromString(payload.data)
        except DecodeError as err:
            raise RuntimeError("Failed parsing") from err
        return message


def _is_message_type(value_type: type) -> bool:
    return issubclass(value_type, Message) and getattr(value_type, "DESCRIPTOR", None) is not None


def _new_message(payload: Payload, type_hint: type | None) -> Message:
    """An empty message of the payload's type.

    Two pools may know the name: the process-wide one, where users' classes live, and our private one. The class that
    the target asks for decides; then the user's own; ours is for the messages of the API.
    """
    name = payload.metadata.get("messageType", b"<unknown>").decode()
    if isinstance(type_hint, type) and _is_message_type(type_hint):
        wanted: type[Message] = type_hint
        if wanted.DESCRIPTOR.full_name == name:
            return wanted()
    try:
        found = descriptor_pool.Default().FindMessageTypeByName(name)
    except KeyError:
        pass
    else:
        made: type[Message] = message_factory.GetMessageClass(found)
        return made()
    try:
        return descriptors.message_class(name)()
    except KeyError as err:
        raise RuntimeError(f"Unknown Protobuf type {name}") from err
