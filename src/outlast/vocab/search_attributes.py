"""Search attributes: their types, which names the system has, and the values in their payloads.

A payload names its type in its ``type`` metadata, so that it is read without knowing who registered the name.

Source: rules 3.11.1 to 3.11.3; common/searchattribute (sadefs, encode, validator).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from outlast.api.common.v1 import Payload, SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.protobuf import Timestamp
from outlast.vocab import limits
from outlast.vocab.filters import Attribute, Indexed, Scalar
from outlast.vocab.times import from_timestamp

TYPE_METADATA: Final = "type"

TYPE_NAMES: Final[Mapping[int, str]] = {
    _e.INDEXED_VALUE_TYPE_TEXT: "Text",
    _e.INDEXED_VALUE_TYPE_KEYWORD: "Keyword",
    _e.INDEXED_VALUE_TYPE_INT: "Int",
    _e.INDEXED_VALUE_TYPE_DOUBLE: "Double",
    _e.INDEXED_VALUE_TYPE_BOOL: "Bool",
    _e.INDEXED_VALUE_TYPE_DATETIME: "Datetime",
    _e.INDEXED_VALUE_TYPE_KEYWORD_LIST: "KeywordList",
}
_TYPES: Final = {name.lower(): number for number, name in TYPE_NAMES.items()}

SYSTEM: Final[Mapping[str, int]] = {
    "WorkflowId": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "RunId": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "WorkflowType": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "StartTime": _e.INDEXED_VALUE_TYPE_DATETIME,
    "ExecutionTime": _e.INDEXED_VALUE_TYPE_DATETIME,
    "CloseTime": _e.INDEXED_VALUE_TYPE_DATETIME,
    "ExecutionStatus": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "TaskQueue": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "HistoryLength": _e.INDEXED_VALUE_TYPE_INT,
    "HistorySizeBytes": _e.INDEXED_VALUE_TYPE_INT,
    "ExecutionDuration": _e.INDEXED_VALUE_TYPE_INT,
    "StateTransitionCount": _e.INDEXED_VALUE_TYPE_INT,
    "ParentWorkflowId": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "ParentRunId": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "RootWorkflowId": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "RootRunId": _e.INDEXED_VALUE_TYPE_KEYWORD,
}
"""What every run has; nobody sets them (rule 3.11.2)."""

PREDEFINED: Final[Mapping[str, int]] = {
    "TemporalChangeVersion": _e.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "BinaryChecksums": _e.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "BuildIds": _e.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "BatcherNamespace": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "BatcherUser": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalScheduledStartTime": _e.INDEXED_VALUE_TYPE_DATETIME,
    "TemporalScheduledById": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalSchedulePaused": _e.INDEXED_VALUE_TYPE_BOOL,
    "TemporalNamespaceDivision": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalPauseInfo": _e.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "TemporalReportedProblems": _e.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "TemporalWorkerDeployment": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalWorkerDeploymentVersion": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalWorkflowVersioningBehavior": _e.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalUsedWorkerDeploymentVersions": _e.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "TemporalExternalPayloadCount": _e.INDEXED_VALUE_TYPE_INT,
    "TemporalExternalPayloadSizeBytes": _e.INDEXED_VALUE_TYPE_INT,
}
"""What the system, SDKs and a few users set; every namespace has them (rule 3.11.3)."""

RESERVED_PREFIX: Final = "Temporal"
"""Names that begin so are the system's (rule 3.11.1)."""

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_WORD: Final = re.compile(r"\w+")


class BadValue(ValueError):
    """A value that is none of its type; the message says what it has to be."""


def type_of(payload: Payload) -> int:
    """The type that a payload names in its metadata, 0 when it names none that there is.

    Both spellings are known: ``KeywordList`` and ``INDEXED_VALUE_TYPE_KEYWORD_LIST``.
    """
    name = payload.metadata.get(TYPE_METADATA, b"").decode(errors="replace")
    return _TYPES.get(name.removeprefix("INDEXED_VALUE_TYPE_").replace("_", "").lower(), 0)


def is_null(payload: Payload) -> bool:
    """Whether the payload removes its attribute."""
    return payload.data in (b"", b"null", b"[]")


def words(text: str) -> tuple[str, ...]:
    """The words of a text, in lower case, each once: what a comparison with a Text looks for."""
    return tuple(dict.fromkeys(_WORD.findall(text.lower())))


def instant(text: str) -> int:
    """Ns since the epoch of an RFC 3339 time.

    Raises:
        BadValue: it is none.
    """
    message = Timestamp()
    try:
        message.FromJsonString(text)
    except ValueError:
        raise BadValue(f"{text!r} is no time; write it like 2026-01-31T12:00:00Z") from None
    return from_timestamp(message)


def values(payload: Payload, type_: int) -> tuple[Scalar, ...]:
    """What a payload says, as lists compare it: distinct values; the words of a text; instants in ns.

    A list stands for its only member, except for keyword lists. Empty for null, and for a text without words.

    Raises:
        BadValue: it is none of the type.
    """
    try:
        value = json.loads(payload.data or b"null")
    except ValueError:
        raise BadValue("it is not JSON; search attributes are encoded as json/plain") from None
    if type_ == _e.INDEXED_VALUE_TYPE_KEYWORD_LIST:
        members = value if isinstance(value, list) else [] if value is None else [value]
        return tuple(dict.fromkeys(_keyword(member) for member in members))
    if isinstance(value, list):
        if len(value) > 1:
            raise BadValue(f"it has {len(value)} values, and {TYPE_NAMES[type_]} has one; use a KeywordList")
        value = value[0] if value else None
    if value is None:
        return ()
    return _scalar(value, type_)


def _keyword(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue(f"{value!r} is no string")
    if len(value) > limits.KEYWORD_CHARACTERS_MAX:
        raise BadValue(f"it is longer than {limits.KEYWORD_CHARACTERS_MAX} characters; use a Text")
    return value


def _scalar(value: Any, type_: int) -> tuple[Scalar, ...]:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if type_ == _e.INDEXED_VALUE_TYPE_KEYWORD:
        return (_keyword(value),)
    if type_ == _e.INDEXED_VALUE_TYPE_TEXT and isinstance(value, str):
        return words(value)
    if type_ == _e.INDEXED_VALUE_TYPE_INT and is_int and _INT_MIN <= value <= _INT_MAX:
        return (value,)
    if type_ == _e.INDEXED_VALUE_TYPE_DOUBLE and (is_int or isinstance(value, float)):
        return (float(value),)
    if type_ == _e.INDEXED_VALUE_TYPE_BOOL and isinstance(value, bool):
        return (value,)
    if type_ == _e.INDEXED_VALUE_TYPE_DATETIME and isinstance(value, str):
        return (instant(value),)
    raise BadValue(f"{value!r} is no {TYPE_NAMES[type_]}")


def indexed(message: SearchAttributes) -> Indexed:
    """The search attributes of a run as lists compare them, by name; those without a known type or a sound value are
    left out (a database of an older version may hold such)."""
    found: list[tuple[Attribute, tuple[Scalar, ...]]] = []
    for name, payload in sorted(message.indexed_fields.items()):
        type_ = type_of(payload)
        if not type_:
            continue
        try:
            members = values(payload, type_)
        except BadValue:
            continue
        if members:
            found.append((Attribute(name, type_), members))
    return tuple(found)
