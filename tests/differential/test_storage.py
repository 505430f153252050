"""Random operations get equal replies from every store; the one in memory says what is right."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from stores import OPENERS, change, key, opened, visible

from outlast.api.enums import v1 as e
from outlast.storage.errors import Conflict
from outlast.storage.listing import And, Attribute, Column, Condition, Field, Op, Or, Order
from outlast.storage.port import CurrentRow, Storage

# Few names and few numbers, so that operations meet.
keys = st.builds(key, st.sampled_from(["w", "ẅ", "w\x00x"]), st.sampled_from("ab"), st.sampled_from(["n", "m"]))
instants = st.sampled_from([0, 1, 2, 2**62])
texts = st.sampled_from(["", "w", "ẅ", "w\x00", "a", "b", "Order"])
rows = st.builds(
    visible,
    status=st.integers(1, 3),
    start=st.integers(1, 3),
    close=st.none() | st.integers(1, 4),
    workflow_type=texts,
    parent=texts,
)
ATTRIBUTES: dict[Attribute, Any] = {
    Attribute("Tags", e.INDEXED_VALUE_TYPE_KEYWORD_LIST): texts,
    Attribute("Customer", e.INDEXED_VALUE_TYPE_KEYWORD): texts,
    Attribute("Amount", e.INDEXED_VALUE_TYPE_INT): st.integers(-1, 2),
    Attribute("Amount", e.INDEXED_VALUE_TYPE_DOUBLE): st.sampled_from([-1.0, 0.5, 2.0]),
    Attribute("Paid", e.INDEXED_VALUE_TYPE_BOOL): st.booleans(),
}
"""What a run may have, by name and type, and from what its values are drawn."""


def _values(attribute: Attribute) -> st.SearchStrategy[Any]:
    several = 3 if attribute.type == e.INDEXED_VALUE_TYPE_KEYWORD_LIST else 1
    return st.lists(ATTRIBUTES[attribute], min_size=1, max_size=several, unique=True).map(tuple)


indexes = st.fixed_dictionaries({}, optional={each: _values(each) for each in ATTRIBUTES}).map(
    lambda chosen: tuple(chosen.items())
)
pointers = st.builds(CurrentRow, st.sampled_from("ab"), st.none() | st.sampled_from("ab"))
steps = st.tuples(
    keys,
    st.integers(0, 3),
    st.integers(1, 2),
    st.none() | instants,
    st.booleans(),
    st.none() | rows,
    st.none() | pointers,
    indexes,
)


def conditions(column: Field) -> st.SearchStrategy[Condition]:
    values: st.SearchStrategy[Any] = texts if column.kind is str else st.integers(-2, 10)
    if isinstance(column, Attribute):
        values = ATTRIBUTES[column]
    one = [Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE] + [Op.STARTS_WITH, Op.NOT_STARTS_WITH] * (column.kind is str)
    return st.one_of(
        st.builds(Condition, st.just(column), st.sampled_from(one), values),
        st.builds(Condition, st.just(column), st.sampled_from([Op.IN, Op.NOT_IN]), st.lists(values).map(tuple)),
        st.builds(Condition, st.just(column), st.sampled_from([Op.IS_NULL, Op.IS_NOT_NULL])),
    )


def joined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(parts, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several)


fields: st.SearchStrategy[Field] = st.one_of(st.sampled_from(Column), st.sampled_from(list(ATTRIBUTES)))
sortable = fields.filter(lambda field: field.sortable)
filters = st.recursive(fields.flatmap(conditions), joined, max_leaves=4)
orders = st.builds(Order, st.lists(sortable, min_size=1, max_size=2).map(tuple), st.booleans())
operations = st.one_of(
    st.tuples(st.just("commit"), st.lists(st.lists(steps, max_size=3), min_size=1, max_size=4)),
    st.tuples(st.just("delete"), keys),
    st.tuples(st.just("delete namespace"), st.sampled_from(["n", "o"])),
    st.tuples(st.just("put"), st.sampled_from(["n", "o"]), texts, st.none() | st.just(b"x")),
    st.tuples(st.just("due"), instants, instants, st.integers(1, 4), st.none() | st.tuples(instants, keys)),
    st.tuples(st.just("events"), keys, st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.just("list"), st.none() | filters, orders, st.integers(1, 3)),
)


async def reply(store: Storage, operation: tuple[Any, ...]) -> Any:
    """What the store answers to one operation, its refusals included."""
    match operation:
        case ("commit", units):
            futures = [store.commit([_commit(*step) for step in unit]) for unit in units]
            return [repr(result) for result in await asyncio.gather(*futures, return_exceptions=True)]
        case ("delete", run):
            return await store.delete(run)
        case ("delete namespace", namespace_id):
            return await store.delete_namespace(namespace_id)
        case ("put", namespace_id, name, expected):
            try:
                return await store.put_namespace(namespace_id, name, b"x", expected)
            except Conflict as error:
                return repr(error)
        case ("due", after, until, limit, cursor):
            return await store.due(after, until, limit, cursor)
        case ("events", run, first, end):
            return await store.read_events(run, first, end)
        case ("list", where, order, size):
            return await _pages(store, where, order, size)
    raise AssertionError(operation)


def _commit(
    run: Any, expected: int, leap: int, wake_at: int | None, eventful: bool, row: Any, pointer: Any, indexed: Any
) -> Any:
    # Event ids grow with the version, as they do for the engine.
    events = (expected * 3 + 1, b"events after %d" % expected) if eventful else None
    return change(
        run,
        expected + leap,
        expected=expected,
        wake_at=wake_at,
        events=events,
        visibility=row,
        current=pointer,
        indexed=indexed,
    )


async def _pages(store: Storage, where: Any, order: Order, size: int) -> list[Any]:
    answers: list[Any] = [await store.count_executions("n", where), await store.count_executions_by_status("n", where)]
    token = b""
    while True:
        page = await store.list_executions("n", where=where, order=order, page_size=size, page_token=token)
        answers.append(page)
        token = page.next_page_token
        if not token:
            return answers


async def everything(store: Storage) -> list[Any]:
    """All that a store holds of the keys above."""
    runs = [key(w, r, n) for w in ("w", "ẅ", "w\x00x") for r in "ab" for n in ("n", "m")]
    return [
        [await store.load(run) for run in runs],
        [await store.current(run.namespace_id, run.workflow_id) for run in runs],
        [await store.read_events(run, 1, 100) for run in runs],
        await store.due(-1, 2**63 - 1, 100),
        [await store.list_executions(n) for n in ("n", "m")],
        await store.namespaces(),
    ]


async def compare(name: str, script: list[tuple[Any, ...]], folder: Path) -> None:
    async with opened("memory", folder) as oracle, opened(name, folder) as store:
        for operation in script:
            assert await reply(store, operation) == await reply(oracle, operation), operation
        assert await everything(store) == await everything(oracle)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(operations, max_size=25))
def test_sqlite_in_memory_answers_like_the_oracle(script: list[tuple[Any, ...]]) -> None:
    asyncio.run(compare("sqlite in memory", script, Path()))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(operations, max_size=25))
def test_sqlite_answers_like_the_oracle(script: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare("sqlite", script, Path(folder)))


def test_every_store_is_compared() -> None:
    assert set(OPENERS) == {"memory", "sqlite in memory", "sqlite"}
