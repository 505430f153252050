"""Typed search attributes: keys, values, updates and the immutable collection of them.

Rule: a key is its name and its server type; two keys are equal only when both are.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import pairwise
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar, get_origin, overload

import outlast.api.enums.v1 as enums
from outlast.types import AnyType

# Lists, not sequences, so that a lone string is refused instead of being taken as a sequence of characters.
SearchAttributeValues: TypeAlias = list[str] | list[int] | list[float] | list[bool] | list[datetime]

SearchAttributes: TypeAlias = Mapping[str, SearchAttributeValues]

SearchAttributeValue: TypeAlias = str | int | float | bool | datetime | Sequence[str]

SearchAttributeValueType = TypeVar("SearchAttributeValueType", str, int, float, bool, datetime, Sequence[str])


class SearchAttributeIndexedValueType(IntEnum):
    """The server's type of a search attribute."""

    TEXT = enums.INDEXED_VALUE_TYPE_TEXT
    KEYWORD = enums.INDEXED_VALUE_TYPE_KEYWORD
    INT = enums.INDEXED_VALUE_TYPE_INT
    DOUBLE = enums.INDEXED_VALUE_TYPE_DOUBLE
    BOOL = enums.INDEXED_VALUE_TYPE_BOOL
    DATETIME = enums.INDEXED_VALUE_TYPE_DATETIME
    KEYWORD_LIST = enums.INDEXED_VALUE_TYPE_KEYWORD_LIST


_METADATA_TYPES: Mapping[SearchAttributeIndexedValueType, str] = {
    SearchAttributeIndexedValueType.TEXT: "Text",
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.INT: "Int",
    SearchAttributeIndexedValueType.DOUBLE: "Double",
    SearchAttributeIndexedValueType.BOOL: "Bool",
    SearchAttributeIndexedValueType.DATETIME: "Datetime",
    SearchAttributeIndexedValueType.KEYWORD_LIST: "KeywordList",
}

_PYTHON_TYPES: Mapping[SearchAttributeIndexedValueType, Any] = {
    SearchAttributeIndexedValueType.TEXT: str,
    SearchAttributeIndexedValueType.KEYWORD: str,
    SearchAttributeIndexedValueType.INT: int,
    SearchAttributeIndexedValueType.DOUBLE: float,
    SearchAttributeIndexedValueType.BOOL: bool,
    SearchAttributeIndexedValueType.DATETIME: datetime,
    SearchAttributeIndexedValueType.KEYWORD_LIST: Sequence[str],
}

# Payload metadata usually says "KeywordList", some writers say "INDEXED_VALUE_TYPE_KEYWORD_LIST".
_BY_METADATA_TYPE: Mapping[str, SearchAttributeIndexedValueType] = {
    spelling: indexed
    for indexed, name in _METADATA_TYPES.items()
    for spelling in (name, f"INDEXED_VALUE_TYPE_{indexed.name}")
}

# A bool is an int, and is guessed as one; so does Temporal's SDK.
_GUESSES: Sequence[tuple[type, SearchAttributeIndexedValueType]] = (
    (str, SearchAttributeIndexedValueType.KEYWORD),
    (int, SearchAttributeIndexedValueType.INT),
    (float, SearchAttributeIndexedValueType.DOUBLE),
    (datetime, SearchAttributeIndexedValueType.DATETIME),
)


class SearchAttributeKey(ABC, Generic[SearchAttributeValueType]):
    """Name and type of a search attribute. Make one with a ``for_`` method."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name as registered at the server."""

    @property
    @abstractmethod
    def indexed_value_type(self) -> SearchAttributeIndexedValueType:
        """The server's type."""

    @property
    @abstractmethod
    def value_type(self) -> type[SearchAttributeValueType]:
        """Python type of the values; may be generic, so see ``origin_value_type`` for ``isinstance``."""

    @property
    def origin_value_type(self) -> type:
        """``value_type`` without type arguments."""
        return get_origin(self.value_type) or self.value_type

    @property
    def _metadata_type(self) -> str:
        return _METADATA_TYPES[self.indexed_value_type]

    def value_set(self, value: SearchAttributeValueType) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """The update that gives this key a value."""
        return _SearchAttributeUpdate(self, value)

    def value_unset(self) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """The update that removes this key."""
        return _SearchAttributeUpdate(self, None)

    @staticmethod
    def for_text(name: str) -> SearchAttributeKey[str]:
        """Words that can be matched one by one."""
        return _SearchAttributeKey(name, SearchAttributeIndexedValueType.TEXT, str)

    @staticmethod
    def for_keyword(name: str) -> SearchAttributeKey[str]:
        """A string that is matched as a whole."""
        return _SearchAttributeKey(name, SearchAttributeIndexedValueType.KEYWORD, str)

    @staticmethod
    def for_int(name: str) -> SearchAttributeKey[int]:
        """A 64-bit integer."""
        return _SearchAttributeKey(name, SearchAttributeIndexedValueType.INT, int)

    @staticmethod
    def for_float(name: str) -> SearchAttributeKey[float]:
        """A double."""
        return _SearchAttributeKey(name, SearchAttributeIndexedValueType.DOUBLE, float)

    @staticmethod
    def for_bool(name: str) -> SearchAttributeKey[bool]:
        """True or false."""
        return _SearchAttributeKey(name, SearchAttributeIndexedValueType.BOOL, bool)

    @staticmethod
    def for_datetime(name: str) -> SearchAttributeKey[datetime]:
        """An instant; values need a time zone."""
        return _SearchAttributeKey(name, SearchAttributeIndexedValueType.DATETIME, datetime)

    @staticmethod
    def for_keyword_list(name: str) -> SearchAttributeKey[Sequence[str]]:
        """Several strings, each matched as a whole."""
        return _SearchAttributeKey(
            name,
            SearchAttributeIndexedValueType.KEYWORD_LIST,
            Sequence[str],  # type: ignore[type-abstract]  # a generic alias cannot be said otherwise
        )

    @staticmethod
    def _from_metadata_type(name: str, metadata_type: str) -> SearchAttributeKey[Any] | None:
        indexed = _BY_METADATA_TYPE.get(metadata_type)
        return None if indexed is None else _SearchAttributeKey(name, indexed, _PYTHON_TYPES[indexed])

    @staticmethod
    def _guess_from_untyped_values(name: str, vals: SearchAttributeValues) -> SearchAttributeKey[Any] | None:
        if not vals:
            return None
        if len(vals) > 1:
            return SearchAttributeKey.for_keyword_list(name) if isinstance(vals[0], str) else None
        for python_type, indexed in _GUESSES:
            if isinstance(vals[0], python_type):
                return _SearchAttributeKey(name, indexed, _PYTHON_TYPES[indexed])
        return None


@dataclass(frozen=True)
class _SearchAttributeKey(SearchAttributeKey[SearchAttributeValueType]):
    _name: str
    _indexed_value_type: SearchAttributeIndexedValueType
    _value_type: type[SearchAttributeValueType]

    @property
    def name(self) -> str:
        return self._name

    @property
    def indexed_value_type(self) -> SearchAttributeIndexedValueType:
        return self._indexed_value_type

    @property
    def value_type(self) -> type[SearchAttributeValueType]:
        return self._value_type


class SearchAttributePair(NamedTuple, Generic[SearchAttributeValueType]):
    """A key and its value."""

    key: SearchAttributeKey[SearchAttributeValueType]
    value: SearchAttributeValueType


class SearchAttributeUpdate(ABC, Generic[SearchAttributeValueType]):
    """A change of one search attribute; made by ``SearchAttributeKey.value_set`` and ``value_unset``."""

    @property
    @abstractmethod
    def key(self) -> SearchAttributeKey[SearchAttributeValueType]:
        """Key to change."""

    @property
    @abstractmethod
    def value(self) -> SearchAttributeValueType | None:
        """New value, or None to remove the attribute."""


@dataclass(frozen=True)
class _SearchAttributeUpdate(SearchAttributeUpdate[SearchAttributeValueType]):
    _key: SearchAttributeKey[SearchAttributeValueType]
    _value: SearchAttributeValueType | None

    @property
    def key(self) -> SearchAttributeKey[SearchAttributeValueType]:
        return self._key

    @property
    def value(self) -> SearchAttributeValueType | None:
        return self._value


@dataclass(frozen=True)
class TypedSearchAttributes(Collection[SearchAttributePair[Any]]):
    """An immutable set of search attributes, ordered by key name.

    Raises:
        ValueError: two pairs have the same key name.
    """

    search_attributes: Sequence[SearchAttributePair[Any]]
    """The pairs in order of their names; not to be changed in place."""

    empty: ClassVar[TypedSearchAttributes]
    """The collection without attributes."""

    def __post_init__(self) -> None:
        """Sort by name and refuse duplicates."""
        ordered = sorted(self.search_attributes, key=lambda pair: pair.key.name)
        for before, after in pairwise(ordered):
            if before.key.name == after.key.name:
                raise ValueError(f"Duplicate search attribute entries found for key {after.key.name}")
        object.__setattr__(self, "search_attributes", ordered)

    def __len__(self) -> int:
        """How many attributes there are."""
        return len(self.search_attributes)

    def __getitem__(self, key: SearchAttributeKey[SearchAttributeValueType]) -> SearchAttributeValueType:
        """The value of a key.

        Raises:
            KeyError: no attribute has this name and type.
        """
        for candidate, value in self.search_attributes:
            if candidate == key:
                found: SearchAttributeValueType = value
                return found
        raise KeyError(key.name)

    def __iter__(self) -> Iterator[SearchAttributePair[Any]]:
        """The pairs in order of their names."""
        return iter(self.search_attributes)

    def __contains__(self, key: object) -> bool:
        """Whether an attribute has this name and type."""
        return any(candidate == key for candidate, _ in self.search_attributes)

    @overload
    def get(self, key: SearchAttributeKey[SearchAttributeValueType]) -> SearchAttributeValueType | None: ...

    @overload
    def get(
        self, key: SearchAttributeKey[SearchAttributeValueType], default: AnyType
    ) -> SearchAttributeValueType | AnyType: ...

    def get(self, key: SearchAttributeKey[Any], default: Any | None = None) -> Any:
        """The value of a key, or ``default`` when it is not there."""
        try:
            return self[key]
        except KeyError:
            return default

    def updated(self, *search_attributes: SearchAttributePair[Any]) -> TypedSearchAttributes:
        """A copy in which these pairs replace the ones of the same name, or are added."""
        by_name = {pair.key.name: pair for pair in self.search_attributes}
        by_name.update((pair.key.name, pair) for pair in search_attributes)
        return TypedSearchAttributes(list(by_name.values()))


TypedSearchAttributes.empty = TypedSearchAttributes(search_attributes=[])


def _warn_on_deprecated_search_attributes(attributes: object, stack_level: int = 2) -> None:
    if attributes and isinstance(attributes, Mapping):
        warnings.warn(
            "Dictionary-based search attributes are deprecated; use outlast.common.TypedSearchAttributes",
            DeprecationWarning,
            stacklevel=1 + stack_level,
        )
