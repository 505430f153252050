"""What storage answers with instead of a reply.

Rule: a message names the run or the file, the rule that was broken, and the cure. None of these is the fault of who
calls the server; whether a caller may try again is the server's to say.
"""

from __future__ import annotations


class StorageError(Exception):
    """Storage could not do what it was asked to, and nothing of it was kept."""


class Conflict(StorageError):
    """Somebody else came first. The whole unit was refused: load what is stored and decide again.

    ``subject`` says what was to change; ``expected`` and ``found`` are versions, run ids or values, None where there
    is nothing.
    """

    def __init__(self, subject: str, expected: object, found: object) -> None:
        super().__init__(f"{subject}: expected {expected}, found {found}; load it and decide again")
        self.subject = subject
        self.expected = expected
        self.found = found


class StorageClosed(StorageError):
    """The storage was closed."""


class StorageBusy(StorageError):
    """Too many commits wait for the disk."""


class BadPageToken(StorageError):
    """A page token that no list call with this order has given out."""


class DatabaseError(StorageError):
    """Something is the matter with a database."""


class DatabaseInUse(DatabaseError):
    """Another process, or another store of this one, holds the database. ``pid`` is None when it left no name."""

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class DatabaseDamaged(DatabaseError):
    """The file is not a sound SQLite database."""


class DatabaseTooNew(DatabaseError):
    """A newer Outlast wrote the database."""


class NotAnOutlastDatabase(DatabaseError):
    """A sound SQLite database, but somebody else's."""
