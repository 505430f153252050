"""What lists can be asked: a filter as a tree of values, and an order.

Rule: no store sees a query text. A parser builds these values; every store answers them alike. A comparison with a
value that a run does not have (the close time of an open run, a search attribute) is false, also a negated one; only
``IS_NULL`` finds it. There is no NOT: it is pushed down to the operators, each of which has its opposite.

A search attribute of a run is a set of values, most often one; a keyword list has its members, a text its words. A
comparison holds when one of the values does; a negated one when there are values and none of them is what it names.

Source: rules 3.11.1 to 3.11.6.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from outlast.api.enums import v1 as _e

Kind: TypeAlias = type[str] | type[int] | type[float]
"""The Python type of a column's values; bool is an int here."""


class Column(Enum):
    """What of a run can be compared and ordered by; times and durations in ns."""

    WORKFLOW_ID = "workflow_id"
    RUN_ID = "run_id"
    WORKFLOW_TYPE = "workflow_type"
    TASK_QUEUE = "task_queue"
    STATUS = "status"
    START_TIME = "start_time"
    EXECUTION_TIME = "execution_time"
    CLOSE_TIME = "close_time"
    EXECUTION_DURATION = "execution_duration"
    """From the execution time to the close time; an open run has none."""
    HISTORY_LENGTH = "history_length"
    HISTORY_SIZE_BYTES = "history_size_bytes"
    STATE_TRANSITION_COUNT = "state_transition_count"
    PARENT_WORKFLOW_ID = "parent_workflow_id"
    PARENT_RUN_ID = "parent_run_id"
    ROOT_WORKFLOW_ID = "root_workflow_id"
    ROOT_RUN_ID = "root_run_id"

    @property
    def kind(self) -> Kind:
        """The type of its values: str or int."""
        return str if self in _TEXT else int

    @property
    def sortable(self) -> bool:
        """Whether lists can be ordered by it."""
        return True

    @property
    def of_closed_runs(self) -> bool:
        """Whether only closed runs have it."""
        return self in (Column.CLOSE_TIME, Column.EXECUTION_DURATION)


_TEXT: Final = frozenset(
    {
        Column.WORKFLOW_ID,
        Column.RUN_ID,
        Column.WORKFLOW_TYPE,
        Column.TASK_QUEUE,
        Column.PARENT_WORKFLOW_ID,
        Column.PARENT_RUN_ID,
        Column.ROOT_WORKFLOW_ID,
        Column.ROOT_RUN_ID,
    }
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A search attribute as a column; ``type`` is an INDEXED_VALUE_TYPE_*.

    The same name with another type is another.
    """

    name: str
    type: int

    @property
    def kind(self) -> Kind:
        """The type of its values: str, int (also for instants, in ns), float or bool."""
        return _KINDS[self.type]

    @property
    def key(self) -> str:
        """What stores call it."""
        return f"{self.type}:{self.name}"

    @property
    def sortable(self) -> bool:
        """Whether lists can be ordered by it: not by what has several values."""
        return self.type not in (_e.INDEXED_VALUE_TYPE_TEXT, _e.INDEXED_VALUE_TYPE_KEYWORD_LIST)


_KINDS: Final[dict[int, Kind]] = {
    _e.INDEXED_VALUE_TYPE_TEXT: str,
    _e.INDEXED_VALUE_TYPE_KEYWORD: str,
    _e.INDEXED_VALUE_TYPE_INT: int,
    _e.INDEXED_VALUE_TYPE_DOUBLE: float,
    _e.INDEXED_VALUE_TYPE_BOOL: bool,
    _e.INDEXED_VALUE_TYPE_DATETIME: int,
    _e.INDEXED_VALUE_TYPE_KEYWORD_LIST: str,
}

Field = Column | Attribute
"""What a filter compares and an order ranks."""

Scalar = str | int | float | bool
Indexed = tuple[tuple[Attribute, tuple[Scalar, ...]], ...]
"""The search attributes of a run as lists compare them: each with its values, which are distinct and never none."""


class Op(Enum):
    """How a column is compared."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "IN"
    NOT_IN = "NOT IN"
    STARTS_WITH = "STARTS_WITH"
    NOT_STARTS_WITH = "NOT STARTS_WITH"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


_OF_MANY: Final = frozenset({Op.IN, Op.NOT_IN})
_OF_NONE: Final = frozenset({Op.IS_NULL, Op.IS_NOT_NULL})
_OF_TEXT: Final = frozenset({Op.STARTS_WITH, Op.NOT_STARTS_WITH})

NEGATED: Final = frozenset({Op.NE, Op.NOT_IN, Op.NOT_STARTS_WITH})
"""These hold when no value of the column is what they name."""

Value = Scalar | tuple[Scalar, ...] | None


def name_of(column: Field) -> str:
    """The name of a column in messages and tokens."""
    return column.value if isinstance(column, Column) else column.key


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. ``value`` is a tuple for IN and NOT_IN, None for IS_NULL and IS_NOT_NULL, else a scalar."""

    column: Field
    op: Op
    value: Value = None

    def __post_init__(self) -> None:
        kind = self.column.kind
        if self.op in _OF_NONE:
            right = self.value is None
        elif self.op in _OF_MANY:
            right = isinstance(self.value, tuple) and all(type(each) is kind for each in self.value)
        else:
            right = type(self.value) is kind
        if self.op in _OF_TEXT:
            right = right and kind is str
        if not right:
            raise TypeError(
                f"{name_of(self.column)} {self.op.value} {self.value!r}: the column's values are {kind.__name__}"
            )


@dataclass(frozen=True, slots=True)
class And:
    """True when all parts are; true without parts."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when one part is; false without parts."""

    parts: tuple[Filter, ...]


Filter = Condition | And | Or


@dataclass(frozen=True, slots=True)
class Order:
    """By these columns, all in one direction; then by run id and workflow id, ascending.

    Runs without a search attribute come last, in both directions.
    """

    columns: tuple[Field, ...]
    descending: bool = False


BY_CLOSE_TIME: Final = Order((Column.CLOSE_TIME, Column.START_TIME), descending=True)
"""Open runs first. Source: semantics 3.11.6."""


_HOLDS: Final[dict[Op, Callable[[Any, Any], bool]]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.IN: lambda value, those: value in those,
    Op.NOT_IN: lambda value, those: value not in those,
    Op.STARTS_WITH: lambda value, prefix: value.startswith(prefix),
    Op.NOT_STARTS_WITH: lambda value, prefix: not value.startswith(prefix),
    Op.IS_NULL: lambda value, _: False,
    Op.IS_NOT_NULL: lambda value, _: True,
}
assert set(_HOLDS) == set(Op)


def holds(where: Filter, values: Callable[[Field], tuple[Scalar, ...]]) -> bool:
    """Whether a filter finds the thing whose columns have these values; none stand for a missing one."""
    if isinstance(where, And):
        return all(holds(part, values) for part in where.parts)
    if isinstance(where, Or):
        return any(holds(part, values) for part in where.parts)
    found = values(where.column)
    if not found:
        return where.op is Op.IS_NULL
    compare = _HOLDS[where.op]
    every = where.op in NEGATED
    return (all if every else any)(compare(value, where.value) for value in found)
