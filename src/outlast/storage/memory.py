"""The store without a disk: dictionaries. It says what the right answer is; every other store is compared with it.

Rule: obvious before fast. Nothing survives the process.
"""

from __future__ import annotations

import asyncio
import heapq
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from outlast.storage.conflicts import check, check_namespace
from outlast.storage.errors import Conflict, StorageClosed
from outlast.storage.listing import (
    BY_CLOSE_TIME,
    Column,
    Field,
    Filter,
    Indexed,
    Listed,
    Order,
    Page,
    Position,
    Scalar,
    position,
    rank,
    read_token,
    token,
)
from outlast.storage.port import Commit, Record, Setting, Statistics
from outlast.storage.rows import RunKey, VisibilityRow
from outlast.vocab.filters import holds


@dataclass(slots=True)
class _Run:
    version: int = 0
    snapshot: bytes = b""
    wake_at: int | None = None
    visibility: VisibilityRow | None = None
    indexed: Indexed = ()
    batches: dict[int, bytes] = field(default_factory=dict)
    """First event id -> the batch; ascending."""


class MemoryStorage:
    """Storage in dictionaries. A commit's future is done when it is returned."""

    def __init__(self) -> None:
        self.statistics = Statistics()
        self._runs: dict[RunKey, _Run] = {}
        self._current: dict[tuple[str, str], str] = {}
        self._namespaces: dict[str, tuple[str, bytes]] = {}
        self._settings: dict[tuple[str, str, str], bytes] = {}
        """Kind, namespace id, name -> data."""
        self._closed = False

    # -- writing -------------------------------------------------------------------------------------------------

    def commit(self, unit: Sequence[Commit]) -> asyncio.Future[None]:
        """Keep a unit, see Storage.commit."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._check_open()
            check(unit, self._version, lambda namespace_id, workflow_id: self._current.get((namespace_id, workflow_id)))
        except (Conflict, StorageClosed) as error:
            future.set_exception(error)
            return future
        for change in unit:
            self._keep(change)
        self._count()
        future.set_result(None)
        return future

    def _keep(self, change: Commit) -> None:
        run = self._runs.setdefault(change.key, _Run())
        run.version = change.version
        run.snapshot = change.snapshot
        run.wake_at = change.wake_at
        if change.events:
            run.batches[change.first_event_id] = change.events
        if change.visibility is not None:
            run.visibility = change.visibility
            run.indexed = change.indexed
        if change.current is not None:
            self._current[change.key[:2]] = change.current.run_id

    async def delete(self, key: RunKey) -> None:
        """Remove a run, see Storage.delete."""
        self._check_open()
        self._runs.pop(key, None)
        if self._current.get(key[:2]) == key.run_id:
            del self._current[key[:2]]
        self._count()

    async def put_namespace(self, namespace_id: str, name: str, data: bytes, expected: bytes | None) -> None:
        """Keep a namespace, see Storage.put_namespace."""
        self._check_open()
        stored = self._namespaces.get(namespace_id)
        named = next((other for other, (its, _) in self._namespaces.items() if its == name), None)
        check_namespace(namespace_id, name, expected, stored[1] if stored else None, named)
        self._namespaces[namespace_id] = (name, data)
        self._count()

    async def delete_namespace(self, namespace_id: str) -> None:
        """Forget a namespace, see Storage.delete_namespace."""
        self._check_open()
        self._namespaces.pop(namespace_id, None)
        self._settings = {key: data for key, data in self._settings.items() if key[1] != namespace_id}
        self._count()

    async def put_setting(self, kind: str, setting: Setting) -> None:
        """Keep a setting, see Storage.put_setting."""
        self._check_open()
        key = (kind, setting.namespace_id, setting.name)
        self._settings.pop(key, None)
        if setting.data:
            self._settings[key] = setting.data
        self._count()

    def _version(self, key: RunKey) -> int:
        run = self._runs.get(key)
        return run.version if run is not None else 0

    def _count(self) -> None:
        self.statistics.committed(1, 0.0)

    def _check_open(self) -> None:
        if self._closed:
            raise StorageClosed("the storage in memory is closed; open another")

    # -- reading -------------------------------------------------------------------------------------------------

    async def load(self, key: RunKey) -> Record | None:
        """The run, see Storage.load."""
        self._check_open()
        run = self._runs.get(key)
        return Record(run.version, run.snapshot) if run is not None else None

    async def current(self, namespace_id: str, workflow_id: str) -> str | None:
        """The current run, see Storage.current."""
        self._check_open()
        return self._current.get((namespace_id, workflow_id))

    async def read_events(self, key: RunKey, first_event_id: int, next_event_id: int) -> list[bytes]:
        """Batches of events, see Storage.read_events."""
        self._check_open()
        run = self._runs.get(key)
        if run is None or first_event_id >= next_event_id:
            return []
        begin = max((first for first in run.batches if first <= first_event_id), default=0)
        return [events for first, events in run.batches.items() if begin <= first < next_event_id]

    async def due(
        self, after: int, until: int, limit: int, cursor: tuple[int, RunKey] | None = None
    ) -> list[tuple[int, RunKey]]:
        """Runs that want attention, see Storage.due."""
        self._check_open()
        found = [
            (run.wake_at, key)
            for key, run in self._runs.items()
            if run.wake_at is not None and after < run.wake_at <= until
        ]
        if cursor is not None:
            found = [entry for entry in found if _urgency(entry) > _urgency(cursor)]
        return heapq.nsmallest(limit, found, key=_urgency)

    async def namespaces(self) -> list[bytes]:
        """Every namespace, see Storage.namespaces."""
        self._check_open()
        return [data for _, data in sorted(self._namespaces.values())]

    async def settings(self, kind: str) -> list[Setting]:
        """What operators have set, see Storage.settings."""
        self._check_open()
        return [Setting(*key[1:], data) for key, data in sorted(self._settings.items()) if key[0] == kind]

    # -- lists ---------------------------------------------------------------------------------------------------

    async def list_executions(
        self,
        namespace_id: str,
        *,
        where: Filter | None = None,
        order: Order = BY_CLOSE_TIME,
        page_size: int = 1000,
        page_token: bytes = b"",
    ) -> Page:
        """A page of a list, see Storage.list_executions."""
        assert page_size >= 1
        places = {position(listed, its, order): listed for listed, its in self._listed(namespace_id, where)}

        ordered = sorted(places, key=operator.itemgetter(1, 2))
        ordered.sort(key=operator.itemgetter(0), reverse=order.descending)
        if page_token:
            last = read_token(page_token, order)
            ordered = [place for place in ordered if _after(place, last, order)]
        page = ordered[:page_size]
        more = len(ordered) > page_size
        return Page([places[place] for place in page], token(page[-1], order) if more else b"")

    async def count_executions(self, namespace_id: str, where: Filter | None = None) -> int:
        """The size of a list, see Storage.count_executions."""
        return sum(1 for _ in self._listed(namespace_id, where))

    async def count_executions_by_status(self, namespace_id: str, where: Filter | None = None) -> dict[int, int]:
        """The size of a list by status, see Storage.count_executions_by_status."""
        counts: dict[int, int] = {}
        for listed, _ in self._listed(namespace_id, where):
            counts[listed.row.status] = counts.get(listed.row.status, 0) + 1
        return dict(sorted(counts.items()))

    def _listed(self, namespace_id: str, where: Filter | None) -> Iterator[tuple[Listed, Indexed]]:
        self._check_open()
        for key, run in self._runs.items():
            if key.namespace_id == namespace_id and run.visibility is not None:
                listed = Listed(key, run.visibility)
                if where is None or holds(where, partial(_values, listed, run.indexed)):
                    yield listed, run.indexed

    # -- the end -------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Refuse everything from now on."""
        self._closed = True

    def abandon(self) -> None:
        """Refuse everything from now on."""
        self._closed = True


def _urgency(entry: tuple[int, RunKey]) -> tuple[int, str, str, str]:
    wake_at, key = entry
    return wake_at, key.run_id, key.namespace_id, key.workflow_id


def _after(place: Position, last: Position, order: Order) -> bool:
    if place.values != last.values:
        return (place.values < last.values) == order.descending
    return place[1:] > last[1:]


def _values(listed: Listed, indexed: Indexed, column: Field) -> tuple[Scalar, ...]:
    """The values that a run has in a column; none where it has none."""
    if isinstance(column, Column):
        if column.of_closed_runs and listed.row.close_time is None:
            return ()
        return (rank(listed, column),)
    return next((values for attribute, values in indexed if attribute == column), ())
