"""Search attributes to API messages and back.

Rule: they bypass users' converters and codecs, because the server itself reads them: always the default chain, with
the server's type name in the ``type`` metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import outlast.api.common.v1 as common_api
from outlast.api.common.v1 import Payload
from outlast.common import (
    SearchAttributeIndexedValueType,
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributes,
    SearchAttributeValue,
    SearchAttributeValues,
    SearchAttributeValueType,
    TypedSearchAttributes,
)

from ._default import DefaultPayloadConverter

_converter = DefaultPayloadConverter()


def encode_search_attributes(
    attributes: SearchAttributes | TypedSearchAttributes, api: common_api.SearchAttributes
) -> None:
    """Write search attributes into an API message.

    Args:
        attributes: typed, or the deprecated mapping of names to lists.
        api: message to add them to.
    """
    if isinstance(attributes, TypedSearchAttributes):
        for key, value in attributes:
            api.indexed_fields[key.name].CopyFrom(encode_typed_search_attribute_value(key, value))
        return
    for name, values in attributes.items():
        api.indexed_fields[name].CopyFrom(encode_search_attribute_values(values))


def encode_typed_search_attribute_value(
    key: SearchAttributeKey[SearchAttributeValueType], value: SearchAttributeValue | None
) -> Payload:
    """The payload of one value; None removes the attribute at the server.

    Raises:
        TypeError: the value is not of the key's type, or a keyword list holds something else than strings.
        ValueError: a datetime has no time zone.
    """
    if value is None:
        return _converter.to_payload(None)  # without a type: the server takes typed nulls for values
    if not isinstance(value, key.origin_value_type):
        raise TypeError(
            f"Value {value!r} of type {type(value).__name__} not suitable for search attribute {key.name}"
            f" of indexed value type {key.indexed_value_type.name}"
        )
    if isinstance(value, datetime):
        value = _iso(value)
    if isinstance(value, Sequence) and any(not isinstance(item, str) for item in value):
        raise TypeError("All values of a keyword list must be strings")
    payload = _converter.to_payload(value)
    payload.metadata["type"] = key._metadata_type.encode()
    return payload


def encode_search_attribute_values(vals: SearchAttributeValues) -> Payload:
    """The payload of a list of values of one type, without a type name; deprecated in favour of typed attributes.

    Raises:
        TypeError: not a list, values of different types, or of a type that is no search attribute type.
        ValueError: a datetime has no time zone.
    """
    if not isinstance(vals, list):
        raise TypeError("Search attribute values must be lists")
    seen: type | None = None
    plain: list[str | int | float | bool] = []
    for value in vals:
        if isinstance(value, datetime):
            plain.append(_iso(value))
            continue
        if not isinstance(value, (str, int, float, bool)):
            raise TypeError(
                f"Search attribute value of type {type(value).__name__} not one of str, int, float, bool, or datetime"
            )
        if seen is not None and type(value) is not seen:
            raise TypeError("Search attribute values must have the same type for the same key")
        seen = type(value)
        plain.append(value)
    return _converter.to_payload(plain)


def _iso(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("Timezone must be present on all search attribute dates")
    return value.isoformat()


def _encode_maybe_typed_search_attributes(
    non_typed_attributes: SearchAttributes | None,
    typed_attributes: TypedSearchAttributes | None,
    api: common_api.SearchAttributes,
) -> None:
    if non_typed_attributes:
        if typed_attributes:
            raise ValueError("Cannot provide both deprecated search attributes and typed search attributes")
        encode_search_attributes(non_typed_attributes, api)
    elif typed_attributes:
        encode_search_attributes(typed_attributes, api)


def decode_search_attributes(api: common_api.SearchAttributes) -> SearchAttributes:
    """The values by name, each as a list; deprecated in favour of typed attributes.

    Returns:
        A new mapping; datetimes are parsed where the server said the type.
    """
    decoded: dict[str, Any] = {}
    for name, payload in api.indexed_fields.items():
        value = _converter.from_payload(payload)
        values = value if isinstance(value, list) else [value]
        if payload.metadata.get("type") == b"Datetime":
            values = [datetime.fromisoformat(v) for v in values]
        decoded[name] = values
    return cast("Mapping[str, SearchAttributeValues]", decoded)


def decode_typed_search_attributes(api: common_api.SearchAttributes) -> TypedSearchAttributes:
    """The attributes whose type the server named; others, and values that do not fit it, are left out."""
    pairs: list[SearchAttributePair[Any]] = []
    for name, payload in api.indexed_fields.items():
        metadata_type = payload.metadata.get("type")
        key = SearchAttributeKey._from_metadata_type(name, metadata_type.decode()) if metadata_type else None
        if key is None:
            continue
        value = _converter.from_payload(payload)
        if key.indexed_value_type is not SearchAttributeIndexedValueType.KEYWORD_LIST and isinstance(value, list):
            if len(value) != 1:
                continue
            value = value[0]
        if key.indexed_value_type is SearchAttributeIndexedValueType.DATETIME:
            value = datetime.fromisoformat(value)
        elif key.indexed_value_type is SearchAttributeIndexedValueType.DOUBLE and type(value) is int:
            value = float(value)  # visibility writes 2.0 as 2
        if isinstance(value, key.origin_value_type):
            pairs.append(SearchAttributePair(key, value))
    return TypedSearchAttributes(pairs)


def _decode_search_attribute_value(payload: Payload) -> SearchAttributeValue:
    value: Any = _converter.from_payload(payload)
    if isinstance(value, str) and payload.metadata.get("type") == b"Datetime":
        return datetime.fromisoformat(value)
    return cast("SearchAttributeValue", value)
