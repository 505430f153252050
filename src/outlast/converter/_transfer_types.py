"""Classes that travel as another type: the decorator, its converter, and the payload converter that applies it.

Rule: the exchange happens around the payload converter, whichever it is, and only for the outermost value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, Self, TypeVar, cast

from outlast.api.common.v1 import Payload

from ._payload_converter import PayloadConverter
from ._serialization_context import SerializationContext, WithSerializationContext

ValueT = TypeVar("ValueT")
TransferTypeT = TypeVar("TransferTypeT")

_ATTRIBUTE = "__outlast_transfer_type_converter__"


class TransferTypeConverter(ABC, Generic[ValueT, TransferTypeT]):
    """Turns values of a class into values of another type for the journey, and back."""

    transfer_type: type[TransferTypeT] | None = None
    """Hint with which the travelling value is decoded; None for no hint."""

    @abstractmethod
    def to_transfer_type(self, value: ValueT) -> TransferTypeT:
        """The value to send."""

    @abstractmethod
    def from_transfer_type(self, value: TransferTypeT, type_hint: type[ValueT]) -> ValueT:
        """The value to hand over; the hint carries the type arguments that the target asks for."""


def transfer_type_convertible(
    converter_type: type[TransferTypeConverter[ValueT, TransferTypeT]],
) -> Callable[[type[ValueT]], type[ValueT]]:
    """Class decorator: send values of this class through a transfer type. Subclasses inherit it.

    Raises:
        TypeError: the class, or a base of it, has one already.
    """

    def decorate(cls: type[ValueT]) -> type[ValueT]:
        if hasattr(cls, _ATTRIBUTE):
            raise TypeError("class already has a transfer type converter")
        setattr(cls, _ATTRIBUTE, converter_type())
        TransferTypePayloadConverter.in_use = True
        return cls

    return decorate


def _converter_of(value_type: object) -> TransferTypeConverter[Any, Any] | None:
    converter = getattr(value_type, _ATTRIBUTE, None)
    return converter if isinstance(converter, TransferTypeConverter) else None


class TransferTypePayloadConverter(PayloadConverter, WithSerializationContext):
    """Puts the exchange of transfer types around a payload converter."""

    in_use = False
    """Whether any class of this process was decorated; until then there is nothing to look for."""

    def __init__(self, inner: PayloadConverter) -> None:
        self._inner = inner

    @staticmethod
    def wrap(converter: PayloadConverter) -> PayloadConverter:
        """The converter with the exchange around it; unchanged when it has it already."""
        return (
            converter
            if isinstance(converter, TransferTypePayloadConverter)
            else TransferTypePayloadConverter(converter)
        )

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        if TransferTypePayloadConverter.in_use:
            values = [
                value if (converter := _converter_of(type(value))) is None else converter.to_transfer_type(value)
                for value in values
            ]
        return self._inner.to_payloads(values)

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        if type_hints is None or not TransferTypePayloadConverter.in_use:
            return self._inner.from_payloads(payloads, type_hints)
        converters = [_converter_of(hint) for hint in type_hints]
        inner_hints = [
            hint if converter is None else converter.transfer_type
            for hint, converter in zip(type_hints, converters, strict=True)
        ]
        values = self._inner.from_payloads(payloads, cast("list[type]", inner_hints))
        return [
            value if converter is None else converter.from_transfer_type(value, hint)
            for value, converter, hint in zip(values, converters, type_hints, strict=False)
        ]

    def with_context(self, context: SerializationContext) -> Self:
        """This converter around an inner one that has the context; this very one when the inner one does not care."""
        if not isinstance(self._inner, WithSerializationContext):
            return self
        inner = self._inner.with_context(context)
        return self if inner is self._inner else type(self)(inner)
