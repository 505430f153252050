"""The data converter: payload converter, codec and failure converter in one value.

Rule: conversion first, codec second on the way out; the reverse on the way in. Messages that were handed in are not
changed, except by the methods that say so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import outlast.api.common.v1 as common_api
from outlast.api.common.v1 import Payload, Payloads
from outlast.api.failure.v1 import Failure
from outlast.common import _arg_unset

from ._default import DefaultPayloadConverter
from ._external_storage import ExternalStorage
from ._failure_converter import DefaultFailureConverter, FailureConverter
from ._payload_codec import PayloadCodec, apply_to_failure, has_payloads
from ._payload_converter import PayloadConverter
from ._serialization_context import SerializationContext, WithSerializationContext
from ._stored_payloads import StoredPayloads, Target, is_reference, target_of
from ._transfer_types import TransferTypePayloadConverter


@dataclass(frozen=True)
class DataConverter(WithSerializationContext):
    """How values and exceptions become messages."""

    payload_converter_class: type[PayloadConverter] = DefaultPayloadConverter
    """Made once, without arguments."""

    payload_codec: PayloadCodec | None = None
    """Encrypts or compresses payloads; None to leave them readable."""

    failure_converter_class: type[FailureConverter] = DefaultFailureConverter
    """Made once, without arguments."""

    payload_converter: PayloadConverter = dataclasses.field(init=False)
    """The instance of ``payload_converter_class``, with the exchange of transfer types around it."""

    failure_converter: FailureConverter = dataclasses.field(init=False)
    """The instance of ``failure_converter_class``."""

    external_storage: ExternalStorage | None = None
    """Where large payloads go instead of the server; None for nowhere."""

    _codec: PayloadCodec | None = dataclasses.field(init=False, repr=False, compare=False)
    """``payload_codec`` with external storage around it: what payloads really go through."""

    _ignores_context: bool = dataclasses.field(init=False, repr=False, compare=False)

    default: ClassVar[DataConverter]
    """The converter with nothing set."""

    def __post_init__(self) -> None:
        """Make the converters."""
        object.__setattr__(self, "payload_converter", TransferTypePayloadConverter.wrap(self.payload_converter_class()))
        object.__setattr__(self, "failure_converter", self.failure_converter_class())
        object.__setattr__(self, "_ignores_context", self._without_context())
        self._wrap_codec(None)

    def _wrap_codec(self, target: Target | None) -> None:
        codec = self.payload_codec
        if self.external_storage is not None:
            codec = StoredPayloads(codec, self.external_storage, target)
        object.__setattr__(self, "_codec", codec)

    def _without_context(self) -> bool:
        """Whether no context can ever change the parts: true for the default converter, the one on the hot path."""
        if self.external_storage is not None:
            return False
        converter = self.payload_converter
        inner = converter._inner if isinstance(converter, TransferTypePayloadConverter) else converter
        if type(inner) is not DefaultPayloadConverter and isinstance(inner, WithSerializationContext):
            return False
        return not any(isinstance(p, WithSerializationContext) for p in (self.payload_codec, self.failure_converter))

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        """Convert values and apply the codec; at most one payload per value."""
        payloads = self.payload_converter.to_payloads(values)
        return payloads if self._codec is None else await self._codec.encode(payloads)

    async def decode(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Undo the codec and convert to values, guided by one hint per value.

        Raises:
            RuntimeError: a payload was offloaded by an SDK with external storage.
        """
        if self._codec is not None:
            payloads = await self._codec.decode(payloads)
        for payload in payloads:
            if payload.external_payloads:
                _refuse_reference(payload)
        return self.payload_converter.from_payloads(payloads, type_hints)

    async def encode_wrapper(self, values: Sequence[Any]) -> Payloads:
        """``encode`` as one ``Payloads`` message."""
        return Payloads(payloads=await self.encode(values))

    async def decode_wrapper(self, payloads: Payloads | None, type_hints: list[type] | None = None) -> list[Any]:
        """``decode`` of a ``Payloads`` message; nothing in, nothing out."""
        if not payloads or not payloads.payloads:
            return []
        return await self.decode(payloads.payloads, type_hints)

    async def encode_failure(self, exception: BaseException, failure: Failure) -> None:
        """Write an exception into an empty failure and apply the codec to it."""
        self.failure_converter.to_failure(exception, self.payload_converter, failure)
        if self._codec is not None:
            await apply_to_failure(failure, self._codec.encode_wrapper)

    async def decode_failure(self, failure: Failure) -> BaseException:
        """The exception that an encoded failure stands for; the message stays as it is."""
        if self._codec is not None and has_payloads(failure):
            copy = Failure()
            copy.CopyFrom(failure)
            await apply_to_failure(copy, self._codec.decode_wrapper)
            failure = copy
        return self.failure_converter.from_failure(failure, self.payload_converter)

    def with_context(self, context: SerializationContext) -> Self:
        """A converter whose parts have the context; this very one when no part uses it."""
        if self._ignores_context:
            return self
        parts = {name: getattr(self, name) for name in ("payload_converter", "payload_codec", "failure_converter")}
        changed = {
            name: part.with_context(context)
            for name, part in parts.items()
            if isinstance(part, WithSerializationContext)
        }
        if self.external_storage is None and all(parts[name] is part for name, part in changed.items()):
            return self
        clone = dataclasses.replace(self)
        for name, part in {**parts, **changed}.items():
            object.__setattr__(clone, name, part)
        clone._wrap_codec(target_of(context))
        return clone

    def _for_target(self, target: Target | None) -> Self:
        """A converter that stores large payloads as those of a workflow or an activity; this one without storage."""
        if self.external_storage is None:
            return self
        clone = dataclasses.replace(self)
        for name in ("payload_converter", "payload_codec", "failure_converter"):
            object.__setattr__(clone, name, getattr(self, name))
        clone._wrap_codec(target)
        return clone

    async def _decode_memo(self, source: common_api.Memo) -> Mapping[str, Any]:
        return {name: (await self.decode([payload]))[0] for name, payload in source.fields.items()}

    async def _decode_memo_field(self, source: common_api.Memo, key: str, default: Any, type_hint: type | None) -> Any:
        if key not in source.fields:
            if default is _arg_unset:
                raise KeyError(f"Memo does not have a value for key {key}")
            return default
        return (await self.decode([source.fields[key]], [type_hint] if type_hint else None))[0]

    async def _encode_memo(self, source: Mapping[str, Any]) -> common_api.Memo:
        memo = common_api.Memo()
        await self._encode_memo_existing(source, memo)
        return memo

    async def _encode_memo_existing(self, source: Mapping[str, Any], memo: common_api.Memo) -> None:
        for name, value in source.items():
            payload = value if isinstance(value, Payload) else (await self.encode([value]))[0]
            memo.fields[name].CopyFrom(payload)


def _refuse_reference(payload: Payload) -> None:
    if is_reference(payload):
        raise RuntimeError("[TMPRL1105] Detected externally stored payload(s) but external storage is not configured.")


def default() -> DataConverter:
    """``DataConverter.default``; deprecated in favour of the attribute."""
    return DataConverter.default


DataConverter.default = DataConverter()
PayloadConverter.default = DataConverter.default.payload_converter
FailureConverter.default = DataConverter.default.failure_converter
