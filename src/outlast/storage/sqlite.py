"""The embedded store: one SQLite file, held by one process.

    <name>        the database: WAL, synchronous=FULL
    <name>-lock   who holds it, while somebody does
    <name>-wal    what is durable and not yet in the database; gone after a clean close

Rule: writes go through the group commit, reads run at once on a connection of their own, which sees only what is
durable. Decision: docs/decisions/0003-sqlite-driver.md.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Self

import apsw

from outlast.storage import sqlite_connection, sqlite_listing, sqlite_schema
from outlast.storage.errors import StorageClosed
from outlast.storage.file_lock import FileLock
from outlast.storage.group_commit import GroupCommit
from outlast.storage.listing import BY_CLOSE_TIME, Filter, Order, Page
from outlast.storage.port import Commit, Record, Setting, Statistics
from outlast.storage.rows import RunKey
from outlast.storage.sqlite_rows import Reader, Writer


class SqliteStorage:
    """Storage in one SQLite database. ``open`` makes one."""

    def __init__(
        self, path: Path, writing: apsw.Connection, reading: apsw.Connection | None, lock: FileLock | None
    ) -> None:
        """Take over connections to a migrated database; without one for reading, ``writing`` is in memory."""
        self.path = path
        self.statistics = Statistics()
        self._writing = writing
        self._reading = reading
        self._lock = lock
        self._writer = Writer(writing, path)
        self._reader = Reader(reading or writing, path)
        self._group = GroupCommit(self._writer, self.statistics, str(path), threaded=reading is not None)
        self._closed = False
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open a database, and create it where there is none; ``:memory:`` is a private one without a file.

        Raises:
            DatabaseInUse: another process holds it, or this one does already.
            DatabaseDamaged, DatabaseTooNew, NotAnOutlastDatabase: refused, and left as it is.
            DatabaseError: the file cannot be opened.
        """
        if str(path) == str(sqlite_connection.MEMORY):
            connection = sqlite_connection.memory()
            sqlite_schema.migrate(connection, sqlite_connection.MEMORY)
            return cls(sqlite_connection.MEMORY, connection, None, None)
        path = Path(path).resolve()  # two names of one file share one lock
        with contextlib.ExitStack() as undo:
            lock = FileLock.acquire(path)
            undo.callback(lock.release)
            sqlite_schema.inspect(path)
            writing = sqlite_connection.writer(path)
            undo.callback(writing.close)
            sqlite_schema.migrate(writing, path)
            reading = sqlite_connection.reader(path)
            undo.pop_all()
        return cls(path, writing, reading, lock)

    # -- writing -------------------------------------------------------------------------------------------------

    def commit(self, unit: Sequence[Commit]) -> asyncio.Future[None]:
        """Keep a unit, see Storage.commit."""
        size = 0
        for change in unit:
            size += len(change.snapshot) + len(change.events)
        return self._group.submit(partial(self._writer.write, unit), size)

    async def delete(self, key: RunKey) -> None:
        """Remove a run, see Storage.delete."""
        await self._group.submit(partial(self._writer.delete, key), 0)

    async def put_namespace(self, namespace_id: str, name: str, data: bytes, expected: bytes | None) -> None:
        """Keep a namespace, see Storage.put_namespace."""
        write = partial(self._writer.put_namespace, namespace_id, name, data, expected)
        await self._group.submit(write, len(data))

    async def delete_namespace(self, namespace_id: str) -> None:
        """Forget a namespace, see Storage.delete_namespace."""
        await self._group.submit(partial(self._writer.delete_namespace, namespace_id), 0)

    async def put_setting(self, kind: str, setting: Setting) -> None:
        """Keep a setting, see Storage.put_setting."""
        await self._group.submit(partial(self._writer.put_setting, kind, setting), len(setting.data))

    # -- reading -------------------------------------------------------------------------------------------------

    async def load(self, key: RunKey) -> Record | None:
        """The run, see Storage.load."""
        return self._read().load(key)

    async def current(self, namespace_id: str, workflow_id: str) -> str | None:
        """The current run, see Storage.current."""
        return self._read().current(namespace_id, workflow_id)

    async def read_events(self, key: RunKey, first_event_id: int, next_event_id: int) -> list[bytes]:
        """Batches of events, see Storage.read_events."""
        return self._read().events(key, first_event_id, next_event_id)

    async def due(
        self, after: int, until: int, limit: int, cursor: tuple[int, RunKey] | None = None
    ) -> list[tuple[int, RunKey]]:
        """Runs that want attention, see Storage.due."""
        return self._read().due(after, until, limit, cursor)

    async def settings(self, kind: str) -> list[Setting]:
        """What operators have set, see Storage.settings."""
        return self._read().settings(kind)

    async def namespaces(self) -> list[bytes]:
        """Every namespace, see Storage.namespaces."""
        return self._read().namespaces()

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
        return sqlite_listing.select_page(self._read(), namespace_id, where, order, page_size, page_token)

    async def count_executions(self, namespace_id: str, where: Filter | None = None) -> int:
        """The size of a list, see Storage.count_executions."""
        return sqlite_listing.count(self._read(), namespace_id, where)

    async def count_executions_by_status(self, namespace_id: str, where: Filter | None = None) -> dict[int, int]:
        """The size of a list by status, see Storage.count_executions_by_status."""
        return sqlite_listing.count_by_status(self._read(), namespace_id, where)

    def _read(self) -> Reader:
        if self._closed:
            raise self._refusal()
        return self._reader

    # -- the end -------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Commit what is queued, move the log into the database, and give back the lock. May be called again."""
        if self._closed and self._closing is None:
            return
        if self._closing is None:
            self._closed = True
            self._closing = asyncio.get_running_loop().create_task(self._finish())
        # Who stops waiting does not leave the database half closed.
        await asyncio.shield(self._closing)

    async def _finish(self) -> None:
        try:
            await self._group.finish(self._refusal(), self._disconnect)
        finally:
            self._release()

    def _disconnect(self) -> None:
        # The reader first: the last connection to close is the one that moves the log into the database.
        if self._reading is not None:
            self._reading.close()
        self._writing.close()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def abandon(self) -> None:
        """Let go of everything at once, for a store whose event loop is gone. Unfinished commits are not kept."""
        if self._closed and self._closing is None:
            return
        self._closed = True
        self._closing = None
        self._group.stop()
        self._writer.rollback()
        self._disconnect()
        self._release()

    def _refusal(self) -> StorageClosed:
        return StorageClosed(f"{self.path} is closed; open it again")
