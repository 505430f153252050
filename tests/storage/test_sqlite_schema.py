"""An old database becomes one of today, and its indexes find what they are for."""

from __future__ import annotations

from pathlib import Path

import apsw
from stores import change, key, visible

from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as e
from outlast.storage import sqlite_schema
from outlast.storage.listing import Attribute, Condition, Op
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.filters import And

CUSTOMER = Attribute("Customer", e.INDEXED_VALUE_TYPE_KEYWORD)
TAGS = Attribute("Tags", e.INDEXED_VALUE_TYPE_KEYWORD_LIST)


def _old_database(path: Path, attributes: bytes) -> None:
    """A file as schema 1 left it, with one run in the lists."""
    connection = apsw.Connection(str(path))
    connection.execute(sqlite_schema.MIGRATIONS[1])
    connection.pragma("application_id", sqlite_schema.APPLICATION_ID)
    connection.pragma("user_version", 1)
    connection.execute("INSERT INTO meta VALUES ('schema 1 made by', 'outlast 0.1.0')")
    connection.execute("INSERT INTO namespaces VALUES (1, 'shop', NULL, NULL)")
    connection.execute("INSERT INTO executions VALUES (1, 1, 'order-1', 'run-1', 1, NULL, x'00')")
    connection.execute(
        "INSERT INTO visibility VALUES (1, 1, 'Order', 'orders', 1, 100, 105, ?, 3, 512, 2, x'', ?, '', '', 'r', 's')",
        (2**63 - 1, attributes),
    )
    connection.close()


async def test_a_database_of_schema_1_is_upgraded_with_its_search_attributes(tmp_path: Path) -> None:
    attributes = SearchAttributes()
    for name, type_, data in (
        ("Customer", b"Keyword", b'"ada"'),
        ("Tags", b"INDEXED_VALUE_TYPE_KEYWORD_LIST", b'["red","blue"]'),
        ("Odd", b"Int", b'"no number"'),
        ("Untyped", b"", b"1"),
    ):
        attributes.indexed_fields[name].metadata["type"] = type_
        attributes.indexed_fields[name].data = data
    _old_database(tmp_path / "old.db", attributes.SerializeToString())
    store = SqliteStorage.open(tmp_path / "old.db")
    try:
        for column, value in ((CUSTOMER, "ada"), (TAGS, "red"), (TAGS, "blue")):
            assert await store.count_executions("shop", Condition(column, Op.EQ, value)) == 1
        await store.commit([change(key(), 2, visibility=visible(), indexed=((CUSTOMER, ("bob",)),))])
        assert await store.count_executions("shop", Condition(CUSTOMER, Op.EQ, "bob")) == 1
        assert await store.count_executions("shop", Condition(TAGS, Op.EQ, "red")) == 0
    finally:
        await store.close()
    connection = apsw.Connection(str(tmp_path / "old.db"))
    assert connection.pragma("user_version") == sqlite_schema.NEWEST
    connection.close()


async def test_a_search_attribute_is_found_by_its_index(tmp_path: Path) -> None:
    store = SqliteStorage.open(tmp_path / "new.db")
    plans: list[str] = []
    reader = store._read()
    rows = reader.rows

    def explained(statement: str, values: object) -> object:
        plans.extend(each[3] for each in rows("EXPLAIN QUERY PLAN " + statement, values))  # type: ignore[arg-type]
        return rows(statement, values)  # type: ignore[arg-type]

    reader.rows = explained  # type: ignore[method-assign, assignment]
    store._read = lambda: reader  # type: ignore[method-assign]
    try:
        where = And((Condition(CUSTOMER, Op.EQ, "ada"), Condition(TAGS, Op.IS_NULL)))
        await store.list_executions("shop", where=where)
        assert any("search_attributes_by_value (namespace_no=? AND key=? AND value=?)" in plan for plan in plans), plans
        assert any("v USING INTEGER PRIMARY KEY" in plan for plan in plans), plans
        assert not any("SCAN v" in plan or "SCAN e" in plan for plan in plans), plans
    finally:
        await store.close()
