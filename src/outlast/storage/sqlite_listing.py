"""Lists as SQL: a filter, an order and a position become one SELECT.

Rule: no value of a caller is ever part of the text; the text is made of our own words. The table that is read first is
the one whose index finds the rows, so it is said, not left to the planner, which has no statistics here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from outlast.storage.listing import (
    OPEN,
    And,
    Column,
    Condition,
    Filter,
    Listed,
    Op,
    Or,
    Order,
    Page,
    position,
    read_token,
    token,
)
from outlast.storage.rows import RunKey
from outlast.storage.sqlite_rows import SHOWN, Reader, shown

_OF_EXECUTIONS: Final = frozenset({Column.WORKFLOW_ID, Column.RUN_ID})
_COMPUTED: Final = {
    Column.WORKFLOW_ID: "e.workflow_id",
    Column.RUN_ID: "e.run_id",
    Column.CLOSE_TIME: "v.closed_at",
    Column.EXECUTION_DURATION: "(v.closed_at - v.execution_time)",
}
_SQL: Final = {column: _COMPUTED.get(column, f"v.{column.value}") for column in Column}
_IS_CLOSED: Final = f"v.closed_at < {OPEN}"

_VISIBILITY: Final = "visibility v"
_FROM_VISIBILITY: Final = "visibility v CROSS JOIN executions e ON e.run_no = v.run_no"
_FROM_EXECUTIONS: Final = (
    "executions e CROSS JOIN visibility v ON v.run_no = e.run_no AND e.namespace_no = v.namespace_no"
)

_COMPARISONS: Final = {
    Op.EQ: "{} = ?",
    Op.NE: "{} <> ?",
    Op.LT: "{} < ?",
    Op.LE: "{} <= ?",
    Op.GT: "{} > ?",
    Op.GE: "{} >= ?",
}


def select_page(
    reader: Reader, namespace_id: str, where: Filter | None, order: Order, page_size: int, page_token: bytes
) -> Page:
    """One page of a list."""
    assert page_size >= 1
    keys = ", ".join(_SQL[column] for column in order.columns)
    direction = " DESC" if order.descending else ""
    sorting = [_SQL[column] + direction for column in order.columns] + ["e.run_id", "e.workflow_id"]
    values: list[Any] = []
    condition = _condition(namespace_id, where, values)
    if page_token:
        last = read_token(page_token, order)
        places = ", ".join("?" * len(last.values))
        # The first comparison is the range of an index, the second leaves out what the page before had.
        condition += (
            f" AND ({keys}) {'<=' if order.descending else '>='} ({places})"
            f" AND (({keys}) <> ({places}) OR (e.run_id, e.workflow_id) > (?, ?))"
        )
        values += [*last.values, *last.values, last.run_id, last.workflow_id]
    statement = (
        f"SELECT e.workflow_id, e.run_id, {SHOWN} FROM {_tables(where)}"
        f" WHERE {condition} ORDER BY {', '.join(sorting)} LIMIT ?"
    )
    found = reader.rows(statement, [*values, page_size + 1])
    rows = [Listed(RunKey(namespace_id, each[0], each[1]), shown(each[2:])) for each in found[:page_size]]
    more = len(found) > page_size
    return Page(rows, token(position(rows[-1], order), order) if more else b"")


def count(reader: Reader, namespace_id: str, where: Filter | None) -> int:
    """The size of a list."""
    values: list[Any] = []
    condition = _condition(namespace_id, where, values)
    total: int = reader.rows(f"SELECT count(*) FROM {_tables_to_count(where)} WHERE {condition}", values)[0][0]
    return total


def count_by_status(reader: Reader, namespace_id: str, where: Filter | None) -> dict[int, int]:
    """The size of a list by status, ascending."""
    values: list[Any] = []
    condition = _condition(namespace_id, where, values)
    tables = _tables_to_count(where)
    statement = f"SELECT v.status, count(*) FROM {tables} WHERE {condition} GROUP BY v.status ORDER BY v.status"
    return dict(reader.rows(statement, values))


def _condition(namespace_id: str, where: Filter | None, values: list[Any]) -> str:
    """The WHERE clause; appends its values in the order of their places."""
    table = "e" if _tables(where) is _FROM_EXECUTIONS else "v"
    values.append(namespace_id)
    condition = f"{table}.namespace_no = (SELECT namespace_no FROM namespaces WHERE namespace_id = ?)"
    if where is not None:
        condition += f" AND {_sql(where, values)}"
    return condition


def _sql(where: Filter, values: list[Any]) -> str:
    if isinstance(where, Condition):
        return _compare(where, values)
    joint, of_nothing = (" AND ", "true") if isinstance(where, And) else (" OR ", "false")
    parts = [_sql(part, values) for part in where.parts]
    return f"({joint.join(parts)})" if parts else of_nothing


def _compare(condition: Condition, values: list[Any]) -> str:
    column, op, value = condition.column, condition.op, condition.value
    if op is Op.IS_NULL:
        return f"NOT {_IS_CLOSED}" if column.of_closed_runs else "false"
    if op is Op.IS_NOT_NULL:
        return _IS_CLOSED if column.of_closed_runs else "true"
    sql = _SQL[column]
    if op in _COMPARISONS:
        comparison = _COMPARISONS[op].format(sql)
        values.append(value)
    elif op in (Op.IN, Op.NOT_IN):
        assert isinstance(value, tuple)
        comparison = f"{sql} {op.value} ({', '.join('?' * len(value))})"
        values += value
    else:
        # Of bytes, because substr() of text ends at a NUL.
        assert isinstance(value, str)
        prefix = value.encode()
        comparison = f"substr(CAST({sql} AS BLOB), 1, ?) {'=' if op is Op.STARTS_WITH else '<>'} ?"
        values += [len(prefix), prefix]
    return f"({_IS_CLOSED} AND {comparison})" if column.of_closed_runs else comparison


def _tables(where: Filter | None) -> str:
    """What is joined, and from where: by workflow id through the index of runs, else through those of the lists."""
    parts: Sequence[Filter] = where.parts if isinstance(where, And) else () if where is None else (where,)
    for part in parts:
        if isinstance(part, Condition) and part.column is Column.WORKFLOW_ID and part.op in (Op.EQ, Op.IN):
            return _FROM_EXECUTIONS
    return _FROM_VISIBILITY


def _tables_to_count(where: Filter | None) -> str:
    return _tables(where) if where is not None and _names_the_run(where) else _VISIBILITY


def _names_the_run(where: Filter) -> bool:
    if isinstance(where, Condition):
        return where.column in _OF_EXECUTIONS
    assert isinstance(where, And | Or)
    return any(_names_the_run(part) for part in where.parts)
