"""The cached schedules of a node: load -> fork -> decide -> commit, and their deadlines.

A schedule is kept as one row of its namespace's division: the snapshot of its state, ``wake_at`` and its row in the
lists. Changes of one schedule come one after the other; each begins with what is due by now. What has been decided and
is not done (``engine.schedule.due.outstanding``) is carried out by ``schedule_work`` and follows from the state, so a
node that opens goes on with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from outlast.api.common.v1 import SearchAttributes
from outlast.engine.schedule import action, advance, due, snapshot
from outlast.engine.schedule.draft import Draft
from outlast.engine.schedule.state import Running, ScheduleState
from outlast.storage.errors import StorageClosed, StorageError
from outlast.storage.port import Commit, CurrentRow, RunKey
from outlast.vocab.divisions import SCHEDULES, division, namespace_of
from outlast.vocab.errors import NotFound

from . import schedule_list
from .clock import Clock, reaches
from .runs import Run
from .schedule_work import Work
from .timers import Timers

if TYPE_CHECKING:
    from .node import Node

logger = logging.getLogger("outlast.server")

_CACHED_MAX = 1000
_PATIENCE_NS = 1_000_000_000
"""Before a schedule is taken up again from a store that could not keep its last change."""


class Entry:
    """One cached schedule."""

    __slots__ = ("changing", "dropped", "key", "state", "version", "working")

    def __init__(self, key: RunKey, state: ScheduleState, version: int) -> None:
        self.key = key
        self.state = state
        self.version = version
        self.changing = asyncio.Lock()
        self.dropped = False
        """Whether it is not true any more: a commit has failed, or the schedule is deleted."""
        self.working = False
        """Whether somebody carries out what is outstanding."""


class Schedules:
    """The cache of schedules in front of storage.

    Args:
        clock: the node's; one that jumps does not do so for schedules alone.
    """

    __slots__ = ("_awaited", "_deleting", "_entries", "_node", "_work", "timers")

    def __init__(self, node: Node, clock: Clock) -> None:
        self._node = node
        self._entries: dict[tuple[str, str], Entry] = {}
        self._deleting: set[RunKey] = set()
        self._awaited: dict[tuple[str, str], str] = {}
        """Namespace id and workflow id of what schedules have started and wait for -> schedule id."""
        self._work = Work(node, self)
        self.timers = Timers(clock, self.on_due)

    # -- finding -------------------------------------------------------------------------------------------------

    async def find(self, namespace_id: str, schedule_id: str) -> Entry:
        """The schedule with this id.

        Raises:
            NotFound: there is none.
        """
        name = (division(namespace_id, SCHEDULES), schedule_id)
        entry = self._entries.get(name)
        if entry is not None:
            return entry
        run_id = await self._node.storage.current(*name)
        record = await self._node.storage.load(RunKey(*name, run_id)) if run_id is not None else None
        entry = self._entries.get(name)
        if entry is not None:
            return entry
        if run_id is None or record is None or RunKey(*name, run_id) in self._deleting:
            raise NotFound(
                f"there is no schedule {schedule_id!r} in this namespace; check the id and the namespace. A schedule "
                "that will never act again is forgotten after a week"
            )
        state = snapshot.decode(record.snapshot)
        self._await((), state)
        return self._keep(Entry(RunKey(*name, run_id), state, record.version))

    def _keep(self, entry: Entry) -> Entry:
        if len(self._entries) >= _CACHED_MAX:
            for name, oldest in list(self._entries.items())[: _CACHED_MAX // 10]:
                if not oldest.working and not oldest.changing.locked():
                    del self._entries[name]
        self._entries[entry.key[:2]] = entry
        return entry

    # -- changing ------------------------------------------------------------------------------------------------

    async def create(self, namespace_id: str, schedule_id: str, decide: Callable[[Draft], None]) -> Entry:
        """A new schedule, durable on return; the id must be free."""
        key = RunKey(division(namespace_id, SCHEDULES), schedule_id, str(uuid.uuid4()))
        entry = Entry(key, ScheduleState(namespace_id, schedule_id, key.run_id), 0)
        draft = Draft(entry.state, self._node.clock.now())
        decide(draft)
        advance.advance(draft)
        self._keep(entry)  # at once, so that nobody else takes the id
        async with entry.changing:
            await self._commit(entry, draft)
        self._go_on(entry)
        return entry

    async def change(self, entry: Entry, decide: Callable[[Draft], None]) -> Entry:
        """Let a decision change a schedule, after all that is due; durable on return.

        Returns:
            The schedule as it is cached now.

        Raises:
            NotFound: it is gone.
        """
        while True:
            entry = await self._newest(entry)
            async with entry.changing:
                if entry.dropped:
                    continue
                draft = await self._caught_up(entry)
                decide(draft)
                advance.advance(draft)
                if draft.changed:
                    await self._commit(entry, draft)
            self._go_on(entry)
            return entry

    async def _newest(self, entry: Entry) -> Entry:
        """The entry that the cache holds of this schedule: it may have been let go of, or reloaded."""
        if not entry.dropped:
            return self._entries.setdefault(entry.key[:2], entry)
        found = await self.find(namespace_of(entry.key.namespace_id), entry.key.workflow_id)
        if found.key != entry.key:
            raise NotFound(f"schedule {entry.key.workflow_id!r} has been deleted; there is another one by now")
        return found

    async def _caught_up(self, entry: Entry) -> Draft:
        """A draft in which everything is done that is due."""
        while True:
            now = self._node.clock.now()
            if 0 < due.expires_at(entry.state) <= now:
                await self._delete(entry)
                raise NotFound(f"schedule {entry.key.workflow_id!r} is gone: its last action was too long ago")
            draft = Draft(entry.state, now)
            advance.advance(draft)
            at = due.next_at(draft.state)
            if at is None or at > now:
                return draft
            await self._commit(entry, draft)

    def _commit(self, entry: Entry, draft: Draft) -> asyncio.Future[None]:
        """Keep a draft and hand it to storage. Whoever stops waiting for it does not stop the commit."""
        self._await(entry.state.running, draft.state)
        state = entry.state = draft.state
        expected, entry.version = entry.version, entry.version + 1
        future = self._node.storage.commit(
            [
                Commit(
                    key=entry.key,
                    expected_version=expected,
                    version=entry.version,
                    snapshot=snapshot.encode(state),
                    wake_at=due.wake_at(state),
                    visibility=schedule_list.row(state),
                    current=None if expected else CurrentRow(entry.key.run_id, None),
                    indexed=schedule_list.indexed(state),
                )
            ]
        )
        future.add_done_callback(lambda done: self._committed(done, entry))
        return future

    def _await(self, before: Sequence[Running], state: ScheduleState) -> None:
        """Know whose end the schedule waits for. At the start of a node all that wait are loaded."""
        for running in before:
            if running not in state.running:
                self._awaited.pop((state.namespace_id, running.workflow_id), None)
        for running in state.running:
            self._awaited[state.namespace_id, running.workflow_id] = state.schedule_id

    def _committed(self, done: asyncio.Future[None], entry: Entry) -> None:
        error = None if done.cancelled() else done.exception()
        if error is None and not done.cancelled():
            return
        self._drop(entry)
        if not self._node.closing and not isinstance(error, StorageClosed):
            work = asyncio.get_running_loop().create_task(self._take_up_again(entry.key))
            self._node.spawn(f"reloading of schedule {entry.key.workflow_id!r}", work)

    async def _take_up_again(self, key: RunKey) -> None:
        wall = self._node.wall
        await reaches(wall, wall.now() + _PATIENCE_NS)
        await self._advance(key)

    def _drop(self, entry: Entry) -> None:
        entry.dropped = True
        if self._entries.get(entry.key[:2]) is entry:
            del self._entries[entry.key[:2]]
        self.timers.set(entry.key, None)

    async def delete(self, entry: Entry) -> None:
        """Remove a schedule; the workflows that it has started go on. Durable on return."""
        while True:
            entry = await self._newest(entry)
            async with entry.changing:
                if not entry.dropped:
                    return await self._delete(entry)

    async def _delete(self, entry: Entry) -> None:
        self._drop(entry)
        self._deleting.add(entry.key)
        try:
            # Handed over here and now: who finds no schedule of this id creates one after it.
            await self._node.storage.delete(entry.key)
        finally:
            self._deleting.discard(entry.key)

    def forget_namespace(self, namespace_id: str) -> None:
        """The namespace is being deleted: none of its schedules acts any more. Storage is the caller's business."""
        for (division_id, _), entry in list(self._entries.items()):
            if division_id == division(namespace_id, SCHEDULES):
                self._drop(entry)

    # -- time and work -------------------------------------------------------------------------------------------

    def _go_on(self, entry: Entry) -> None:
        """See to it that what is outstanding is done, and that the schedule is looked at when something is due."""
        if entry.dropped:
            return
        stored = due.wake_at(entry.state)
        at = due.next_at(entry.state)
        self.timers.set(entry.key, at, stored=stored == at)
        if not entry.working and due.outstanding(entry.state) and not self._node.closing:
            entry.working = True
            work = asyncio.get_running_loop().create_task(self._work.do(entry))
            self._node.spawn(f"actions of schedule {entry.key.workflow_id!r}", work)

    def on_due(self, key: RunKey) -> None:
        """Do what is due, and what a former node has left."""
        work = asyncio.get_running_loop().create_task(self._advance(key))
        self._node.spawn(f"deadline of schedule {key.workflow_id!r}", work)

    async def _advance(self, key: RunKey) -> None:
        namespace_id = namespace_of(key.namespace_id)
        while not self._node.closing:
            try:
                entry = await self.find(namespace_id, key.workflow_id)
                for running in entry.state.running:
                    await self._work.look(entry, running.workflow_id, running.run_id)
                await self.change(entry, lambda draft: None)
            except NotFound:
                return
            except StorageClosed:
                return
            except StorageError:
                logger.exception("schedule %r cannot go on yet", key.workflow_id)
                await reaches(self._node.wall, self._node.wall.now() + _PATIENCE_NS)
                continue
            return

    def on_closed(self, run: Run) -> None:
        """A run has closed: if a schedule has started its chain, tell it."""
        schedule_id = self._awaited.get(run.key[:2]) or _started_by(run)
        if not schedule_id:
            return
        work = asyncio.get_running_loop().create_task(self._learn(run, schedule_id))
        self._node.spawn(f"outcome for schedule {schedule_id!r}", work)

    async def _learn(self, run: Run, schedule_id: str) -> None:
        try:
            entry = await self.find(run.key.namespace_id, schedule_id)
            await self._work.look(entry, run.key.workflow_id, run.state.first_run_id)
        except (NotFound, StorageClosed):
            return  # deleted in the meantime, or the next node finds out
        except StorageError as error:  # the schedule is reloaded, and looks for itself
            logger.warning("schedule %r does not know yet that a workflow has closed: %s", schedule_id, error)


def _started_by(run: Run) -> str:
    """The schedule that has started a run's chain without waiting for it, by what the run is found by; may be empty."""
    attributes = run.state.search_attributes
    if action.STARTED_BY.encode() not in attributes:
        return ""
    try:
        return str(json.loads(SearchAttributes.FromString(attributes).indexed_fields[action.STARTED_BY].data))
    except ValueError:  # the workflow has set it to something else
        return ""
