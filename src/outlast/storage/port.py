"""The port: what the server asks of a store, and the values that pass.

Rule: a commit is a value, and its completion is a future. Units become durable in the order of the calls; each is
kept whole or not at all. Reads see what is durable, and everything whose future the reader has awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from outlast.storage.listing import BY_CLOSE_TIME, Filter, Indexed, Order, Page
from outlast.storage.rows import RunKey, VisibilityRow
from outlast.storage.statistics import Statistics

__all__ = ["Commit", "CurrentRow", "Record", "RunKey", "Setting", "Statistics", "Storage", "VisibilityRow"]


@dataclass(frozen=True, slots=True)
class CurrentRow:
    """Makes ``run_id`` the current run of its workflow id, if ``expected_run_id`` is now; None = there is none now."""

    run_id: str
    expected_run_id: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """What one transition of one run makes durable."""

    key: RunKey
    expected_version: int
    """The stored version; 0 = the run must not exist yet."""
    version: int
    """The version from now on, greater than the expected one."""
    snapshot: bytes
    wake_at: int | None
    """Earliest ns since the epoch at which the run wants attention; 0 = it has work right now; None = never."""
    first_event_id: int = 0
    """Id of the first event in ``events``, greater than every stored one; 0 when there are none."""
    events: bytes = b""
    """The new events, serialized; kept as one batch."""
    visibility: VisibilityRow | None = None
    """None = unchanged."""
    current: CurrentRow | None = None
    """None = the pointer is unchanged."""
    indexed: Indexed = ()
    """With ``visibility``: the search attributes that lists compare from now on."""

    def __post_init__(self) -> None:
        assert self.version > self.expected_version >= 0, f"{self.key}: a commit has to raise the version"
        assert bool(self.events) == (self.first_event_id > 0), f"{self.key}: events and first_event_id go together"


class Record(NamedTuple):
    """A run as stored."""

    version: int
    snapshot: bytes


class Setting(NamedTuple):
    """What an operator has set in a namespace."""

    namespace_id: str
    name: str
    data: bytes


class Storage(Protocol):
    """A store of runs, their histories, their rows in the lists, and namespaces.

    Every method belongs to the event loop's thread. Every method may raise StorageError, also where nothing is said.
    """

    @property
    def statistics(self) -> Statistics:
        """Counts since the store was opened."""

    def commit(self, unit: Sequence[Commit]) -> asyncio.Future[None]:
        """Keep a unit: all of it or nothing.

        Args:
            unit: checked and kept in this order, so a later commit may build on an earlier one. An empty unit is done
                when everything before it is.

        Returns:
            A future, done when the unit is durable. It raises Conflict, naming the run, if the stored version or the
            current run is not the expected one. Cancelling the future does not stop the commit.
        """

    async def load(self, key: RunKey) -> Record | None:
        """The run, None when there is none."""

    async def current(self, namespace_id: str, workflow_id: str) -> str | None:
        """The id of the current run of a workflow id, None when there is none."""

    async def read_events(self, key: RunKey, first_event_id: int, next_event_id: int) -> list[bytes]:
        """The batches that overlap the event ids from ``first_event_id`` up to but not ``next_event_id``, ascending.

        The ends of the first and the last batch may lie outside. What lies behind the last batch is not known here:
        a range beyond the end of the history is answered with that batch. Empty when there is no history.
        """

    async def due(
        self, after: int, until: int, limit: int, cursor: tuple[int, RunKey] | None = None
    ) -> list[tuple[int, RunKey]]:
        """The runs that want attention, as (wake_at, key) with after < wake_at <= until, at most ``limit``.

        They come by wake_at, then by run id, namespace id and workflow id.

        Args:
            cursor: the last entry of the page before; only what comes after it is answered. It need not exist any more.
        """

    async def delete(self, key: RunKey) -> None:
        """Remove a run, its history, its row in the lists, and the pointer if it names this run.

        Ordered with commits, and durable on return. Does nothing for a run that is not there.
        """

    async def list_executions(
        self,
        namespace_id: str,
        *,
        where: Filter | None = None,
        order: Order = BY_CLOSE_TIME,
        page_size: int = 1000,
        page_token: bytes = b"",
    ) -> Page:
        """One page of the runs that have a row in the lists.

        Args:
            where: None = all.
            order: by default open runs first, the latest start first, then closed ones, the latest close first. Ties
                go by run id, then by workflow id.
            page_size: at least 1.
            page_token: the page before's ``next_page_token``; empty for the first page.

        Raises:
            BadPageToken: the token is not one, or is of another order.
        """

    async def count_executions(self, namespace_id: str, where: Filter | None = None) -> int:
        """How many runs ``list_executions`` would find."""

    async def count_executions_by_status(self, namespace_id: str, where: Filter | None = None) -> dict[int, int]:
        """The same by status; only those that occur, ascending."""

    async def namespaces(self) -> list[bytes]:
        """The data of every namespace, by name."""

    async def put_namespace(self, namespace_id: str, name: str, data: bytes, expected: bytes | None) -> None:
        """Keep a namespace; durable on return.

        Args:
            expected: the stored data that this replaces; None = there must be none.

        Raises:
            Conflict: other data is stored under the id, or another id has the name.
        """

    async def delete_namespace(self, namespace_id: str) -> None:
        """Forget a namespace's name, data and settings; durable on return. Does nothing for one that is not there."""

    async def settings(self, kind: str) -> list[Setting]:
        """What operators have set, of one kind, by namespace id and name."""

    async def put_setting(self, kind: str, setting: Setting) -> None:
        """Keep a setting in place of the one with its namespace and name; empty data removes it. Durable on return."""

    async def close(self) -> None:
        """Wait for the commits that were handed over, then let go of everything. Later commits are StorageClosed."""

    def abandon(self) -> None:
        """Let go of everything at once, for a store whose event loop is gone. Unfinished commits are not kept."""
