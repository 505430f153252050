"""Values in list filters: from what stands in the text to what the column holds.

Times are RFC 3339 or ns since the epoch; lengths of time ns, ``1h30m`` or ``hh:mm:ss``; statuses names or numbers.

Source: rule 3.11.5; common/persistence/visibility/store/query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from outlast.api.enums import v1 as _e
from outlast.vocab.filters import Attribute, Column, Field, Scalar
from outlast.vocab.search_attributes import BadValue, instant

STATUS_NAMES: Final[Mapping[int, str]] = {
    number: "".join(part.capitalize() for part in name.removeprefix("WORKFLOW_EXECUTION_STATUS_").split("_"))
    for name, number in _e.WorkflowExecutionStatus.items()
    if number != _e.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED
}
"""WORKFLOW_EXECUTION_STATUS_* -> its name in filters, such as ``ContinuedAsNew``."""

ACTIVITY_STATUS_NAMES: Final[Mapping[int, str]] = {
    number: "".join(part.capitalize() for part in name.removeprefix("ACTIVITY_EXECUTION_STATUS_").split("_"))
    for name, number in _e.ActivityExecutionStatus.items()
    if number != _e.ACTIVITY_EXECUTION_STATUS_UNSPECIFIED
}
"""ACTIVITY_EXECUTION_STATUS_* -> its name in filters over standalone activities."""

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_UNITS_NS: Final = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "ns": 1,
}
_UNIT: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|d|h|m|s)")
_CLOCK: Final = re.compile(r"(\d+):([0-5]\d):([0-5]\d)")


def convert(value: Scalar, column: Field, statuses: Mapping[int, str] = STATUS_NAMES) -> Scalar:
    """A value of the text as one of the column.

    Args:
        statuses: number -> name, of the kind of execution that is looked for.

    Raises:
        BadValue: the column cannot hold it.
    """
    if isinstance(column, Attribute):
        return _BY_TYPE[column.type](value)
    if column is Column.STATUS:
        return _status(value, statuses)
    return _BY_COLUMN.get(column, _string if column.kind is str else _integer)(value)


def _string(value: Scalar) -> str:
    if not isinstance(value, str):
        raise BadValue(f"{value!r} is no string; put it in quotes")
    return value


def _integer(value: Scalar) -> int:
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            raise BadValue(f"{value!r} is no whole number") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue(f"{value!r} is no whole number")
    if not _INT_MIN <= value <= _INT_MAX:
        raise BadValue(f"{value} does not fit into 64 bits")
    return value


def _double(value: Scalar) -> float:
    try:
        if not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise BadValue(f"{value!r} is no number")


def _truth(value: Scalar) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise BadValue(f"{value!r} is neither true nor false")


def _instant(value: Scalar) -> int:
    if isinstance(value, str):
        return instant(value)
    if isinstance(value, bool | float):
        raise BadValue(f"{value!r} is no time; write it like '2026-01-31T12:00:00Z', or in ns since the epoch")
    return _integer(value)


def _length(value: Scalar) -> int:
    if not isinstance(value, str):
        return _integer(value)
    clock = _CLOCK.fullmatch(value)
    if clock:
        hours, minutes, seconds = (int(part) for part in clock.groups())
        return _integer((hours * 3600 + minutes * 60 + seconds) * 1_000_000_000)
    parts = _UNIT.findall(value)
    if parts and "".join(number + unit for number, unit in parts) == value:
        return _integer(round(sum(float(number) * _UNITS_NS[unit] for number, unit in parts)))
    try:
        return _integer(value)
    except BadValue:
        raise BadValue(f"{value!r} is no length of time; write it like '1h30m', '01:30:00' or in ns") from None


def _status(value: Scalar, statuses: Mapping[int, str]) -> int:
    for number, name in statuses.items():
        if value == number or (isinstance(value, str) and value.lower() == name.lower()):
            return number
    raise BadValue(f"{value!r} is no status; there are {', '.join(statuses.values())}")


_BY_COLUMN: Final[Mapping[Column, Callable[[Scalar], Scalar]]] = {
    Column.START_TIME: _instant,
    Column.EXECUTION_TIME: _instant,
    Column.CLOSE_TIME: _instant,
    Column.EXECUTION_DURATION: _length,
}

_BY_TYPE: Final[Mapping[int, Callable[[Scalar], Scalar]]] = {
    _e.INDEXED_VALUE_TYPE_TEXT: _string,
    _e.INDEXED_VALUE_TYPE_KEYWORD: _string,
    _e.INDEXED_VALUE_TYPE_INT: _integer,
    _e.INDEXED_VALUE_TYPE_DOUBLE: _double,
    _e.INDEXED_VALUE_TYPE_BOOL: _truth,
    _e.INDEXED_VALUE_TYPE_DATETIME: _instant,
    _e.INDEXED_VALUE_TYPE_KEYWORD_LIST: _string,
}
