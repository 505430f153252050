"""A data converter that writes and reads JSON with pydantic, for values that its models describe.

Rule: the public names are those of ``temporalio.contrib.pydantic``; pydantic 2 (``pip install outlast[pydantic]``). The
encoding stays ``json/plain``, so other SDKs read the payloads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer, to_json
from pydantic_core.core_schema import any_schema

from outlast.api.common.v1 import Payload
from outlast.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)


@dataclass
class ToJsonOptions:
    """How values are written."""

    exclude_unset: bool = False
    """Leave out fields of models that nobody set."""


class PydanticJSONPlainPayloadConverter(EncodingPayloadConverter):
    """``json/plain`` by pydantic: models, dataclasses, dates, UUIDs, sets, and whatever consists of them."""

    def __init__(
        self, to_json_options: ToJsonOptions | None = None, *, max_cached_type_adapters: int | None = 1024
    ) -> None:
        """Make a converter.

        Args:
            to_json_options: how values are written.
            max_cached_type_adapters: compiled type hints that are kept, the latest used; None for all, 0 for none.

        Raises:
            ValueError: the number is negative.
        """
        if max_cached_type_adapters is not None and max_cached_type_adapters < 0:
            raise ValueError("max_cached_type_adapters cannot be negative")
        self._options = to_json_options
        self._adapters_max = max_cached_type_adapters
        self._compile()

    def _compile(self) -> None:
        self._serializer = SchemaSerializer(any_schema())
        self._adapter: Callable[[Any], TypeAdapter[Any]] = lru_cache(self._adapters_max)(TypeAdapter)

    def __getstate__(self) -> dict[str, Any]:
        """Pickled without what was compiled."""
        return {"_options": self._options, "_adapters_max": self._adapters_max}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Compiled anew."""
        self.__dict__.update(state)
        self._compile()

    @property
    def encoding(self) -> str:
        """``json/plain``."""
        return "json/plain"

    def to_payload(self, value: Any) -> Payload | None:
        """Its JSON.

        Raises:
            PydanticSerializationError: a value inside has a type that pydantic cannot write.
        """
        if self._options is None:
            data = to_json(value)
        else:
            data = self._serializer.to_json(value, exclude_unset=self._options.exclude_unset)
        return Payload(metadata={"encoding": b"json/plain"}, data=data)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """The value that the hint describes; without a hint what JSON says.

        Raises:
            ValidationError: the JSON does not fit the hint.
        """
        hint: Any = Any if type_hint is None else type_hint
        return self._adapter_of(hint).validate_json(payload.data)

    def _adapter_of(self, hint: Any) -> TypeAdapter[Any]:
        try:
            hash(hint)
        except TypeError:
            return TypeAdapter(hint)
        return self._adapter(hint)


class PydanticPayloadConverter(CompositePayloadConverter):
    """The default chain with pydantic in the place of plain JSON."""

    def __init__(
        self, to_json_options: ToJsonOptions | None = None, *, max_cached_type_adapters: int | None = 1024
    ) -> None:
        """Make the chain; parameters as for :class:`PydanticJSONPlainPayloadConverter`."""
        by_pydantic = PydanticJSONPlainPayloadConverter(
            to_json_options, max_cached_type_adapters=max_cached_type_adapters
        )
        super().__init__(
            *(
                by_pydantic if isinstance(link, JSONPlainPayloadConverter) else link
                for link in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


pydantic_data_converter = DataConverter(payload_converter_class=PydanticPayloadConverter)
"""For the ``data_converter`` of ``Client.connect``."""

__all__ = [
    "PydanticJSONPlainPayloadConverter",
    "PydanticPayloadConverter",
    "ToJsonOptions",
    "pydantic_data_converter",
]
