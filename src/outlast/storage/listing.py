"""Pages of lists: the place of a run in an order, and the tokens that name it.

What is listed and how it is ordered are the values of ``vocab.filters``.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from outlast.storage.errors import BadPageToken
from outlast.storage.rows import RunKey, VisibilityRow
from outlast.vocab.filters import (
    BY_CLOSE_TIME,
    And,
    Attribute,
    Column,
    Condition,
    Field,
    Filter,
    Indexed,
    Kind,
    Op,
    Or,
    Order,
    Scalar,
    name_of,
)

__all__ = [
    "BY_CLOSE_TIME",
    "OPEN",
    "And",
    "Attribute",
    "Column",
    "Condition",
    "Field",
    "Filter",
    "Indexed",
    "Listed",
    "Op",
    "Or",
    "Order",
    "Page",
    "Position",
    "Scalar",
    "missing",
    "position",
    "rank",
    "read_token",
    "token",
]

OPEN: Final = 2**63 - 1
"""Stands for the close time of an open run where runs are ordered by it: after every other."""


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

    values: tuple[Scalar, ...]
    run_id: str
    workflow_id: str


def position(listed: Listed, indexed: Indexed, order: Order) -> Position:
    """Where a run stands in an order."""
    values = tuple(_place(listed, indexed, column, order.descending) for column in order.columns)
    return Position(values, listed.key.run_id, listed.key.workflow_id)


def _place(listed: Listed, indexed: Indexed, column: Field, descending: bool) -> Scalar:
    if isinstance(column, Column):
        return rank(listed, column)
    values = next((values for attribute, values in indexed if attribute == column), None)
    return missing(column, descending) if values is None else _flat(column)(values[0])


def missing(attribute: Attribute, descending: bool) -> Scalar:
    """Stands for a search attribute that a run does not have, where runs are ordered by it: after every other."""
    kind = _flat(attribute)
    if kind is str:
        return "" if descending else "\U0010ffff"
    if kind is float:
        return float("-inf" if descending else "inf")
    return -OPEN - 1 if descending else OPEN


def _flat(column: Field) -> Kind:
    """The type of a column's values in an order: truth values are numbers there."""
    return int if column.kind is bool else column.kind


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
        kinds = [_flat(column) for column in order.columns]
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
    return ("-" if order.descending else "+") + ",".join(name_of(column) for column in order.columns)
