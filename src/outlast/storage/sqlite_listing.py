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
    Attribute,
    Column,
    Condition,
    Filter,
    Listed,
    Op,
    Or,
    Order,
    Page,
    Position,
    missing,
    read_token,
    token,
)
from outlast.storage.rows import RunKey
from outlast.storage.sqlite_rows import SHOWN, Reader, shown
from outlast.vocab.filters import NEGATED, Value

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
# Not by an index of the lists, so by run_no, which the search attributes give.
_COUNTED_BY_ATTRIBUTES: Final = "visibility v NOT INDEXED"
_FROM_ATTRIBUTES: Final = f"{_COUNTED_BY_ATTRIBUTES} CROSS JOIN executions e ON e.run_no = v.run_no"
_FROM_EXECUTIONS: Final = (
    "executions e CROSS JOIN visibility v ON v.run_no = e.run_no AND e.namespace_no = v.namespace_no"
)

_MISSING: Final = {
    "": "''",
    "\U0010ffff": "char(1114111)",
    float("inf"): "9e999",
    float("-inf"): "-9e999",
    OPEN: str(OPEN),
    -OPEN - 1: str(-OPEN - 1),
}
"""What stands for a missing search attribute, as SQL."""

_ATTRIBUTE: Final = "EXISTS (SELECT 1 FROM search_attributes a WHERE a.run_no = v.run_no AND a.key = ?{})"
_FOUND_BY: Final = (
    "v.run_no IN (SELECT run_no FROM search_attributes WHERE key = ? AND namespace_no ="
    " (SELECT namespace_no FROM namespaces WHERE namespace_id = ?) AND {})"
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
    values: list[Any] = []
    joins, sorted_by = _ordered(order, values)
    keys = ", ".join(sorted_by)
    direction = " DESC" if order.descending else ""
    sorting = [key + direction for key in sorted_by] + ["e.run_id", "e.workflow_id"]
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
        f"SELECT e.workflow_id, e.run_id, {SHOWN}, {keys} FROM {_tables(where)}{joins}"
        f" WHERE {condition} ORDER BY {', '.join(sorting)} LIMIT ?"
    )
    found = reader.rows(statement, [*values, page_size + 1])
    end = -len(sorted_by)
    rows = [Listed(RunKey(namespace_id, each[0], each[1]), shown(each[2:end])) for each in found[:page_size]]
    if len(found) <= page_size:
        return Page(rows, b"")
    last_key, last_row = rows[-1].key, found[page_size - 1]
    return Page(rows, token(Position(tuple(last_row[end:]), last_key.run_id, last_key.workflow_id), order))


def _ordered(order: Order, values: list[Any]) -> tuple[str, list[str]]:
    """What has to be joined for an order, and the expressions that it sorts by; appends the values of the joins."""
    joins, keys = "", []
    for place, column in enumerate(order.columns):
        if isinstance(column, Column):
            keys.append(_SQL[column])
            continue
        joins += f" LEFT JOIN search_attributes o{place} ON o{place}.run_no = v.run_no AND o{place}.key = ?"
        values.append(column.key)
        keys.append(f"coalesce(o{place}.value, {_MISSING[missing(column, order.descending)]})")
    return joins, keys


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
        condition += f" AND {_sql(where, namespace_id, values)}"
    return condition


def _sql(where: Filter, namespace_id: str, values: list[Any]) -> str:
    if isinstance(where, Condition):
        if isinstance(where.column, Column):
            return _compare_column(where, where.column, values)
        return _compare_attribute(where, where.column, namespace_id, values)
    joint, of_nothing = (" AND ", "true") if isinstance(where, And) else (" OR ", "false")
    parts = [_sql(part, namespace_id, values) for part in where.parts]
    return f"({joint.join(parts)})" if parts else of_nothing


def _compare_column(condition: Condition, column: Column, values: list[Any]) -> str:
    op = condition.op
    if op is Op.IS_NULL:
        return f"NOT {_IS_CLOSED}" if column.of_closed_runs else "false"
    if op is Op.IS_NOT_NULL:
        return _IS_CLOSED if column.of_closed_runs else "true"
    comparison = _compare(_SQL[column], op, condition.value, values)
    return f"({_IS_CLOSED} AND {comparison})" if column.of_closed_runs else comparison


def _compare_attribute(condition: Condition, attribute: Attribute, namespace_id: str, values: list[Any]) -> str:
    op = condition.op
    values.append(attribute.key)
    if op is Op.IS_NULL:
        return "NOT " + _ATTRIBUTE.format("")
    if op is Op.IS_NOT_NULL:
        return _ATTRIBUTE.format("")
    if op in _OPPOSITE:
        values.append(attribute.key)
        comparison = _compare("a.value", _OPPOSITE[op], condition.value, values)
        return f"({_ATTRIBUTE.format('')} AND NOT {_ATTRIBUTE.format(' AND ' + comparison)})"
    values.append(namespace_id)
    return _FOUND_BY.format(_compare("value", op, condition.value, values))


_OPPOSITE: Final = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN, Op.NOT_STARTS_WITH: Op.STARTS_WITH}
assert set(_OPPOSITE) == NEGATED


def _compare(sql: str, op: Op, value: Value, values: list[Any]) -> str:
    """``sql`` compared with a value, which is never missing."""
    if op in _COMPARISONS:
        values.append(value)
        return _COMPARISONS[op].format(sql)
    if op in (Op.IN, Op.NOT_IN):
        assert isinstance(value, tuple)
        values += value
        return f"{sql} {op.value} ({', '.join('?' * len(value))})"
    # Of bytes, because substr() of text ends at a NUL.
    assert isinstance(value, str)
    prefix = value.encode()
    values += [len(prefix), prefix]
    return f"substr(CAST({sql} AS BLOB), 1, ?) {'=' if op is Op.STARTS_WITH else '<>'} ?"


def _tables(where: Filter | None) -> str:
    """What is joined, and from where: by workflow id through the index of runs, by a search attribute through that of
    its values, else through those of the lists."""
    parts: Sequence[Filter] = where.parts if isinstance(where, And) else () if where is None else (where,)
    tables = _FROM_VISIBILITY
    for part in parts:
        if isinstance(part, Condition) and part.op in (Op.EQ, Op.IN):
            if part.column is Column.WORKFLOW_ID:
                return _FROM_EXECUTIONS
            if isinstance(part.column, Attribute):
                tables = _FROM_ATTRIBUTES
    return tables


def _tables_to_count(where: Filter | None) -> str:
    if where is None:
        return _VISIBILITY
    tables = _tables(where)
    if tables is _FROM_EXECUTIONS or _names_the_run(where):
        return tables
    return _COUNTED_BY_ATTRIBUTES if tables is _FROM_ATTRIBUTES else _VISIBILITY


def _names_the_run(where: Filter) -> bool:
    if isinstance(where, Condition):
        return where.column in _OF_EXECUTIONS
    assert isinstance(where, And | Or)
    return any(_names_the_run(part) for part in where.parts)
