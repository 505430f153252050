"""Search attributes that somebody sets: known names, values of their types, sizes; then each payload names its type.

Source: rules 3.11.1, 3.11.7; common/searchattribute/validator.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from outlast.api.common.v1 import Payload, SearchAttributes
from outlast.vocab import limits
from outlast.vocab.search_attributes import PREDEFINED, SYSTEM, TYPE_METADATA, TYPE_NAMES, BadValue, is_null, values

from .names import similar


def typed(message: SearchAttributes, custom: Mapping[str, int]) -> SearchAttributes:
    """The search attributes with their types in the payloads' metadata; nulls, which remove, stay as they are.

    Args:
        message: as a caller or a workflow gave them; not changed.
        custom: the namespace's own search attributes, name -> INDEXED_VALUE_TYPE_*.

    Raises:
        BadValue: a name is not registered or is the system's, a value is none of its type, or something is too large.
    """
    if len(message.indexed_fields) > limits.SEARCH_ATTRIBUTES_MAX:
        raise BadValue(
            f"there are {len(message.indexed_fields)} search attributes; "
            f"at most {limits.SEARCH_ATTRIBUTES_MAX} may be set"
        )
    answer = SearchAttributes()
    for name, payload in message.indexed_fields.items():
        answer.indexed_fields[name].CopyFrom(_typed(name, payload, custom))
    if answer.ByteSize() > limits.SEARCH_ATTRIBUTES_BYTES_MAX:
        raise BadValue(
            f"the search attributes have {answer.ByteSize()} bytes; "
            f"at most {limits.SEARCH_ATTRIBUTES_BYTES_MAX} may be set"
        )
    return answer


def _typed(name: str, payload: Payload, custom: Mapping[str, int]) -> Payload:
    type_ = custom.get(name) or PREDEFINED.get(name)
    if type_ is None:
        if name in SYSTEM:
            raise BadValue(f"search attribute {name!r} is the system's and cannot be set")
        near = similar(name, custom)
        cure = f"did you mean {near!r}?" if near and near not in SYSTEM else "add it with AddSearchAttributes"
        raise BadValue(f"search attribute {name!r} is not registered in this namespace; {cure}")
    if len(payload.data) > limits.SEARCH_ATTRIBUTE_BYTES_MAX:
        raise BadValue(
            f"search attribute {name!r} has {len(payload.data)} bytes; at most {limits.SEARCH_ATTRIBUTE_BYTES_MAX} "
            "may be set"
        )
    if is_null(payload):
        return payload
    try:
        values(payload, type_)
    except BadValue as error:
        raise BadValue(f"search attribute {name!r} is a {TYPE_NAMES[type_]}: {error}") from None
    answer = Payload()
    answer.CopyFrom(payload)
    answer.metadata[TYPE_METADATA] = TYPE_NAMES[type_].encode()
    return answer
