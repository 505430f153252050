"""The lock beside a database: who holds it is the only process that opens the database.

Rule: the kernel owns the lock, so it ends with its holder, also by SIGKILL; the file only says who that is. The file
goes when the lock is given back, so whoever gets a lock looks whether its file is still the one that the name means.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import weakref
from pathlib import Path
from typing import Final

from outlast.storage.errors import DatabaseError, DatabaseInUse

if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE: Final = 2**30
    """Far behind the process id: on Windows a locked range cannot be read."""

    def _lock(file: int) -> None:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_PID_BYTES_MAX: Final = 20
_NAMING_TRIES_MAX: Final = 50
_NAMING_PAUSE_S: Final = 0.001
"""A holder writes its id right after it got the lock: 50 ms are plenty."""


class FileLock:
    """A held lock."""

    __slots__ = ("__weakref__", "_file", "_path")

    def __init__(self, file: int, path: Path) -> None:
        self._file = file
        self._path = path
        _held.add(self)

    @classmethod
    def acquire(cls, database: Path) -> FileLock:
        """Lock a database, or refuse at once.

        Raises:
            DatabaseInUse: it is held, by whom its ``pid`` says.
            DatabaseError: the lock file cannot be made.
        """
        path = database.with_name(database.name + "-lock")
        while True:
            try:
                file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                raise DatabaseError(
                    f"{database} cannot be locked: {error.strerror} ({path}); "
                    "the directory has to exist and to be writable"
                ) from error
            try:
                _lock(file)
            except OSError:
                pid = _holder(file)
                os.close(file)
                raise _in_use(database, pid) from None
            if _is_named(file, path):
                break
            os.close(file)
        os.lseek(file, 0, os.SEEK_SET)
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        return cls(file, path)

    def release(self) -> None:
        """Give the lock back; once is enough, twice does no harm."""
        if self._file < 0:
            return
        if sys.platform != "win32":
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
        self.forget()

    def forget(self) -> None:
        """Close the file and leave the lock to whoever else has it open: the parent of a forked process."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


_held: Final[weakref.WeakSet[FileLock]] = weakref.WeakSet()


def _forget_all() -> None:
    # A child that kept the file open would keep the database locked after the death of its parent.
    for lock in list(_held):
        lock.forget()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget_all)


def _is_named(file: int, path: Path) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(file)
    return (mine.st_dev, mine.st_ino) == (named.st_dev, named.st_ino)


def _holder(file: int) -> int | None:
    for _ in range(_NAMING_TRIES_MAX):
        os.lseek(file, 0, os.SEEK_SET)
        written = os.read(file, _PID_BYTES_MAX)
        if written.isdigit():
            return int(written)
        time.sleep(_NAMING_PAUSE_S)
    return None


def _in_use(database: Path, pid: int | None) -> DatabaseInUse:
    if pid == os.getpid():
        return DatabaseInUse(
            f"{database} is open in this process ({pid}) already; share that store, or close it first", pid
        )
    who = f"process {pid}" if pid is not None else "another process"
    return DatabaseInUse(
        f"{database} is held by {who}; stop it, connect to its server instead, or use another database", pid
    )
