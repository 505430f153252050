"""What every store has to do. Each test runs against every store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stores import OPENERS, change, key, opened, visible

from outlast.storage.errors import BadPageToken, Conflict, StorageClosed
from outlast.storage.listing import And, Column, Condition, Filter, Op, Or, Order
from outlast.storage.port import CurrentRow, Record, RunKey, Setting, Storage


@pytest.fixture(params=list(OPENERS))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    async with opened(request.param, tmp_path) as store:
        yield store


# -- commits -----------------------------------------------------------------------------------------------------------


async def test_a_new_run_can_be_read_back_whole(store: Storage) -> None:
    assert await store.load(key()) is None
    assert await store.current("shop", "order-1") is None
    await store.commit([change(key(), 1, wake_at=0, events=(1, b"a"), current=CurrentRow("run-1", None))])
    assert await store.load(key()) == Record(1, b"snapshot 1")
    assert await store.current("shop", "order-1") == "run-1"
    assert await store.read_events(key(), 1, 2) == [b"a"]


async def test_versions_may_leap_but_have_to_follow_the_stored_one(store: Storage) -> None:
    await store.commit([change(key(), 3, expected=0)])
    with pytest.raises(Conflict, match=r"workflow 'order-1' run run-1: expected 2, found 3") as caught:
        await store.commit([change(key(), 4, expected=2)])
    assert (caught.value.expected, caught.value.found) == (2, 3)
    await store.commit([change(key(), 9, expected=3)])
    assert await store.load(key()) == Record(9, b"snapshot 9")


async def test_a_run_is_created_once(store: Storage) -> None:
    await store.commit([change(key(), 1)])
    with pytest.raises(Conflict, match="expected 0, found 1"):
        await store.commit([change(key(), 1)])
    with pytest.raises(Conflict, match="expected 1, found 0"):
        await store.commit([change(key(run_id="run-2"), 2)])


async def test_the_current_run_is_replaced_only_as_expected(store: Storage) -> None:
    await store.commit([change(key(), 1, current=CurrentRow("run-1", None))])
    for expected, found in ((None, "run-1"), ("run-0", "run-1")):
        with pytest.raises(Conflict, match=rf"workflow 'order-1': expected {expected}, found {found}"):
            await store.commit([change(key(run_id="run-2"), 1, current=CurrentRow("run-2", expected))])
    await store.commit([change(key(run_id="run-2"), 1, current=CurrentRow("run-2", "run-1"))])
    assert await store.current("shop", "order-1") == "run-2"
    assert await store.current("other", "order-1") is None


async def test_a_unit_is_kept_whole_or_not_at_all(store: Storage) -> None:
    await store.commit([change(key(), 1, current=CurrentRow("run-1", None))])
    closing = change(key(), 2, wake_at=7, events=(5, b"closed"), visibility=visible(status=6))
    with pytest.raises(Conflict):
        await store.commit([closing, change(key(run_id="run-2"), 1, current=CurrentRow("run-2", "run-9"))])
    assert await store.load(key()) == Record(1, b"snapshot 1")
    assert await store.read_events(key(), 1, 9) == []
    assert await store.due(-1, 10, 10) == []
    assert await store.count_executions("shop") == 0
    await store.commit([closing, change(key(run_id="run-2"), 1, current=CurrentRow("run-2", "run-1"))])
    assert await store.load(key(run_id="run-2")) == Record(1, b"snapshot 1")
    assert await store.current("shop", "order-1") == "run-2"


async def test_later_commits_of_a_unit_build_on_earlier_ones(store: Storage) -> None:
    await store.commit(
        [
            change(key(), 1, events=(1, b"a"), current=CurrentRow("run-1", None)),
            change(key(), 2, events=(4, b"b")),
            change(key(run_id="run-2"), 1, current=CurrentRow("run-2", "run-1")),
        ]
    )
    assert await store.load(key()) == Record(2, b"snapshot 2")
    assert await store.read_events(key(), 1, 9) == [b"a", b"b"]
    assert await store.current("shop", "order-1") == "run-2"


async def test_units_are_kept_in_call_order_without_waiting(store: Storage) -> None:
    done: list[int] = []
    futures = []
    for version in range(1, 400):
        future = store.commit([change(key(), version)])
        future.add_done_callback(lambda _, version=version: done.append(version))
        futures.append(future)
    await asyncio.gather(*futures)
    await asyncio.sleep(0)  # the callbacks of a future run in the turn after it
    assert done == list(range(1, 400))
    assert await store.load(key()) == Record(399, b"snapshot 399")


async def test_a_refused_unit_does_not_harm_its_neighbours(store: Storage) -> None:
    futures = [
        store.commit([change(key(), 1)]),
        store.commit([change(key(), 1)]),
        store.commit([change(key(), 2)]),
        store.commit([change(key("order-2"), 1)]),
    ]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Conflict, type(None), type(None)]
    assert await store.load(key()) == Record(2, b"snapshot 2")


async def test_a_caller_that_stops_waiting_does_not_stop_the_commit(store: Storage) -> None:
    store.commit([change(key(), 1)]).cancel()
    await store.commit([])
    assert await store.load(key()) == Record(1, b"snapshot 1")


async def test_an_empty_unit_is_done_after_all_before_it(store: Storage) -> None:
    first = store.commit([change(key(), 1)])
    await store.commit([])
    assert first.done() and first.exception() is None


# -- history -----------------------------------------------------------------------------------------------------------


async def test_events_come_as_the_batches_that_overlap(store: Storage) -> None:
    for version, (first, batch) in enumerate([(1, b"1-3"), (4, b"4"), (5, b"5-9")], start=1):
        await store.commit([change(key(), version, events=(first, batch))])
    await store.commit([change(key(), 4)])
    assert await store.read_events(key(), 1, 100) == [b"1-3", b"4", b"5-9"]
    assert await store.read_events(key(), 2, 4) == [b"1-3"]
    assert await store.read_events(key(), 3, 5) == [b"1-3", b"4"]
    assert await store.read_events(key(), 4, 5) == [b"4"]
    assert await store.read_events(key(), 7, 8) == [b"5-9"]
    assert await store.read_events(key(), 5, 5) == []
    assert await store.read_events(key(run_id="none"), 1, 100) == []


# -- due ---------------------------------------------------------------------------------------------------------------


async def test_due_runs_come_by_instant_in_pages(store: Storage) -> None:
    instants = {"a": 0, "b": 50, "c": 50, "d": 51, "e": None, "f": 0}
    for run_id, wake_at in instants.items():
        await store.commit([change(key("w-" + run_id, run_id), 1, wake_at=wake_at)])
    found = await store.due(-1, 50, 10)
    assert found == [(0, key("w-a", "a")), (0, key("w-f", "f")), (50, key("w-b", "b")), (50, key("w-c", "c"))]
    assert await store.due(0, 50, 10) == found[2:]
    assert await store.due(-1, 50, 2) == found[:2]
    for place in range(len(found)):
        assert await store.due(-1, 50, 10, found[place]) == found[place + 1 :]
    await store.commit([change(key("w-a", "a"), 2, wake_at=None), change(key("w-d", "d"), 2, wake_at=7)])
    assert await store.due(-1, 50, 2) == [(0, key("w-f", "f")), (7, key("w-d", "d"))]


async def test_a_cursor_may_name_a_run_that_is_gone(store: Storage) -> None:
    for run_id in "abc":
        await store.commit([change(key("w", run_id), 1, wake_at=9)])
    await store.delete(key("w", "b"))
    assert await store.due(-1, 9, 10, (9, key("w", "b"))) == [(9, key("w", "c"))]


async def test_runs_with_equal_ids_in_two_namespaces_are_two(store: Storage) -> None:
    for namespace_id in ("shop", "bank"):
        current = CurrentRow("run-1", None)
        await store.commit(
            [change(key(namespace_id=namespace_id), 1, wake_at=3, visibility=visible(), current=current)]
        )
    assert [found.namespace_id for _, found in await store.due(-1, 9, 9)] == ["bank", "shop"]
    await store.delete(key(namespace_id="bank"))
    assert await store.current("shop", "order-1") == "run-1" and await store.current("bank", "order-1") is None
    assert await store.count_executions("shop") == 1 and await store.count_executions("bank") == 0


# -- delete ------------------------------------------------------------------------------------------------------------


async def test_delete_removes_all_of_one_run(store: Storage) -> None:
    await store.commit(
        [change(key(), 1, wake_at=5, events=(1, b"a"), visibility=visible(), current=CurrentRow("run-1", None))]
    )
    await store.delete(key())
    assert await store.load(key()) is None
    assert await store.current("shop", "order-1") is None
    assert await store.read_events(key(), 1, 9) == []
    assert await store.due(-1, 9, 9) == []
    assert (await store.list_executions("shop")).rows == []
    await store.delete(key())
    await store.commit([change(key(), 1, events=(1, b"again"), current=CurrentRow("run-1", None))])
    assert await store.read_events(key(), 1, 9) == [b"again"]


async def test_delete_leaves_a_pointer_to_another_run(store: Storage) -> None:
    await store.commit([change(key(), 1, current=CurrentRow("run-1", None))])
    await store.commit([change(key(run_id="run-2"), 1, current=CurrentRow("run-2", "run-1"))])
    await store.delete(key())
    assert await store.current("shop", "order-1") == "run-2"


async def test_delete_keeps_its_place_among_commits(store: Storage) -> None:
    first = store.commit([change(key(), 1)])
    deleted = asyncio.ensure_future(store.delete(key()))
    await asyncio.sleep(0)
    again = store.commit([change(key(), 1)])
    await asyncio.gather(first, deleted, again)
    assert await store.load(key()) == Record(1, b"snapshot 1")


# -- lists -------------------------------------------------------------------------------------------------------------

RUNS: dict[str, tuple[int, int, int | None]] = {
    "a": (1, 100, None),
    "b": (1, 300, None),
    "c": (2, 200, 900),
    "d": (3, 250, 800),
    "e": (2, 260, 900),
    "f": (1, 300, None),
}
"""Run id -> status, start, close."""
DEFAULT_ORDER = ["b", "f", "a", "e", "c", "d"]


@pytest.fixture
async def listed(store: Storage) -> Storage:
    for run_id, (status, start, close) in RUNS.items():
        kind = "Refund" if run_id in "ad" else "Order"
        row = visible(status=status, start=start, close=close, workflow_type=kind, parent="p" if run_id == "c" else "")
        await store.commit([change(key("order-" + run_id, run_id), 1, visibility=row)])
    await store.commit([change(key("unlisted", "u"), 1)])
    return store


async def found(store: Storage, where: Filter | None = None, order: Order | None = None) -> list[str]:
    """The run ids of a list, whose size and pages are checked as well."""
    arguments = {} if order is None else {"order": order}
    rows = (await store.list_executions("shop", where=where, **arguments)).rows
    run_ids = [row.key.run_id for row in rows]
    assert await store.count_executions("shop", where) == len(run_ids)
    by_status = await store.count_executions_by_status("shop", where)
    assert sum(by_status.values()) == len(run_ids) and 0 not in by_status.values()
    for size in (1, 2, 5):
        pages, token = [], b""
        while True:
            page = await store.list_executions("shop", where=where, page_size=size, page_token=token, **arguments)
            assert len(page.rows) == size or not page.next_page_token
            pages += page.rows
            token = page.next_page_token
            if not token:
                break
        assert pages == rows
    return run_ids


async def test_lists_show_open_runs_first(listed: Storage) -> None:
    assert await found(listed) == DEFAULT_ORDER
    assert await listed.count_executions_by_status("shop") == {1: 3, 2: 2, 3: 1}


async def test_rows_come_back_as_they_were(listed: Storage) -> None:
    rows = dict((await listed.list_executions("shop")).rows)
    assert rows[RunKey("shop", "order-c", "c")] == visible(status=2, start=200, close=900, parent="p")
    assert rows[RunKey("shop", "order-b", "b")].close_time is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Condition(Column.STATUS, Op.EQ, 1), "bfa"),
        (Condition(Column.STATUS, Op.NE, 1), "ecd"),
        (Condition(Column.STATUS, Op.IN, (2, 3)), "ecd"),
        (Condition(Column.STATUS, Op.NOT_IN, (2, 3)), "bfa"),
        (Condition(Column.STATUS, Op.IN, ()), ""),
        (Condition(Column.STATUS, Op.NOT_IN, ()), "bfaecd"),
        (Condition(Column.WORKFLOW_TYPE, Op.EQ, "Refund"), "ad"),
        (Condition(Column.WORKFLOW_ID, Op.EQ, "order-d"), "d"),
        (Condition(Column.WORKFLOW_ID, Op.IN, ("order-d", "order-a")), "ad"),
        (Condition(Column.WORKFLOW_ID, Op.STARTS_WITH, "order-"), "bfaecd"),
        (Condition(Column.WORKFLOW_ID, Op.STARTS_WITH, "Order"), ""),
        (Condition(Column.WORKFLOW_ID, Op.NOT_STARTS_WITH, "order-c"), "bfaed"),
        (Condition(Column.RUN_ID, Op.GE, "d"), "bfed".replace("b", "")),
        (Condition(Column.START_TIME, Op.GT, 250), "bfe"),
        (Condition(Column.START_TIME, Op.LE, 200), "ac"),
        (Condition(Column.CLOSE_TIME, Op.GE, 1), "ecd"),
        (Condition(Column.CLOSE_TIME, Op.NE, 900), "d"),
        (Condition(Column.CLOSE_TIME, Op.NOT_IN, (900,)), "d"),
        (Condition(Column.CLOSE_TIME, Op.IS_NULL), "bfa"),
        (Condition(Column.CLOSE_TIME, Op.IS_NOT_NULL), "ecd"),
        (Condition(Column.EXECUTION_DURATION, Op.LT, 600), "d"),
        (Condition(Column.EXECUTION_DURATION, Op.IS_NULL), "bfa"),
        (Condition(Column.TASK_QUEUE, Op.IS_NULL), ""),
        (Condition(Column.TASK_QUEUE, Op.IS_NOT_NULL), "bfaecd"),
        (Condition(Column.PARENT_WORKFLOW_ID, Op.EQ, "p"), "c"),
        (And(()), "bfaecd"),
        (Or(()), ""),
        (And((Condition(Column.WORKFLOW_ID, Op.EQ, "order-c"), Condition(Column.STATUS, Op.EQ, 1))), ""),
        (And((Condition(Column.WORKFLOW_ID, Op.IN, ("order-c", "order-b")), Condition(Column.STATUS, Op.EQ, 1))), "b"),
        (Or((Condition(Column.RUN_ID, Op.EQ, "a"), And((Condition(Column.STATUS, Op.EQ, 3),)))), "ad"),
    ],
    ids=str,
)
async def test_filters(listed: Storage, where: Filter, expected: str) -> None:
    assert await found(listed, where) == list(expected)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order((Column.START_TIME,)), "acdebf"),
        (Order((Column.START_TIME,), descending=True), "bfedca"),
        (Order((Column.WORKFLOW_ID,), descending=True), "fedcba"),
        (Order((Column.CLOSE_TIME,)), "dceabf"),
        (Order((Column.EXECUTION_DURATION,)), "decbfa"),
        (Order((Column.WORKFLOW_TYPE, Column.STATUS)), "bfcead"),
    ],
    ids=str,
)
async def test_orders(listed: Storage, order: Order, expected: str) -> None:
    assert await found(listed, None, order) == list(expected)


async def test_a_run_that_closes_moves_in_the_list(listed: Storage) -> None:
    await listed.commit([change(key("order-a", "a"), 2, visibility=visible(status=2, start=100, close=850))])
    assert await found(listed) == ["b", "f", "e", "c", "a", "d"]


@pytest.mark.parametrize(
    "token", [b"x", b"[]", b'["-start_time",[1],"a","b"]', b'["-close_time,start_time",["x",1],"a","b"]']
)
async def test_a_token_of_another_list_is_refused(listed: Storage, token: bytes) -> None:
    with pytest.raises(BadPageToken, match="is none of this list"):
        await listed.list_executions("shop", page_token=token)


def test_conditions_are_typed() -> None:
    for column, op, value in [
        (Column.STATUS, Op.EQ, "1"),
        (Column.WORKFLOW_ID, Op.IN, "order"),
        (Column.WORKFLOW_ID, Op.IN, (1,)),
        (Column.STATUS, Op.STARTS_WITH, 1),
        (Column.STATUS, Op.EQ, None),
        (Column.CLOSE_TIME, Op.IS_NULL, 1),
    ]:
        with pytest.raises(TypeError):
            Condition(column, op, value)


# -- namespaces --------------------------------------------------------------------------------------------------------


async def test_namespaces_are_kept_by_id_and_listed_by_name(store: Storage) -> None:
    assert await store.namespaces() == []
    await store.commit([change(key(namespace_id="n1"), 1)])
    assert await store.namespaces() == []
    await store.put_namespace("n1", "shop", b"one", None)
    await store.put_namespace("n2", "bank", b"two", None)
    assert await store.namespaces() == [b"two", b"one"]
    await store.put_namespace("n1", "arcade", b"three", b"one")
    assert await store.namespaces() == [b"three", b"two"]


async def test_a_namespace_changes_only_as_expected(store: Storage) -> None:
    await store.put_namespace("n1", "shop", b"one", None)
    with pytest.raises(Conflict, match="namespace 'shop'"):
        await store.put_namespace("n1", "shop", b"two", None)
    with pytest.raises(Conflict, match="namespace 'shop'"):
        await store.put_namespace("n1", "shop", b"two", b"zero")
    with pytest.raises(Conflict, match="id of namespace 'shop': expected n2, found n1"):
        await store.put_namespace("n2", "shop", b"two", None)
    assert await store.namespaces() == [b"one"]


async def test_settings_are_kept_per_kind_namespace_and_name(store: Storage) -> None:
    assert await store.settings("limit") == []
    for setting in (
        Setting("n2", "a", b"1"),
        Setting("n1", "b", b"2"),
        Setting("n1", "a", b"3"),
        Setting("n1", "a", b"4"),
    ):
        await store.put_setting("limit", setting)
    await store.put_setting("other", Setting("n1", "a", b"5"))
    kept = [Setting("n1", "a", b"4"), Setting("n1", "b", b"2"), Setting("n2", "a", b"1")]
    assert await store.settings("limit") == kept
    await store.put_setting("limit", Setting("n1", "b", b""))
    await store.put_setting("limit", Setting("n3", "x", b""))
    assert await store.settings("limit") == [kept[0], kept[2]]
    await store.delete_namespace("n1")
    assert await store.settings("limit") == [kept[2]] and await store.settings("other") == []


# -- the end -----------------------------------------------------------------------------------------------------------


async def test_a_closed_store_refuses_everything(store: Storage) -> None:
    kept = store.commit([change(key(), 1)])
    await store.close()
    assert kept.done() and kept.exception() is None
    with pytest.raises(StorageClosed):
        await store.commit([change(key(), 2)])
    with pytest.raises(StorageClosed):
        await store.load(key())
    with pytest.raises(StorageClosed):
        await store.delete(key())
    with pytest.raises(StorageClosed):
        await store.list_executions("shop")
    await store.close()
