"""What lists can be asked: a filter as a tree of values, an order, pages and their tokens.

Rule: no store sees a query text. A parser builds these values; every store answers them alike. A comparison with a
value that a run does not have (the close time of an open run) is false, also a negated one; only ``IS_NULL`` finds it.
There is no NOT: it is pushed down to the operators, each of which has its opposite.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from outlast.storage.errors import BadPageToken
from outlast.storage.rows import RunKey, VisibilityRow

OPEN: Final = 2**63 - 1
"""Stands for the close time of an open run where runs are ordered by it: after every other."""


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
    def is_text(self) -> bool:
        """Whether its values are str; the others' are int."""
        return self in _TEXT

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

Value = str | int | tuple[str, ...] | tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. ``value`` is a tuple for IN and NOT_IN, None for IS_NULL and IS_NOT_NULL, else a str or int."""

    column: Column
    op: Op
    value: Value = None

    def __post_init__(self) -> None:
        kind = str if self.column.is_text else int
        if self.op in _OF_NONE:
            right = self.value is None
        elif self.op in _OF_MANY:
            right = isinstance(self.value, tuple) and all(type(each) is kind for each in self.value)
        else:
            right = type(self.value) is kind
        if self.op in _OF_TEXT:
            right = right and self.column.is_text
        if not right:
            raise TypeError(
                f"{self.column.value} {self.op.value} {self.value!r}: the column's values are {kind.__name__}"
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
    """By these columns, all in one direction; then by run id and workflow id, ascending."""

    columns: tuple[Column, ...]
    descending: bool = False


BY_CLOSE_TIME: Final = Order((Column.CLOSE_TIME, Column.START_TIME), descending=True)
"""Open runs first. Source: semantics 3.11.6."""


class Listed(NamedTuple):
    """A run in a list."""

    key: RunKey
    row: VisibilityRow


class Page(NamedTuple):
    """Some of the runs of a list; ``next_page_token`` is empty when these are the last."""

    rows: list[Listed]
    next_page_token: bytes


class Position(NamedTuple):
    """The place of one run in an order: the values of its columns, then what breaks ties."""

    values: tuple[str | int, ...]
    run_id: str
    workflow_id: str


def position(listed: Listed, order: Order) -> Position:
    """Where a run stands in an order."""
    return Position(tuple(rank(listed, column) for column in order.columns), listed.key.run_id, listed.key.workflow_id)


def rank(listed: Listed, column: Column) -> str | int:
    """The value by which a run is ordered; that of an open run counts as later than all others."""
    key, row = listed
    if column is Column.WORKFLOW_ID:
        return key.workflow_id
    if column is Column.RUN_ID:
        return key.run_id
    if column.of_closed_runs:
        close_time = OPEN if row.close_time is None else row.close_time
        return close_time if column is Column.CLOSE_TIME else close_time - row.execution_time
    value: str | int = getattr(row, column.value)
    return value


def token(last: Position, order: Order) -> bytes:
    """The token of the page after the one that ends at ``last``."""
    return json.dumps([_name(order), *last], separators=(",", ":")).encode()


def read_token(page_token: bytes, order: Order) -> Position:
    """The position that a token names.

    Raises:
        BadPageToken: it is not a token, or one of another order.
    """
    try:
        name, values, run_id, workflow_id = json.loads(page_token)
        kinds = [str if column.is_text else int for column in order.columns]
        sound = (
            name == _name(order)
            and [type(value) for value in values] == kinds
            and isinstance(run_id, str)
            and isinstance(workflow_id, str)
        )
    except (ValueError, TypeError):
        sound = False
    if not sound:
        raise BadPageToken(
            f"page token {page_token[:40]!r} is none of this list; pass the token of the page before, "
            "with the same query and order"
        )
    return Position(tuple(values), run_id, workflow_id)


def _name(order: Order) -> str:
    return ("-" if order.descending else "+") + ",".join(column.value for column in order.columns)
