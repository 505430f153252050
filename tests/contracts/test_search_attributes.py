"""Lists by search attributes: what every store answers alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stores import OPENERS, change, key, opened, visible

from outlast.api.enums import v1 as e
from outlast.storage.listing import And, Attribute, Column, Condition, Filter, Op, Order
from outlast.storage.port import Storage

CUSTOMER = Attribute("Customer", e.INDEXED_VALUE_TYPE_KEYWORD)
TAGS = Attribute("Tags", e.INDEXED_VALUE_TYPE_KEYWORD_LIST)
AMOUNT = Attribute("Amount", e.INDEXED_VALUE_TYPE_DOUBLE)
PAID = Attribute("Paid", e.INDEXED_VALUE_TYPE_BOOL)

RUNS = {
    "a": ((CUSTOMER, ("ada",)), (AMOUNT, (10.5,)), (TAGS, ("red", "blue"))),
    "b": ((CUSTOMER, ("bob",)), (AMOUNT, (-1.0,)), (PAID, (True,))),
    "c": ((CUSTOMER, ("adam",)), (TAGS, ("blue",)), (PAID, (False,))),
    "d": (),
}


@pytest.fixture(params=OPENERS)
async def listed(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    async with opened(request.param, tmp_path) as store:
        for run_id, indexed in RUNS.items():
            await store.commit([change(key(f"order-{run_id}", run_id), 1, visibility=visible(), indexed=indexed)])
        yield store


async def found(store: Storage, where: Filter | None, order: Order | None = None) -> str:
    arguments = {} if order is None else {"order": order}
    pages, token = "", b""
    while True:
        page = await store.list_executions("shop", where=where, page_size=1, page_token=token, **arguments)
        pages += "".join(listed.key.run_id for listed in page.rows)
        token = page.next_page_token
        if not token:
            break
    assert await store.count_executions("shop", where) == len(pages)
    return pages


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Condition(CUSTOMER, Op.EQ, "ada"), "a"),
        (Condition(CUSTOMER, Op.NE, "ada"), "bc"),
        (Condition(CUSTOMER, Op.IN, ("ada", "bob")), "ab"),
        (Condition(CUSTOMER, Op.STARTS_WITH, "ada"), "ac"),
        (Condition(CUSTOMER, Op.NOT_STARTS_WITH, "ada"), "b"),
        (Condition(CUSTOMER, Op.IS_NULL), "d"),
        (Condition(CUSTOMER, Op.IS_NOT_NULL), "abc"),
        (Condition(CUSTOMER, Op.GT, "ada"), "bc"),
        (Condition(TAGS, Op.EQ, "blue"), "ac"),
        (Condition(TAGS, Op.NE, "red"), "c"),
        (Condition(TAGS, Op.NOT_IN, ("red", "green")), "c"),
        (Condition(TAGS, Op.IN, ("red", "blue")), "ac"),
        (Condition(AMOUNT, Op.LT, 10.5), "b"),
        (Condition(PAID, Op.EQ, True), "b"),
        (Condition(PAID, Op.EQ, False), "c"),
        (Condition(Attribute("Amount", e.INDEXED_VALUE_TYPE_INT), Op.IS_NOT_NULL), ""),
        (And((Condition(TAGS, Op.EQ, "blue"), Condition(Column.WORKFLOW_ID, Op.EQ, "order-c"))), "c"),
        (And((Condition(TAGS, Op.EQ, "blue"), Condition(CUSTOMER, Op.NE, "ada"))), "c"),
    ],
    ids=str,
)
async def test_filters(listed: Storage, where: Filter, expected: str) -> None:
    assert await found(listed, where) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order((CUSTOMER,)), "acbd"),
        (Order((CUSTOMER,), descending=True), "bcad"),
        (Order((AMOUNT,)), "bacd"),
        (Order((AMOUNT,), descending=True), "abcd"),
        (Order((PAID, CUSTOMER)), "cbad"),
        (Order((Column.STATUS, AMOUNT)), "bacd"),
    ],
    ids=str,
)
async def test_runs_without_the_attribute_come_last(listed: Storage, order: Order, expected: str) -> None:
    assert await found(listed, None, order) == expected


async def test_an_update_replaces_and_a_deletion_removes(listed: Storage) -> None:
    await listed.commit([change(key("order-a", "a"), 2, visibility=visible(), indexed=((CUSTOMER, ("zoe",)),))])
    assert await found(listed, Condition(CUSTOMER, Op.EQ, "ada")) == ""
    assert await found(listed, Condition(TAGS, Op.EQ, "red")) == ""
    assert await found(listed, Condition(CUSTOMER, Op.EQ, "zoe")) == "a"
    await listed.commit([change(key("order-a", "a"), 3)])
    assert await found(listed, Condition(CUSTOMER, Op.EQ, "zoe")) == "a", "no row, no change"
    await listed.delete(key("order-a", "a"))
    assert await found(listed, Condition(CUSTOMER, Op.EQ, "zoe")) == ""


async def test_a_deleted_namespace_frees_its_name(listed: Storage) -> None:
    await listed.put_namespace("n1", "bank", b"one", None)
    await listed.delete_namespace("n1")
    await listed.delete_namespace("n1")
    assert await listed.namespaces() == []
    await listed.put_namespace("n2", "bank", b"two", None)
    assert await listed.namespaces() == [b"two"]
