"""The schema of the SQLite store: what a file is, and how it becomes ours.

Rule: first look, then touch. A file that is damaged, newer or somebody else's is refused before anything is written.
The schema grows by the numbered files in ``sql/``, each in a transaction of its own; how far it has come stands in the
file's header (``user_version``), beside the mark that it is Outlast's (``application_id``).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Final

import apsw

from outlast import __version__
from outlast.api.common.v1 import SearchAttributes
from outlast.storage.errors import DatabaseError, DatabaseTooNew, NotAnOutlastDatabase
from outlast.storage.sqlite_connection import damaged, errors, inspector
from outlast.storage.sqlite_rows import ADD_INDEXED
from outlast.vocab.search_attributes import indexed

APPLICATION_ID: Final = int.from_bytes(b"OLST", "big")

_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_BYTES: Final = 100
_CHECKED_BYTES_MAX: Final = 64 * 2**20
"""Files up to this size are checked whole when they are opened, which takes about 0.1 s at most; of longer ones the
header, the length and the schema. Damage that shows later is reported by the read that meets it."""


def _migrations() -> dict[int, str]:
    found = {
        int(file.name.partition("_")[0]): file.read_text(encoding="utf-8")
        for file in resources.files("outlast.storage").joinpath("sql").iterdir()
        if file.name.endswith(".sql")
    }
    assert sorted(found) == list(range(1, len(found) + 1)), "migrations are numbered 1, 2, 3 ..."
    return dict(sorted(found.items()))


MIGRATIONS: Final = _migrations()
NEWEST: Final = len(MIGRATIONS)


def inspect(path: Path) -> None:
    """Look at a file that is to be opened, and change nothing.

    Returns for a file that does not exist, an empty one, and a sound database of ours, old or of today.

    Raises:
        DatabaseDamaged: it is no SQLite database, or not a sound one.
        NotAnOutlastDatabase: it is somebody else's.
        DatabaseTooNew: a newer Outlast has written it.
        DatabaseError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DatabaseError(f"{path} cannot be read: {error.strerror}; it has to be a file of yours") from error
    if not header:
        return
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise damaged(path, "the header is not SQLite's")
    connection = inspector(path)
    try:
        with errors(path):
            _recognise(connection, path)
            _check(connection, path)
    finally:
        connection.close()


def _recognise(connection: apsw.Connection, path: Path) -> None:
    owner = connection.pragma("application_id")
    version = connection.pragma("user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()[0][0]
    if owner == 0 and version == 0 and tables == 0:
        return  # made, but not yet filled: ours may have been killed right there
    if owner != APPLICATION_ID:
        raise NotAnOutlastDatabase(
            f"{path} is another program's SQLite database ({tables} tables and indexes, application id {owner}); "
            "nothing in it was changed. Name another file"
        )
    if version > NEWEST:
        raise DatabaseTooNew(
            f"{path} has schema {version}, and outlast {__version__} knows schemas up to {NEWEST}; "
            "nothing in it was changed. Upgrade outlast, or name another file"
        )


def _check(connection: apsw.Connection, path: Path) -> None:
    if path.stat().st_size > _CHECKED_BYTES_MAX:
        return
    finding = connection.execute("PRAGMA quick_check(1)").fetchall()[0][0]
    if finding != "ok":
        raise damaged(path, "; ".join(str(finding).splitlines()))


def _index_search_attributes(connection: apsw.Connection) -> None:
    """Take the values out of the messages that the rows of the lists hold."""
    rows = "SELECT run_no, namespace_no, search_attributes FROM visibility WHERE length(search_attributes) > 0"
    for run_no, namespace_no, data in connection.execute(rows):
        for attribute, values in indexed(SearchAttributes.FromString(data)):
            connection.executemany(ADD_INDEXED, [(run_no, attribute.key, value, namespace_no) for value in values])


_FILL: Final[dict[int, Callable[[apsw.Connection], None]]] = {2: _index_search_attributes}
"""What fills the tables of a schema from those of the one before, where SQL cannot."""


def migrate(connection: apsw.Connection, path: Path) -> None:
    """Bring a database that ``inspect`` let pass to the newest schema; each step is kept whole or not at all."""
    with errors(path):
        while True:
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = connection.pragma("user_version")
                if done == NEWEST:
                    connection.execute("ROLLBACK")
                    return
                connection.execute(MIGRATIONS[done + 1])
                if done + 1 in _FILL:
                    _FILL[done + 1](connection)
                connection.pragma("application_id", APPLICATION_ID)
                connection.pragma("user_version", done + 1)
                connection.execute(
                    "INSERT INTO meta VALUES (?, ?)", (f"schema {done + 1} made by", f"outlast {__version__}")
                )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
