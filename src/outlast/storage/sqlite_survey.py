"""A look at a whole database of ours that changes nothing: for who asks whether it is sound.

Rule: one read transaction, so what is seen is one moment, also while a server writes. A database that nobody holds is
locked meanwhile, so that none begins to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

from outlast.storage import sqlite_schema
from outlast.storage.errors import DatabaseInUse
from outlast.storage.file_lock import FileLock
from outlast.storage.rows import RunKey, VisibilityRow
from outlast.storage.sqlite_connection import errors, inspector, reader
from outlast.storage.sqlite_rows import SHOWN, shown

_RUNS: Final = """
SELECT run_no, coalesce(namespace_id, ''), workflow_id, run_id, version, wake_at, snapshot
  FROM executions LEFT JOIN namespaces USING (namespace_no) ORDER BY run_no
"""
_EVENTS: Final = "SELECT first_event_id, events FROM history WHERE run_no = ? ORDER BY first_event_id"
_VISIBLE: Final = f"SELECT {SHOWN} FROM visibility WHERE run_no = ?"
_INDEXED: Final = "SELECT key, value FROM search_attributes WHERE run_no = ? ORDER BY key, value"
_CURRENTS: Final = """
SELECT coalesce(namespace_id, ''), workflow_id, run_id
  FROM current_executions LEFT JOIN namespaces USING (namespace_no)
"""
_ORPHANS: Final = {
    "history": "SELECT DISTINCT run_no FROM history WHERE run_no NOT IN (SELECT run_no FROM executions)",
    "visibility": "SELECT run_no FROM visibility WHERE run_no NOT IN (SELECT run_no FROM executions)",
    "search_attributes": "SELECT DISTINCT run_no FROM search_attributes"
    " WHERE run_no NOT IN (SELECT run_no FROM executions)",
}


class StoredRun(NamedTuple):
    """A run with everything that is stored about it."""

    run_no: int
    key: RunKey
    version: int
    wake_at: int | None
    snapshot: bytes
    batches: list[tuple[int, bytes]]
    """(first event id, serialized events), ascending."""
    visibility: VisibilityRow | None
    indexed: list[tuple[str, object]]


class Survey:
    """An open look at a database; for ``with``."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            DatabaseError: there is no such file, it is damaged, newer, or not ours.
        """
        self.path = path
        self.holder: DatabaseInUse | None = None
        """Who holds the database, if somebody does."""
        self._lock: FileLock | None = None
        try:
            self._lock = FileLock.acquire(path)
        except DatabaseInUse as held:
            self.holder = held
        try:
            if self.holder is None:
                sqlite_schema.inspect(path)
            self._connection = inspector(path) if self.holder is None else reader(path)
            with errors(path):
                self._connection.execute("BEGIN")
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Survey:
        """This survey."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._connection.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _rows(self, statement: str, *values: int) -> list[tuple[object, ...]]:
        with errors(self.path):
            return self._connection.execute(statement, values).fetchall()

    @property
    def schema(self) -> int:
        """The number of the file's schema."""
        return int(self._connection.pragma("user_version"))

    def integrity(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when nothing is."""
        try:
            found = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check(20)").fetchall()]
        except apsw.Error as error:
            return [str(error)]
        return [] if found == ["ok"] else found

    def runs(self) -> Iterator[StoredRun]:
        """Every run, one at a time."""
        with errors(self.path), contextlib.closing(self._connection.cursor()) as cursor:
            for run_no, namespace_id, workflow_id, run_id, version, wake_at, snapshot in cursor.execute(_RUNS):
                key = RunKey(namespace_id, workflow_id, run_id)
                batches: list[Any] = self._connection.execute(_EVENTS, (run_no,)).fetchall()
                rows = self._connection.execute(_VISIBLE, (run_no,)).fetchall()
                indexed: list[Any] = self._connection.execute(_INDEXED, (run_no,)).fetchall()
                row = shown(rows[0]) if rows else None
                yield StoredRun(run_no, key, version, wake_at, snapshot, batches, row, indexed)

    def orphans(self) -> Iterator[tuple[str, int]]:
        """Rows of runs that are not there, as (table, number of the run)."""
        for table, statement in _ORPHANS.items():
            for (run_no,) in self._rows(statement):
                assert isinstance(run_no, int)
                yield table, run_no

    def currents(self) -> Iterator[RunKey]:
        """The current run of every workflow id that has one."""
        for namespace_id, workflow_id, run_id in self._rows(_CURRENTS):
            yield RunKey(str(namespace_id), str(workflow_id), str(run_id))

    def namespaces(self) -> dict[str, str]:
        """Names by id; only of namespaces that have one."""
        named = self._rows("SELECT namespace_id, name FROM namespaces WHERE name IS NOT NULL")
        return {str(namespace_id): str(name) for namespace_id, name in named}
