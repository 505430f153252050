"""The payload converter interfaces, and the one that asks a chain of single-encoding converters.

Rule: a chain is asked in order and the first payload wins. What is decided by the type of a value alone is decided
once per type: converters that say which types they take (``takes_type``) are skipped without being called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self, overload

from outlast.api.common.v1 import Payload, Payloads
from outlast.common import RawValue
from outlast.types import AnyType

from ._serialization_context import SerializationContext, WithSerializationContext

_PLANS_MAX = 4096  # types are few; a program that makes classes in a loop must not grow us without end


class PayloadConverter(ABC):
    """Turns values into payloads and back. Synchronous and deterministic: it runs inside workflows."""

    default: ClassVar[PayloadConverter]
    """The converter of ``DataConverter.default``."""

    @abstractmethod
    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Encode values.

        Args:
            values: any values; a :class:`outlast.common.RawValue` stands for its payload.

        Returns:
            At least one payload and at most one per value.
        """

    @abstractmethod
    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Decode payloads.

        Args:
            payloads: what ``to_payloads`` made, here or in another SDK.
            type_hints: one per payload, or None when nothing is known about the target.

        Returns:
            At least one value and at most one per payload. The hint ``RawValue`` yields the payload itself.
        """

    def to_payloads_wrapper(self, values: Sequence[Any]) -> Payloads:
        """``to_payloads`` as one ``Payloads`` message."""
        return Payloads(payloads=self.to_payloads(values))

    def from_payloads_wrapper(self, payloads: Payloads | None) -> list[Any]:
        """``from_payloads`` of a ``Payloads`` message without hints; nothing in, nothing out."""
        if not payloads or not payloads.payloads:
            return []
        return self.from_payloads(payloads.payloads)

    def to_payload(self, value: Any) -> Payload:
        """``to_payloads`` of one value."""
        return self.to_payloads([value])[0]

    @overload
    def from_payload(self, payload: Payload) -> Any: ...

    @overload
    def from_payload(self, payload: Payload, type_hint: type[AnyType]) -> AnyType: ...

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """``from_payloads`` of one payload."""
        return self.from_payloads([payload], [type_hint] if type_hint else None)[0]


class EncodingPayloadConverter(ABC):
    """Turns values of some kind into payloads of one encoding; a link of :class:`CompositePayloadConverter`."""

    @property
    @abstractmethod
    def encoding(self) -> str:
        """The ``encoding`` metadata of its payloads."""

    @abstractmethod
    def to_payload(self, value: Any) -> Payload | None:
        """Encode a value; None when it is not of this converter's kind.

        Raises:
            TypeError, ValueError, RuntimeError: it is of this kind but cannot be encoded.
        """

    @abstractmethod
    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Decode a payload of this encoding.

        Raises:
            RuntimeError: the payload is damaged.
        """


class TypeDecided(ABC):
    """Mixed into a converter whose ``to_payload`` depends on the type of the value alone."""

    @classmethod
    @abstractmethod
    def takes_type(cls, value_type: type) -> bool:
        """Whether ``to_payload`` answers anything but None for values of this type."""


class CompositePayloadConverter(PayloadConverter, WithSerializationContext):
    """Asks several converters in turn.

    Attributes:
        converters: the links by encoding, in the order in which they are asked.
    """

    converters: Mapping[bytes, EncodingPayloadConverter]

    def __init__(self, *converters: EncodingPayloadConverter) -> None:
        """The converters to ask, in order."""
        self._set_converters(*converters)

    def _set_converters(self, *converters: EncodingPayloadConverter) -> None:
        self.converters = {c.encoding.encode(): c for c in converters}
        self._plans: dict[type, tuple[Callable[[Any], Payload | None], ...]] = {}
        self.__dict__.pop("_any_converter_takes_context", None)

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """One payload per value.

        Raises:
            RuntimeError: no converter takes the value.
        """
        payloads = []
        plans = self._plans
        for index, value in enumerate(values):
            for to_payload in plans.get(type(value)) or self._plan(type(value)):
                payload = to_payload(value)
                if payload is not None:
                    payloads.append(payload)
                    break
            else:
                raise RuntimeError(f"Value at index {index} of type {type(value)} has no known converter")
        return payloads

    def _plan(self, value_type: type) -> tuple[Callable[[Any], Payload | None], ...]:
        """The converters worth asking for values of this type, in order."""
        if issubclass(value_type, RawValue):
            steps: list[Callable[[Any], Payload | None]] = [_raw_payload]
        else:
            steps = []
            for converter in self.converters.values():
                # A subclass may have another to_payload, so only the class that declared the rule is bound by it.
                if "takes_type" in type(converter).__dict__ and isinstance(converter, TypeDecided):
                    if converter.takes_type(value_type):
                        steps.append(converter.to_payload)
                        break
                else:
                    steps.append(converter.to_payload)
        if len(self._plans) >= _PLANS_MAX:
            self._plans.clear()
        plan = self._plans[value_type] = tuple(steps)
        return plan

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """One value per payload.

        Raises:
            KeyError: no converter has the payload's encoding.
            RuntimeError: the payload could not be decoded; the cause says why.
        """
        converters = self.converters
        hinted = len(type_hints) if type_hints else 0
        values = []
        for index, payload in enumerate(payloads):
            hint = type_hints[index] if type_hints and index < hinted else None
            if hint is RawValue:
                values.append(RawValue(payload))
                continue
            encoding = payload.metadata.get("encoding", b"<unknown>")  # [] would add the key to a shared message
            converter = converters.get(encoding)
            if converter is None:
                raise KeyError(f"Unknown payload encoding {encoding.decode()}")
            try:
                values.append(converter.from_payload(payload, hint))
            except RuntimeError as err:
                raise RuntimeError(
                    f"Payload at index {index} with encoding {encoding.decode()} could not be converted"
                ) from err
        return values

    def with_context(self, context: SerializationContext) -> Self:
        """A chain whose links have the context; this very chain when no link uses it.

        A subclass needs a constructor without required arguments.
        """
        converters = self.get_converters_with_context(context)
        if converters is None:
            return self
        clone = type(self)()
        clone._set_converters(*converters)
        return clone

    def get_converters_with_context(self, context: SerializationContext) -> list[EncodingPayloadConverter] | None:
        """The links with the context; None when no link uses it."""
        if not self._any_converter_takes_context:
            return None
        before = list(self.converters.values())
        after = [c.with_context(context) if isinstance(c, WithSerializationContext) else c for c in before]
        return after if any(new is not old for new, old in zip(after, before, strict=True)) else None

    @cached_property
    def _any_converter_takes_context(self) -> bool:
        return any(isinstance(c, WithSerializationContext) for c in self.converters.values())


def _raw_payload(value: RawValue) -> Payload:
    return value.payload
