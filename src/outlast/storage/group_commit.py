"""Many units, one fsync: the queue between those who commit and the disk.

    submit -> queue --[next loop iteration]--> applied, in one open transaction --[writer thread]--> COMMIT -> settled
                ^                                                                                             |
                +---- what arrives meanwhile waits here, and begins as soon as the disk is free  <------------+

Rule: statements run on the event loop's thread, where they cost microseconds; only COMMIT, which waits for the disk,
runs in the writer thread. (A thread that executed the statements too would lose up to 5 ms to the interpreter lock at
each of them.) A unit that is refused fails alone; a transaction that fails takes all of its units with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final, Protocol

from outlast.storage.errors import Conflict, StorageBusy, StorageClosed, StorageError
from outlast.storage.port import Statistics

UNITS_MAX: Final = 256
"""Units in one transaction: about 3 ms of statements."""
BYTES_MAX: Final = 4 * 2**20
"""Bytes in one transaction, rounded up to a unit; also keeps a transaction in the page cache."""
QUEUED_MAX: Final = 65_536
"""Units that may wait. At 10,000 a second these are seconds of delay: more would only be later."""


class Transactions(Protocol):
    """What is committed to. All but ``commit`` are called on the event loop's thread, and never during a ``commit``."""

    def begin(self) -> None:
        """Open a transaction."""

    def commit(self) -> None:
        """Make it durable; called in the writer thread, if there is one."""

    def rollback(self) -> None:
        """Undo the open transaction, and forget what was known of it; does nothing when there is none."""

    def fault(self, error: Exception) -> Exception:
        """The error as the caller of a unit is to see it."""

    def spares_others(self, error: Exception) -> bool:
        """Whether an error in a unit leaves the other units of the transaction sound."""


@dataclass(slots=True, eq=False)
class _Unit:
    apply: Callable[[], None]
    size: int
    future: asyncio.Future[None]


_Job = tuple[Callable[[], None], Callable[[Exception | None], None], asyncio.AbstractEventLoop]


class GroupCommit:
    """The queue in front of one ``Transactions``."""

    def __init__(self, transactions: Transactions, statistics: Statistics, name: str, *, threaded: bool) -> None:
        """Start the writer thread, or without one commit where the statements run: for databases without a disk."""
        self._transactions = transactions
        self._statistics = statistics
        self._name = name
        self._queue: deque[_Unit] = deque()
        self._in_flight: list[_Unit] = []
        self._refused: dict[_Unit, Exception] = {}
        self._planned = False
        self._begun = 0.0
        self._refusal: StorageError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        if threaded:
            self._thread = threading.Thread(target=_work, args=(self._jobs,), name=f"outlast {name}", daemon=True)
            self._thread.start()

    # -- taking in -----------------------------------------------------------------------------------------------

    def submit(self, apply: Callable[[], None], size: int) -> asyncio.Future[None]:
        """Queue a unit.

        Args:
            apply: executes its statements; raises Conflict before the first of them.
            size: bytes that it writes, about.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            assert not self._queue and not self._in_flight, f"{self._name} is in use in another event loop"
            self._loop = loop
            self._planned = False
        unit = _Unit(apply, size, loop.create_future())
        if self._refusal is not None:
            unit.future.set_exception(self._refusal)
        elif len(self._queue) >= QUEUED_MAX:
            unit.future.set_exception(
                StorageBusy(f"{self._name}: {QUEUED_MAX} commits wait for the disk; try again later")
            )
        else:
            self._queue.append(unit)
            if not self._planned and not self._in_flight:
                # Not at once: who commits in this iteration of the loop shares the transaction.
                self._planned = True
                loop.call_soon(self._start)
        return unit.future

    def _take(self) -> list[_Unit]:
        queue, size = self._queue, 0
        units: list[_Unit] = []
        while queue and len(units) < UNITS_MAX and size < BYTES_MAX:
            unit = queue.popleft()
            size += unit.size
            units.append(unit)
        return units

    # -- one transaction -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._planned = False
        while self._queue and not self._in_flight:
            units = self._take()
            self._begun = time.perf_counter()
            try:
                refused = self._apply(units)
            except BaseException as error:
                # Ctrl-C may strike anywhere on this thread: a half-written transaction must not be found later.
                self._transactions.rollback()
                self._settle(units, {}, StorageError(f"{self._name}: the commit was interrupted ({error!r})"))
                raise
            if len(refused) == len(units):
                self._transactions.rollback()
                self._settle(units, refused, None)
                continue
            self._in_flight, self._refused = units, refused
            if self._thread is None:
                self._committed(_outcome(self._transactions.commit))
            else:
                assert self._loop is not None
                self._jobs.put((self._transactions.commit, self._on_committed, self._loop))

    def _apply(self, units: list[_Unit]) -> dict[_Unit, Exception]:
        """Execute the units in a new transaction; answers those that have no part in it, and why."""
        broken: dict[_Unit, Exception] = {}
        while True:
            refused = dict(broken)
            current: _Unit | None = None
            try:
                self._transactions.begin()
                for unit in units:
                    if unit not in broken:
                        current = unit
                        try:
                            unit.apply()
                        except Conflict as error:
                            refused[unit] = error
                return refused
            except Exception as error:
                self._transactions.rollback()
                fault = self._transactions.fault(error)
                if current is None or not self._transactions.spares_others(error):
                    return dict.fromkeys(units, fault)
                # The unit may have left some of its statements behind: begin again without it.
                broken[current] = fault

    def _on_committed(self, error: Exception | None) -> None:
        self._committed(error)
        self._start()

    def _committed(self, error: Exception | None) -> None:
        units, self._in_flight = self._in_flight, []
        fault = None
        if error is not None:
            self._transactions.rollback()
            fault = self._transactions.fault(error)
        else:
            self._statistics.committed(len(units) - len(self._refused), time.perf_counter() - self._begun)
        self._settle(units, self._refused, fault)

    def _settle(self, units: list[_Unit], refused: dict[_Unit, Exception], fault: Exception | None) -> None:
        for unit in units:
            if unit.future.done():
                continue  # its caller has gone
            error = fault or refused.get(unit)
            if error is None:
                unit.future.set_result(None)
            else:
                unit.future.set_exception(error)

    # -- the end -------------------------------------------------------------------------------------------------

    async def finish(self, refusal: StorageError, last: Callable[[], None]) -> None:
        """Commit what is queued, run ``last`` in the writer thread, and end the thread.

        Args:
            refusal: answers every unit that comes later.
        """
        if self._queue or self._in_flight:
            barrier: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.append(_Unit(lambda: None, 0, barrier))
            self._refusal = refusal
            with contextlib.suppress(StorageError):
                await barrier
        self._refusal = refusal
        if self._thread is None:
            last()
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Exception | None] = loop.create_future()
        self._jobs.put((last, done.set_result, loop))
        error = await done
        self.stop()
        if error is not None:
            raise self._transactions.fault(error)

    def stop(self) -> None:
        """End the thread after the commit that it is at. What is queued stays unanswered: its event loop is gone."""
        self._refusal = self._refusal or StorageClosed(f"{self._name} is closed; open it again")
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
        self._queue.clear()
        self._in_flight = []


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        run, done, loop = job
        error = _outcome(run)
        try:
            loop.call_soon_threadsafe(done, error)
        except RuntimeError:
            assert loop.is_closed()  # nobody waits any more


def _outcome(run: Callable[[], None]) -> Exception | None:
    try:
        run()
    except Exception as error:
        return error
    return None
