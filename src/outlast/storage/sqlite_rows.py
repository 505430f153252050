"""The statements of the SQLite store: what writes a unit, and what reads it back.

Rule: one statement per row, its text constant, so that it is prepared once. What the writer remembers of runs is what
its own statements wrote: nobody else writes to this database.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import apsw

from outlast.storage.conflicts import check, check_namespace
from outlast.storage.listing import OPEN, Indexed
from outlast.storage.port import Commit, Record, Setting
from outlast.storage.rows import RunKey, VisibilityRow
from outlast.storage.sqlite_connection import errors, spares_others, translated

_REMEMBERED_RUNS_MAX: Final = 10_000
"""Runs whose number and version are remembered: about 3 MB."""

_FIND_NAMESPACE = "SELECT namespace_no FROM namespaces WHERE namespace_id = ?"
_ADD_NAMESPACE = "INSERT INTO namespaces (namespace_id) VALUES (?)"
_NAMESPACE_DATA = "SELECT data FROM namespaces WHERE namespace_id = ?"
_NAMESPACE_NAMED = "SELECT namespace_id FROM namespaces WHERE name = ?"
_SET_NAMESPACE = "UPDATE namespaces SET name = ?, data = ? WHERE namespace_no = ?"
_FORGET_NAMESPACE = "UPDATE namespaces SET name = NULL, data = NULL WHERE namespace_id = ?"
_FORGET_SETTINGS = (
    "DELETE FROM settings WHERE namespace_no = (SELECT namespace_no FROM namespaces WHERE namespace_id = ?)"
)
_SET_SETTING = "INSERT OR REPLACE INTO settings (kind, namespace_no, name, data) VALUES (?, ?, ?, ?)"
_REMOVE_SETTING = "DELETE FROM settings WHERE kind = ? AND namespace_no = ? AND name = ?"
_SETTINGS = (
    "SELECT n.namespace_id, s.name, s.data FROM settings s CROSS JOIN namespaces n ON n.namespace_no = s.namespace_no"
    " WHERE s.kind = ? ORDER BY n.namespace_id, s.name"
)
_NAMESPACES = "SELECT data FROM namespaces WHERE data IS NOT NULL ORDER BY name"

_FIND_RUN = (
    "SELECT run_no, version FROM executions WHERE workflow_id = ? AND run_id = ?"
    " AND namespace_no = (SELECT namespace_no FROM namespaces WHERE namespace_id = ?)"
)
_ADD_RUN = (
    "INSERT INTO executions (namespace_no, workflow_id, run_id, version, wake_at, snapshot) VALUES (?, ?, ?, ?, ?, ?)"
)
_SET_RUN = "UPDATE executions SET version = ?, wake_at = ?, snapshot = ? WHERE run_no = ?"
_LOAD_RUN = _FIND_RUN.replace("run_no, version", "version, snapshot")
_ADD_EVENTS = "INSERT INTO history (run_no, first_event_id, events) VALUES (?, ?, ?)"
_READ_EVENTS = (
    "SELECT events FROM history WHERE run_no = ?1 AND first_event_id < ?3 AND first_event_id >="
    " (SELECT coalesce(max(first_event_id), 0) FROM history WHERE run_no = ?1 AND first_event_id <= ?2)"
    " ORDER BY first_event_id"
)
_CURRENT = (
    "SELECT run_id FROM current_executions WHERE workflow_id = ?"
    " AND namespace_no = (SELECT namespace_no FROM namespaces WHERE namespace_id = ?)"
)
_SET_CURRENT = (
    "INSERT INTO current_executions (namespace_no, workflow_id, run_id) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET run_id = excluded.run_id"
)
SHOWN: Final = (
    "workflow_type, task_queue, status, start_time, execution_time, closed_at, history_length, history_size_bytes,"
    " state_transition_count, memo, search_attributes, parent_workflow_id, parent_run_id, root_workflow_id, root_run_id"
)
"""The columns of a row in the lists, in the order of VisibilityRow."""
_SET_VISIBILITY = (
    f"INSERT INTO visibility (run_no, namespace_no, {SHOWN}) VALUES ({', '.join('?' * 17)})"
    " ON CONFLICT DO UPDATE SET " + ", ".join(f"{column} = excluded.{column}" for column in SHOWN.split(", "))
)
ADD_INDEXED: Final = "INSERT INTO search_attributes (run_no, key, value, namespace_no) VALUES (?, ?, ?, ?)"
_DELETE_INDEXED = "DELETE FROM search_attributes WHERE run_no = ?"
_DUE = (
    "SELECT e.wake_at, n.namespace_id, e.workflow_id, e.run_id"
    " FROM executions e CROSS JOIN namespaces n ON n.namespace_no = e.namespace_no"
    " WHERE e.wake_at > ?1 AND e.wake_at <= ?2 {}"
    " ORDER BY e.wake_at, e.run_id, n.namespace_id, e.workflow_id LIMIT ?3"
)
_DUE_FIRST = _DUE.format("")
_DUE_NEXT = _DUE.format(
    "AND (e.wake_at, e.run_id) >= (?4, ?5)"
    " AND ((e.wake_at, e.run_id) <> (?4, ?5) OR (n.namespace_id, e.workflow_id) > (?6, ?7))"
)
_DELETE: Final = tuple(
    f"DELETE FROM {table} WHERE run_no = ?" for table in ("history", "search_attributes", "visibility", "executions")
)
_DELETE_CURRENT = (
    "DELETE FROM current_executions WHERE workflow_id = ? AND run_id = ?"
    " AND namespace_no = (SELECT namespace_no FROM namespaces WHERE namespace_id = ?)"
)


def shown(values: Sequence[Any]) -> VisibilityRow:
    """A row in the lists from the values of its columns."""
    columns = list(values)
    if columns[5] == OPEN:
        columns[5] = None
    return VisibilityRow(*columns)


class Writer:
    """Writes units in transactions: the ``Transactions`` of a group commit, and what is applied in them."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._execute: Callable[..., Any] = connection.cursor().execute
        self._runs: OrderedDict[RunKey, tuple[int, int]] = OrderedDict()
        """Run number and version."""
        self._namespaces: dict[str, int] = {}

    # -- transactions --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open a transaction."""
        if self._connection.in_transaction:
            self._execute("ROLLBACK")  # the rollback of the one before has failed
        self._execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the transaction durable."""
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the open transaction, and forget what was known of it."""
        self._runs.clear()
        self._namespaces.clear()
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._execute("ROLLBACK")

    def fault(self, error: Exception) -> Exception:
        """SQLite's errors in our words."""
        return translated(error, self._path) if isinstance(error, apsw.Error) else error

    def spares_others(self, error: Exception) -> bool:
        """Whether an error concerns only the unit that met it."""
        return spares_others(error)

    # -- what is written in them ---------------------------------------------------------------------------------

    def write(self, unit: Sequence[Commit]) -> None:
        """Write a unit; raises Conflict before the first statement that changes something."""
        check(unit, self._version, self._current)
        for change in unit:
            self._write_run(change)

    def _write_run(self, change: Commit) -> None:
        key = change.key
        execute = self._execute
        known = self._find(key)
        if known is None:
            namespace_no = self._namespace_no(key.namespace_id)
            execute(
                _ADD_RUN,
                (namespace_no, key.workflow_id, key.run_id, change.version, change.wake_at, change.snapshot),
            )
            run_no = self._connection.last_insert_rowid()
        else:
            run_no = known[0]
            execute(_SET_RUN, (change.version, change.wake_at, change.snapshot, run_no))
        self._remember(key, run_no, change.version)
        if change.events:
            execute(_ADD_EVENTS, (run_no, change.first_event_id, change.events))
        if change.visibility is not None:
            self._write_visibility(run_no, key.namespace_id, change.visibility)
            self._write_indexed(run_no, key.namespace_id, change.indexed, new=known is None)
        if change.current is not None:
            execute(_SET_CURRENT, (self._namespace_no(key.namespace_id), key.workflow_id, change.current.run_id))

    def _write_visibility(self, run_no: int, namespace_id: str, row: VisibilityRow) -> None:
        values = (
            run_no,
            self._namespace_no(namespace_id),
            row.workflow_type,
            row.task_queue,
            row.status,
            row.start_time,
            row.execution_time,
            OPEN if row.close_time is None else row.close_time,
            row.history_length,
            row.history_size_bytes,
            row.state_transition_count,
            row.memo,
            row.search_attributes,
            row.parent_workflow_id,
            row.parent_run_id,
            row.root_workflow_id,
            row.root_run_id,
        )
        self._execute(_SET_VISIBILITY, values)

    def _write_indexed(self, run_no: int, namespace_id: str, indexed: Indexed, *, new: bool) -> None:
        if not new:
            self._execute(_DELETE_INDEXED, (run_no,))
        namespace_no = self._namespace_no(namespace_id)
        for attribute, values in indexed:
            for value in values:
                self._execute(ADD_INDEXED, (run_no, attribute.key, value, namespace_no))

    def delete(self, key: RunKey) -> None:
        """Remove a run and all that belongs to it."""
        known = self._find(key)
        if known is not None:
            for statement in _DELETE:
                self._execute(statement, (known[0],))
            self._runs.pop(key, None)
        self._execute(_DELETE_CURRENT, (key.workflow_id, key.run_id, key.namespace_id))

    def put_namespace(self, namespace_id: str, name: str, data: bytes, expected: bytes | None) -> None:
        """Write a namespace; raises Conflict before it is changed."""
        named = self._execute(_NAMESPACE_NAMED, (name,)).fetchall()
        stored = self._execute(_NAMESPACE_DATA, (namespace_id,)).fetchall()
        check_namespace(namespace_id, name, expected, stored[0][0] if stored else None, named[0][0] if named else None)
        self._execute(_SET_NAMESPACE, (name, data, self._namespace_no(namespace_id)))

    def delete_namespace(self, namespace_id: str) -> None:
        """Forget a namespace; its number stays."""
        self._execute(_FORGET_NAMESPACE, (namespace_id,))
        self._execute(_FORGET_SETTINGS, (namespace_id,))

    def put_setting(self, kind: str, setting: Setting) -> None:
        """Write a setting, or remove it when it has no data."""
        named = (kind, self._namespace_no(setting.namespace_id), setting.name)
        if setting.data:
            self._execute(_SET_SETTING, (*named, setting.data))
        else:
            self._execute(_REMOVE_SETTING, named)

    # -- what is known -------------------------------------------------------------------------------------------

    def _find(self, key: RunKey) -> tuple[int, int] | None:
        known = self._runs.get(key)
        if known is None:
            found: list[tuple[int, int]] = self._execute(
                _FIND_RUN, (key.workflow_id, key.run_id, key.namespace_id)
            ).fetchall()
            if not found:
                return None
            known = found[0]
            self._remember(key, *known)
        return known

    def _remember(self, key: RunKey, run_no: int, version: int) -> None:
        runs = self._runs
        runs[key] = (run_no, version)
        runs.move_to_end(key)
        if len(runs) > _REMEMBERED_RUNS_MAX:
            runs.popitem(last=False)

    def _version(self, key: RunKey) -> int:
        known = self._find(key)
        return known[1] if known is not None else 0

    def _current(self, namespace_id: str, workflow_id: str) -> str | None:
        found = self._execute(_CURRENT, (workflow_id, namespace_id)).fetchall()
        return found[0][0] if found else None

    def _namespace_no(self, namespace_id: str) -> int:
        number = self._namespaces.get(namespace_id)
        if number is None:
            found = self._execute(_FIND_NAMESPACE, (namespace_id,)).fetchall()
            if found:
                number = found[0][0]
            else:
                self._execute(_ADD_NAMESPACE, (namespace_id,))
                number = self._connection.last_insert_rowid()
            self._namespaces[namespace_id] = number
        return number


class Reader:
    """Reads what is durable."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def rows(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """All rows that a SELECT answers with; nothing stays open behind it."""
        with errors(self._path):
            return self._connection.execute(statement, values).fetchall()

    def load(self, key: RunKey) -> Record | None:
        """A run."""
        found = self.rows(_LOAD_RUN, (key.workflow_id, key.run_id, key.namespace_id))
        return Record(*found[0]) if found else None

    def current(self, namespace_id: str, workflow_id: str) -> str | None:
        """The id of the current run."""
        found = self.rows(_CURRENT, (workflow_id, namespace_id))
        return found[0][0] if found else None

    def events(self, key: RunKey, first_event_id: int, next_event_id: int) -> list[bytes]:
        """Batches of events."""
        found = self.rows(_FIND_RUN, (key.workflow_id, key.run_id, key.namespace_id))
        if not found or first_event_id >= next_event_id:
            return []
        return [events for (events,) in self.rows(_READ_EVENTS, (found[0][0], first_event_id, next_event_id))]

    def due(self, after: int, until: int, limit: int, cursor: tuple[int, RunKey] | None) -> list[tuple[int, RunKey]]:
        """Runs that want attention."""
        statement = _DUE_FIRST
        values: tuple[int | str, ...] = (after, until, limit)
        if cursor is not None:
            wake_at, key = cursor
            statement = _DUE_NEXT
            values += (wake_at, key.run_id, key.namespace_id, key.workflow_id)
        return [(wake_at, RunKey(*key)) for wake_at, *key in self.rows(statement, values)]

    def namespaces(self) -> list[bytes]:
        """The data of every namespace."""
        return [data for (data,) in self.rows(_NAMESPACES, ())]

    def settings(self, kind: str) -> list[Setting]:
        """What operators have set."""
        return [Setting(*each) for each in self.rows(_SETTINGS, (kind,))]
