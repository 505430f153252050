"""Connections to SQLite, and its errors in our words.

Rule: one connection writes, and only it checkpoints; the other only reads. A commit is on the disk when it returns.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw

from outlast.storage.errors import DatabaseDamaged, DatabaseError, StorageError

MEMORY: Final = Path(":memory:")

_BUSY_TIMEOUT_MS: Final = 1000
"""Only a tool that somebody points at the database can make us wait, and it holds the event loop meanwhile."""
_WAL_LEFT_BYTES_MAX: Final = 64 * 2**20
"""A log that once grew longer is cut to this."""

_OF_ONE_UNIT: Final = (apsw.ConstraintError, apsw.TooBigError, apsw.MismatchError, apsw.RangeError)
_OF_THE_FILE: Final = (apsw.CorruptError, apsw.NotADBError)


def memory() -> apsw.Connection:
    """A private database in memory."""
    return apsw.Connection(":memory:")


def writer(path: Path) -> apsw.Connection:
    """The connection that writes; creates the file.

    Raises:
        DatabaseError: the file cannot be opened, or its file system is not able to hold a database of ours.
    """
    with errors(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        mode = connection.pragma("journal_mode", "wal")
        if mode != "wal":
            connection.close()
            raise DatabaseError(
                f"{path}: this file system cannot hold a write-ahead log (journal mode {mode!r}); "
                "put the database on a local disk"
            )
        connection.pragma("synchronous", "full")
        # Apple's fsync does not reach the disk; elsewhere these two change nothing.
        connection.pragma("fullfsync", True)
        connection.pragma("checkpoint_fullfsync", True)
        connection.pragma("journal_size_limit", _WAL_LEFT_BYTES_MAX)
        # A transaction is bounded: it fits the cache, and no page goes to the log before the commit.
        connection.pragma("cache_spill", False)
        return connection


def reader(path: Path) -> apsw.Connection:
    """A connection that only reads."""
    with errors(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        return connection


def inspector(path: Path) -> apsw.Connection:
    """A connection that looks at a file which nobody else has open, and leaves nothing beside it."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return reader(path)
    # Without this SQLite would make a log to look into, which a connection that only reads cannot remove again.
    with errors(path):
        return apsw.Connection(
            f"{path.absolute().as_uri()}?immutable=1", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        )


@contextlib.contextmanager
def errors(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as ours."""
    try:
        yield
    except apsw.Error as error:
        raise translated(error, path) from error


def spares_others(error: BaseException) -> bool:
    """Whether an error concerns only the unit that met it, and not the database."""
    return not isinstance(error, apsw.Error) or isinstance(error, _OF_ONE_UNIT)


def translated(error: apsw.Error, path: Path) -> StorageError:
    """Our word for an error of SQLite, with the path and the cure."""
    if isinstance(error, _OF_THE_FILE):
        return damaged(path, str(error))
    for kind, cure in _CURES:
        if isinstance(error, kind):
            return DatabaseError(f"{path}: {error}; {cure}")
    return DatabaseError(f"{path}: SQLite answers {type(error).__name__}: {error}")


def damaged(path: Path, finding: str) -> DatabaseDamaged:
    """The refusal of a file that is not a sound database."""
    return DatabaseDamaged(
        f"{path} is not a sound SQLite database ({finding}); nothing in it was changed. "
        "Restore it from a backup, or move it away to begin with an empty one"
    )


_CURES: Final[tuple[tuple[type[apsw.Error], str], ...]] = (
    (apsw.FullError, "the disk is full: free some space; what was not acknowledged is not kept"),
    (apsw.IOError, "reading or writing failed: look at the disk and its free space"),
    (apsw.BusyError, "another program has locked the database: end it"),
    (apsw.LockedError, "another program has locked the database: end it"),
    (apsw.ReadOnlyError, "the file, or its directory, is not writable: change its permissions"),
    (apsw.PermissionsError, "access is not permitted: change the file's permissions"),
    (apsw.CantOpenError, "it cannot be opened: look at the path and its permissions"),
    (apsw.NoMemError, "memory has run out"),
)
