"""Stores to test, and short ways to make what goes into them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from outlast.storage.memory import MemoryStorage
from outlast.storage.port import Commit, CurrentRow, RunKey, Storage, VisibilityRow
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.filters import Indexed

OPENERS: dict[str, Callable[[Path], Storage]] = {
    "memory": lambda folder: MemoryStorage(),
    "sqlite in memory": lambda folder: SqliteStorage.open(":memory:"),
    "sqlite": lambda folder: SqliteStorage.open(folder / "outlast.db"),
}


@asynccontextmanager
async def opened(name: str, folder: Path) -> AsyncIterator[Storage]:
    """A store of this kind, closed at the end."""
    store = OPENERS[name](folder)
    try:
        yield store
    finally:
        await store.close()


def key(workflow_id: str = "order-1", run_id: str = "run-1", namespace_id: str = "shop") -> RunKey:
    return RunKey(namespace_id, workflow_id, run_id)


def visible(
    *, status: int = 1, start: int = 100, close: int | None = None, workflow_type: str = "Order", parent: str = ""
) -> VisibilityRow:
    return VisibilityRow(
        workflow_type=workflow_type,
        task_queue="orders",
        status=status,
        start_time=start,
        execution_time=start + 5,
        close_time=close,
        history_length=3,
        history_size_bytes=512,
        state_transition_count=2,
        memo=b"memo",
        search_attributes=b"\x00\xff",
        parent_workflow_id=parent,
        parent_run_id=parent and "parent-run",
        root_workflow_id="root",
        root_run_id="root-run",
    )


def change(
    run: RunKey,
    version: int,
    *,
    expected: int | None = None,
    wake_at: int | None = None,
    events: tuple[int, bytes] | None = None,
    visibility: VisibilityRow | None = None,
    current: CurrentRow | None = None,
    indexed: Indexed = (),
) -> Commit:
    """A commit whose snapshot names its version; it expects the version before unless told."""
    first, batch = events or (0, b"")
    before = version - 1 if expected is None else expected
    return Commit(run, before, version, b"snapshot %d" % version, wake_at, first, batch, visibility, current, indexed)
