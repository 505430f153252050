"""The cached runs: load -> fork -> decide -> commit -> notify.

A decision runs on a fork, and the fork takes the place of the original the moment its commit is handed to storage.
Later decisions build on it without waiting, because storage makes commits durable in the order in which they came: a
reply waits for its own commit and with it for all that it builds on. If a commit fails, the run is dropped from the
cache, and what was built on it fails with it.

Starting a workflow task is *volatile*: it changes the cached state and needs no commit of its own.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

from outlast.api.history.v1 import History, HistoryEvent
from outlast.engine.effects import Effect, OfferActivityTask
from outlast.engine.execution import due, retention, snapshot
from outlast.engine.execution.draft import Draft, Outcome
from outlast.engine.execution.state import ExecutionState
from outlast.engine.transition import Successor, Transition
from outlast.storage.port import Commit, CurrentRow, RunKey, Storage
from outlast.vocab import limits
from outlast.vocab.divisions import noun_of
from outlast.vocab.errors import NotFound

from . import queries, updates, visibility
from .clock import Clock
from .queries import PendingQuery
from .timers import Timers
from .updates import PendingUpdate
from .waiters import Waiters

CACHED_RUNS_MAX = 1000
_TAIL_EVENTS_MAX = 200


class Run:
    """One cached run: its newest state, the end of its history, and who waits for it."""

    __slots__ = (
        "commits",
        "dropped",
        "durable",
        "key",
        "queries",
        "replaces",
        "state",
        "tail",
        "tail_from",
        "updates",
        "version",
        "waiters",
    )

    def __init__(self, key: RunKey, state: ExecutionState, version: int) -> None:
        self.key = key
        self.state = state
        self.version = version
        self.tail: list[HistoryEvent] = []
        self.tail_from = state.next_event_id
        """The id of the first event in ``tail``; older ones are in storage."""
        self.commits = 0
        """Commits on their way to storage."""
        self.durable: asyncio.Future[None] | None = None
        """The latest commit."""
        self.waiters = Waiters()
        self.queries: dict[str, PendingQuery] = {}
        self.updates: dict[str, PendingUpdate] = {}
        """Updates by id that wait to be accepted."""
        self.dropped = False
        self.replaces: str | None = None
        """For a new run: the run that was the current one of its workflow id before."""

    @property
    def pinned(self) -> bool:
        """Whether the cache is the only place that knows something of this run."""
        task = self.state.task
        if self.commits or self.waiters or self.queries or self.updates:
            return True
        return task is not None and (task.started or task.speculative)

    async def settled(self) -> None:
        """Wait until all that was decided so far is durable."""
        if self.durable is not None and not self.durable.done():
            await self.durable


class Runs:
    """The cache of runs in front of storage."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        wall: Clock,
        timers: Timers,
        on_effects: Callable[[Run, Sequence[Effect]], None],
        retention_ns: Callable[[str], int | None],
    ) -> None:
        self._storage = storage
        self.clock = clock
        self.wall = wall
        self._timers = timers
        self._on_effects = on_effects
        self._retention_ns = retention_ns
        self._deleting: set[RunKey] = set()
        self._runs: OrderedDict[RunKey, Run] = OrderedDict()
        self._current: dict[tuple[str, str], str] = {}
        self.on_durable: Callable[[Run], None] = lambda run: None
        """Told of a run with queries, or that has closed or is gone, when something has happened to it."""
        self.on_lost: Callable[[Run, BaseException | None], None] = lambda run, error: None
        """Told of a run that was dropped because a commit failed, and of the failure."""
        self.on_large: Callable[[Run, int], None] = lambda run, state_bytes: None
        """Told of an open run whose kept state has passed its limit, and of the size."""
        self.on_change: Callable[[Run], None] | None = None
        """Told of every run whose cached state or whose way to storage has changed; None in production."""
        self.waiting = 0
        """Long polls that wait for a run."""
        self.on_wait: Callable[[], None] | None = None

    # -- finding -------------------------------------------------------------------------------------------------

    async def get(self, key: RunKey) -> Run:
        """The run with this key.

        Raises:
            NotFound: there is no such run.
        """
        run = self._runs.get(key)
        if run is not None:
            self._runs.move_to_end(key)
            return run
        record = await self._storage.load(key)
        if key in self._runs:
            return self._runs[key]
        if record is None or key in self._deleting:
            noun = noun_of(key.namespace_id)
            raise NotFound(f"{noun} {key.workflow_id!r} has no run {key.run_id}; it may have been deleted")
        run = Run(key, snapshot.decode(record.snapshot), record.version)
        self._keep(run)
        return run

    async def current_run_id(self, namespace_id: str, workflow_id: str) -> str | None:
        """The id of the latest run with this workflow id; None when there never was one."""
        cached = self._current.get((namespace_id, workflow_id))
        if cached is not None:
            return cached
        stored = await self._storage.current(namespace_id, workflow_id)
        if stored is not None and RunKey(namespace_id, workflow_id, stored) in self._deleting:
            stored = None
        return self._current.get((namespace_id, workflow_id), stored)

    async def find(self, namespace_id: str, workflow_id: str, run_id: str = "") -> Run:
        """The run that a request names; without a run id the latest.

        Raises:
            NotFound: there is no such workflow or run.
        """
        while True:
            found = run_id or await self.current_run_id(namespace_id, workflow_id)
            if found is None:
                noun = noun_of(namespace_id)
                raise NotFound(f"there is no {noun} {workflow_id!r} in this namespace; check the id and the namespace")
            run = await self.get(RunKey(namespace_id, workflow_id, found))
            if run_id or self._current.get((namespace_id, workflow_id), found) == found:
                return run  # else another run has begun while this one was read

    def holds(self, run: Run) -> bool:
        """Whether the cache still holds this very object, so that its state is the newest."""
        return self._runs.get(run.key) is run

    def cached_current(self, namespace_id: str, workflow_id: str) -> str | None:
        """The id of the latest run with this workflow id if the cache knows one."""
        return self._current.get((namespace_id, workflow_id))

    def _keep(self, run: Run) -> None:
        runs = self._runs
        runs[run.key] = run
        tries = 8
        while len(runs) > CACHED_RUNS_MAX and tries:
            tries -= 1
            key, oldest = runs.popitem(last=False)
            if oldest.pinned:
                runs[key] = oldest
            else:
                self._forget_current(key)

    def _forget_current(self, key: RunKey) -> None:
        if self._current.get(key[:2]) == key.run_id:
            del self._current[key[:2]]

    # -- changing ------------------------------------------------------------------------------------------------

    def draft(self, run: Run) -> Draft:
        """Fork the run's state for a decision at this instant."""
        return Draft(run.state, self.clock.now())

    def volatile(self, run: Run, draft: Draft) -> None:
        """Keep a draft that recorded nothing and promises nothing, without a commit."""
        assert not draft.events
        run.state = draft.state
        self.plan(run)
        if draft.effects:
            self._on_effects(run, draft.effects)
        if self.on_change is not None:
            self.on_change(run)

    def plan(self, run: Run) -> None:
        """Have the run looked at when it next wants attention."""
        self._timers.set(run.key, due.next_deadline(run.state), stored=not due.has_open_work(run.state))

    def commit(self, run: Run, draft: Draft, *, replaced: tuple[Run, Draft] | None = None) -> asyncio.Future[None]:
        """Keep a draft and hand it to storage, in one commit with the run that follows it.

        Args:
            replaced: the open run that a start terminates; it becomes durable in the same commit.

        Returns:
            A future that is done when the draft is durable. Whoever stops waiting for it does not stop the commit.
        """
        return self.commit_unit([replaced, (run, draft)] if replaced else [(run, draft)])

    def commit_unit(self, members: Sequence[tuple[Run, Draft]]) -> asyncio.Future[None]:
        """Keep the drafts of several runs and hand them to storage in one commit, as ``commit`` does with one."""
        changes: list[tuple[Run, Draft]] = []
        for run, draft in members:
            changes.append((run, draft))
            if draft.successor is not None:
                changes.append(self._follow(run, draft.successor, draft.now))
        for member, change in changes:
            if not change.state.running:
                keep_ns = self._retention_ns(member.key.namespace_id)
                if keep_ns is not None:
                    change.apply(retention.keep(change.state, keep_ns))
        outcomes = [(member, change.finish()) for member, change in changes]
        future = self._storage.commit([self._prepare(member, outcome) for member, outcome in outcomes])
        for member, outcome in outcomes:
            member.commits += 1
            member.durable = future
            if member.updates:
                updates.settle(member, continued=draft.successor is not None and member is run)
            early = [effect for effect in outcome.effects if not isinstance(effect, OfferActivityTask)]
            if early:
                self._on_effects(member, early)
            if self.on_change is not None:
                self.on_change(member)
        future.add_done_callback(lambda done: self._committed(done, outcomes))
        return future

    def _follow(self, run: Run, successor: Successor, now: int) -> tuple[Run, Draft]:
        """The run and the draft of the chain's next member."""
        key = run.key._replace(run_id=successor.run_id)
        follower = self.create(key, run.key.run_id)
        draft = Draft(follower.state, now)
        draft.apply(Transition((successor.started_event,), wakes=True))
        return follower, draft

    def create(self, key: RunKey, replaces: str | None) -> Run:
        """A run that does not exist yet; ``replaces`` is the run that was the current one of its workflow id."""
        run = Run(key, ExecutionState(*key), 0)
        run.replaces = replaces
        return run

    def _prepare(self, run: Run, outcome: Outcome) -> Commit:
        before = run.state
        state = run.state = outcome.state
        expected = run.version
        run.version += 1
        run.tail.extend(outcome.events)
        self._timers.set(run.key, outcome.deadline, stored=outcome.wake_at == outcome.deadline)
        current = None
        if expected == 0:
            current = CurrentRow(run.key.run_id, run.replaces)
            self._current[run.key[:2]] = run.key.run_id
            self._keep(run)
        kept = snapshot.encode(state)
        if len(kept) > limits.STATE_BYTES_MAX and state.running:
            self.on_large(run, len(kept))
        visible = visibility.changes(outcome.events) or visibility.differs(before, state)
        return Commit(
            key=run.key,
            expected_version=expected,
            version=run.version,
            snapshot=kept,
            wake_at=outcome.wake_at,
            first_event_id=outcome.first_event_id,
            events=outcome.batch,
            visibility=visibility.row(state) if visible else None,
            current=current,
            indexed=visibility.indexed(state) if visible and state.search_attributes else (),
        )

    def _committed(self, done: asyncio.Future[None], outcomes: list[tuple[Run, Outcome]]) -> None:
        lost = done.cancelled() or done.exception() is not None
        for run, outcome in outcomes:
            run.commits -= 1
            if lost:
                self._drop(run)
                self.on_lost(run, None if done.cancelled() else done.exception())
                continue
            late = [effect for effect in outcome.effects if isinstance(effect, OfferActivityTask)]
            if late:
                self._on_effects(run, late)
            if outcome.events:
                self._trim(run)
            if outcome.events or (run.waiters and run.state.standalone is not None):
                self._notify(run)
            elif run.queries:
                self.on_durable(run)
            if self.on_change is not None:
                self.on_change(run)

    async def delete(self, key: RunKey) -> None:
        """Remove a run, open or closed, with its history; who waits for it finds it gone. Durable on return."""
        run = self._runs.get(key)
        if run is not None:
            self._drop(run)
        self._timers.set(key, None)
        self._deleting.add(key)
        try:
            # Handed over here and now: a start that finds no run commits after it.
            await self._storage.delete(key)
        finally:
            self._deleting.discard(key)
        self._forget_current(key)

    def _drop(self, run: Run) -> None:
        """What the cache holds of this run is not true any more: a commit failed, or the run is deleted."""
        run.dropped = True
        updates.lose(run)
        queries.lose(run)
        if self._runs.get(run.key) is run:
            del self._runs[run.key]
            self._forget_current(run.key)
            self._timers.set(run.key, None)
        self._notify(run)
        if self.on_change is not None:
            self.on_change(run)

    async def delete_if_over(self, run: Run) -> bool:
        """Delete the run if its time is over. Answers whether it is on its way out or gone."""
        key = run.key
        if not retention.deletable(run.state, self.clock.now()):
            return False
        if run.durable is not None:
            await run.durable  # the end of the run has to be true before the run may go
        if key in self._deleting or run.dropped:
            return True
        await self.delete(key)
        return True

    def _notify(self, run: Run, *, everybody: bool = False) -> None:
        run.waiters.wake(closed=everybody or run.dropped or not run.state.running)
        if run.queries or not run.state.running:
            self.on_durable(run)

    # -- history -------------------------------------------------------------------------------------------------

    def _trim(self, run: Run) -> None:
        """Leave the old part of a long tail to storage; of a closed run all but the event that tells the result."""
        state = run.state
        if run.commits or (state.running and len(run.tail) <= _TAIL_EVENTS_MAX):
            return
        keep_from = state.next_event_id - 1
        if state.running:
            keep_from = max(state.previous_started_event_id, state.next_event_id - _TAIL_EVENTS_MAX // 2)
        cut = keep_from - run.tail_from
        if cut > 0:
            del run.tail[:cut]
            run.tail_from += cut

    async def events(self, run: Run, first: int, end: int) -> list[HistoryEvent]:
        """The events with ids from ``first`` up to but not ``end``, ascending; they are shared, not copies."""
        end = min(end, run.state.next_event_id)
        tail_from = run.tail_from
        tail = run.tail[max(first - tail_from, 0) : max(end - tail_from, 0)]
        if first >= tail_from:
            return tail
        batches = await self._storage.read_events(run.key, first, min(end, tail_from))
        stored = [
            event
            for batch in batches
            for event in History.FromString(batch).events
            if first <= event.event_id < min(end, tail_from)
        ]
        return stored + tail

    async def event(self, run: Run, event_id: int) -> HistoryEvent:
        """One event of the run's history."""
        events = await self.events(run, event_id, event_id + 1)
        assert len(events) == 1, f"event {event_id} of {run.key} is missing: this is a bug in outlast"
        return events[0]

    async def changed(self, run: Run, until: int, *, to_closed: bool = False) -> bool:
        """Wait for new durable events until an instant. Answers whether something happened.

        Args:
            to_closed: only an event that closes the run counts.
        """
        waiter = run.waiters.join(to_closed=to_closed)
        alarm = self.wall.call_at(until, lambda: _give_up(waiter))
        self.waiting += 1
        if self.on_wait is not None:
            self.on_wait()
        try:
            await asyncio.wait((waiter,))
            return not waiter.cancelled()
        finally:
            self.waiting -= 1
            alarm.cancel()
            run.waiters.leave(waiter)

    def all(self) -> list[Run]:
        """Every cached run."""
        return list(self._runs.values())

    def release(self) -> None:
        """Wake everybody who waits for a run."""
        for run in self.all():
            updates.lose(run)
            queries.lose(run)
            self._notify(run, everybody=True)


def _give_up(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.cancel()
