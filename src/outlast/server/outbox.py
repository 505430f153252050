"""What runs ask of other runs, done after the fact: children started and closed, signals, cancel requests, reports.

The state is the record: a lane looks up what its run still asks for (``due.owed``), does a batch of it, and commits
what it did to the others together with the note that it is done. So nothing is done twice, and what a crash interrupts
is found again in the state. A lane works in the order of asking; a restart, or a lost race, begins with a new look.

One lane a run: for what it asks for itself, and for the ends of its children, whose events land in its history. A run
whose workflow task is out buffers what arrives; before the buffer is full the lane waits for the task to end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from outlast.api.history.v1 import HistoryEvent
from outlast.engine.effects import (
    CloseChild,
    ReportToParent,
    Request,
    RequestCancelExternal,
    SignalExternal,
    StartChild,
)
from outlast.engine.execution import advance, child_workflow, delivery, due, external_workflow
from outlast.engine.execution import start as starting
from outlast.engine.execution.draft import Draft
from outlast.engine.execution.state import ExecutionState
from outlast.storage.errors import Conflict, StorageClosed, StorageError
from outlast.storage.port import RunKey
from outlast.vocab import limits
from outlast.vocab.attributes import event_attributes
from outlast.vocab.errors import NotFound, WorkflowExecutionAlreadyStarted
from outlast.vocab.times import SECOND_NS

from .clock import reaches
from .namespaces import Namespaces
from .runs import Run, Runs

logger = logging.getLogger("outlast.server")

_LANES_AT_ONCE = 16
"""Lanes at work at the same time: each may have a batch of runs loaded."""
_BATCH = 50
"""Requests and reports done in one commit."""
_BUFFER_ROOM = limits.BUFFERED_EVENTS_MAX // 2
"""Events that a lane puts into the buffer of a run; the rest is room for signals and activities."""
_IDLE_ROUNDS_MAX = 10
"""Rounds that come to nothing, because a look-up was overtaken, before the lane pauses."""
_PATIENCE_NS = 10 * SECOND_NS
"""How long a lane waits for a full buffer or a store in trouble before it looks again."""


class _Lane:
    """What is to be looked at for one run."""

    __slots__ = ("asks", "reports")

    def __init__(self) -> None:
        self.asks = False
        """The run itself may ask for something."""
        self.reports: dict[RunKey, None] = {}
        """Closed children that have to report to the run."""


class _Unit:
    """The drafts of one commit, one for each run."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._drafts: dict[RunKey, tuple[Run, Draft]] = {}
        self.started: set[str] = set()
        """Ids of the workflows that this unit starts."""

    def draft(self, run: Run) -> Draft:
        """The run's draft in this unit."""
        found = self._drafts.get(run.key)
        if found is None:
            found = self._drafts[run.key] = (run, self._runs.draft(run))
        return found[1]

    def members(self) -> list[tuple[Run, Draft]]:
        """The drafts that change something, each kept within its limits, in the order of their making."""
        for _, draft in self._drafts.values():
            if draft.changed:
                advance.settle(draft)
        return [(run, draft) for run, draft in self._drafts.values() if draft.changed]


class _Asked(NamedTuple):
    """A request with what was looked up for it: its initiated event and the run that it is about."""

    request: Request
    initiated: HistoryEvent | None
    target: _Target


class _Target(NamedTuple):
    """The run that a request is about, None when there is none; ``latest`` says that it names no run."""

    run: Run | None
    latest: bool


class Outbox:
    """Every lane of a node."""

    def __init__(self, runs: Runs, namespaces: Namespaces, spawn: Callable[[str, asyncio.Task[None]], None]) -> None:
        self._runs = runs
        self._namespaces = namespaces
        self._spawn = spawn
        self._lanes: dict[RunKey, _Lane] = {}
        self._slots = asyncio.Semaphore(_LANES_AT_ONCE)
        self._open = False

    def open(self) -> None:
        """Begin to work."""
        self._open = True
        for key in self._lanes:
            self._begin(key)

    def close(self) -> None:
        """Take nothing new; what is left undone is in the states."""
        self._open = False

    def post(self, run: Run, requests: Iterable[Request]) -> None:
        """The run has asked for something."""
        for request in requests:
            if isinstance(request, ReportToParent):
                state = run.state
                parent = RunKey(run.key.namespace_id, state.parent_workflow_id, state.parent_run_id)
                self._lane(parent).reports[run.key] = None
            else:
                self._lane(run.key).asks = True

    def _lane(self, key: RunKey) -> _Lane:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
            if self._open:
                self._begin(key)
        return lane

    def _begin(self, key: RunKey) -> None:
        work = asyncio.get_running_loop().create_task(self._work(key, self._lanes[key]))
        self._spawn(f"outbox of workflow {key.workflow_id!r} run {key.run_id}", work)

    async def _work(self, key: RunKey, lane: _Lane) -> None:
        batch, idle = _BATCH, 0
        try:
            while self._open and (lane.asks or lane.reports):
                try:
                    async with self._slots:
                        done, full = await self._round(key, lane, batch)
                    batch = _BATCH
                except Conflict:
                    # Somebody else was first, in one of many runs: look again, one by one, once the cache has dropped
                    # what it believed (it learns of the commit's end in the same turn of the loop).
                    batch = 1
                    await asyncio.sleep(0)
                    continue
                except StorageClosed:
                    return
                except StorageError:
                    logger.exception("outbox of workflow %r run %s has to wait", key.workflow_id, key.run_id)
                    await reaches(self._runs.wall, self._runs.wall.now() + _PATIENCE_NS)
                    continue
                idle = 0 if done else idle + 1
                if full is not None:
                    await self._runs.changed(full, self._runs.wall.now() + _PATIENCE_NS)
                elif idle > _IDLE_ROUNDS_MAX and (lane.asks or lane.reports):
                    logger.error("outbox of workflow %r run %s makes no progress", key.workflow_id, key.run_id)
                    await reaches(self._runs.wall, self._runs.wall.now() + _PATIENCE_NS)
        finally:
            del self._lanes[key]

    async def _round(self, key: RunKey, lane: _Lane, batch: int) -> tuple[bool, Run | None]:
        """Do one batch. Answers whether it came to anything, and the lane's run if that has no room for more events."""
        run = await self._found(self._runs.get(key))
        parent = await self._heir(run)
        for member in (run, parent):
            if member is not None and not _room(member.state, batch):
                return False, member
        room = min((_room(member.state, batch) for member in (run, parent) if member is not None), default=batch)
        asked: list[_Asked] = []
        if run is not None and lane.asks:
            asked = await self._look_up(run, due.owed(run.state)[:room])
        reporting = list(lane.reports)[: room - len(asked)]
        endings = await asyncio.gather(*(self._ending(child) for child in reporting))
        # From here to the commit nothing waits, so that what is looked up is what is decided on.
        unit = _Unit(self._runs)
        if run is not None and asked:
            self._do(unit, run, asked)
        for child, ending in endings if parent is None or self._runs.holds(parent) else ():
            if child is not None and self._runs.holds(child) and child.state.owes_report:
                if parent is not None and parent.state.running:
                    draft = unit.draft(parent)
                    draft.apply(child_workflow.record_end(draft.state, ending, draft.now))
                unit.draft(child).apply(child_workflow.reported())
        members = unit.members()
        if members:
            await self._runs.commit_unit(members)
        for (child, _), child_key in zip(endings, reporting, strict=True):
            if child is None or not child.state.owes_report:
                del lane.reports[child_key]
        lane.asks = run is not None and any(not isinstance(left, ReportToParent) for left in due.owed(run.state))
        return bool(members), None

    # -- looking up ----------------------------------------------------------------------------------------------------

    async def _heir(self, run: Run | None) -> Run | None:
        """The run itself, or where it was reset the run that goes on for it."""
        while run is not None and not run.state.running and run.state.reset_run_id:
            run = await self._found(self._runs.get(run.key._replace(run_id=run.state.reset_run_id)))
        return run

    async def _found(self, search: Awaitable[Run]) -> Run | None:
        try:
            return await search
        except NotFound:
            return None

    async def _look_up(self, run: Run, requests: Sequence[Request]) -> list[_Asked]:
        wanted = [request for request in requests if not isinstance(request, ReportToParent)]
        initiated: dict[int, HistoryEvent] = {}
        ids = [request.initiated_event_id for request in wanted if not isinstance(request, CloseChild)]
        if ids:
            events = await self._runs.events(run, min(ids), max(ids) + 1)
            initiated = {event.event_id: event for event in events}
        targets = await asyncio.gather(*(self._target(run.state, request) for request in wanted))
        return [
            _Asked(request, initiated.get(request.initiated_event_id), target)
            for request, target in zip(wanted, targets, strict=True)
        ]

    async def _target(self, state: ExecutionState, request: Request) -> _Target:
        namespace_id, workflow_id, run_id, child_only = state.namespace_id, _target_id(state, request), "", False
        if isinstance(request, SignalExternal | RequestCancelExternal):
            pending = (state.external_signals | state.external_cancels).get(request.initiated_event_id)
            if pending is not None:
                run_id, child_only = pending.run_id, pending.child_only
        target = await self._found(self._runs.find(namespace_id, workflow_id, run_id))
        if target is not None and child_only and not target.state.running:
            # The parent knows its child by the first run of the chain.
            latest = await self._found(self._runs.find(namespace_id, workflow_id))
            if latest is not None and latest.state.first_run_id == target.state.first_run_id:
                return _Target(latest, True)
        return _Target(target, not run_id)

    async def _ending(self, key: RunKey) -> tuple[Run | None, child_workflow.Ending]:
        """A closed child and how it ended."""
        run = await self._found(self._runs.get(key))
        if run is None or not run.state.owes_report:
            return None, child_workflow.Ending("", "", HistoryEvent(), 0)
        closing = await self._runs.event(run, run.state.close_event_id)
        return run, child_workflow.Ending(key.workflow_id, key.run_id, closing, run.state.parent_initiated_event_id)

    # -- deciding ------------------------------------------------------------------------------------------------------

    def _do(self, unit: _Unit, run: Run, asked: Sequence[_Asked]) -> None:
        """Decide on the requests in their order, as far as what was looked up for them still holds."""
        if not self._runs.holds(run):
            return
        owed = set(due.owed(run.state))
        for request, initiated, found in asked:
            if request not in owed:
                continue
            workflow_id, target = _target_id(run.state, request), found.run
            if workflow_id in unit.started or not self._still(run, workflow_id, found):
                return
            if isinstance(request, CloseChild):
                self._close_child(unit, run, request, target)
                continue
            assert initiated is not None, f"{request} of {run.key} has no event: this is a bug in outlast"
            if isinstance(request, StartChild):
                self._start_child(unit, run, initiated, target)
            else:
                self._deliver(unit, run, initiated, target)

    def _still(self, run: Run, workflow_id: str, found: _Target) -> bool:
        """Whether the target is still what a look-up would find."""
        if found.run is not None and not self._runs.holds(found.run):
            return False
        if not found.latest:
            return True
        current = self._runs.cached_current(run.key.namespace_id, workflow_id)
        return current is None or (found.run is not None and found.run.key.run_id == current)

    def _start_child(self, unit: _Unit, run: Run, initiated: HistoryEvent, current: Run | None) -> None:
        parent = unit.draft(run)
        attributes = initiated.start_child_workflow_execution_initiated_event_attributes
        if not self._known(attributes.namespace):
            parent.apply(
                child_workflow.refuse_start(parent.state, initiated, child_workflow.NAMESPACE_NOT_FOUND, parent.now)
            )
            return
        request = child_workflow.start_request(parent.state, initiated)
        try:
            if current is run:
                raise WorkflowExecutionAlreadyStarted("a workflow cannot be its own child")
            way = starting.route(current.state if current is not None else None, request)
        except WorkflowExecutionAlreadyStarted:
            parent.apply(
                child_workflow.refuse_start(parent.state, initiated, child_workflow.ALREADY_EXISTS, parent.now)
            )
            return
        run_id = child_workflow.run_id(parent.state, initiated.event_id)
        if way in (starting.Way.NEW, starting.Way.REPLACE):
            if way is starting.Way.REPLACE:
                assert current is not None
                advance.supersede(unit.draft(current), run_id)
            key = RunKey(run.key.namespace_id, attributes.workflow_id, run_id)
            child = self._runs.create(key, current.key.run_id if current is not None else None)
            unit.draft(child).apply(child_workflow.begin(parent.state, initiated, parent.now))
            unit.started.add(key.workflow_id)
        else:
            assert current is not None
            run_id = current.key.run_id
        parent.apply(child_workflow.record_start(parent.state, initiated, run_id, parent.now))

    def _deliver(self, unit: _Unit, run: Run, initiated: HistoryEvent, target: Run | None) -> None:
        sender = unit.draft(run)
        attributes: Any = event_attributes(initiated)
        try:
            if not self._known(attributes.namespace):
                raise delivery.Undeliverable(delivery.NAMESPACE_NOT_FOUND)
            if target is None:
                raise delivery.Undeliverable(delivery.NOT_FOUND)
            draft = unit.draft(target)
            draft.apply(delivery.deliver(sender.state, initiated, draft.state, draft.now))
        except delivery.Undeliverable as error:
            sender.apply(external_workflow.record_refusal(sender.state, initiated, error.cause, sender.now))
        else:
            sender.apply(external_workflow.record_delivery(sender.state, initiated, sender.now))

    def _close_child(self, unit: _Unit, run: Run, request: CloseChild, target: Run | None) -> None:
        child = run.state.owed_children[request.initiated_event_id]
        if target is not None:
            delivery.close_child(unit.draft(target), run.state, child)
        unit.draft(run).apply(child_workflow.settled(child))

    def _known(self, namespace: str) -> bool:
        return namespace in self._namespaces.ids


def _room(state: ExecutionState, batch: int) -> int:
    """How many more events the run takes now."""
    if state.task is None or not state.task.started:
        return batch
    return min(batch, max(_BUFFER_ROOM - len(state.buffered), 0))


def _target_id(state: ExecutionState, request: Request) -> str:
    """The id of the workflow that the request is about; "" when the run no longer asks for it."""
    if isinstance(request, ReportToParent):
        return state.parent_workflow_id
    key = request.initiated_event_id
    found = (
        state.children.get(key)
        or state.owed_children.get(key)
        or state.external_signals.get(key)
        or state.external_cancels.get(key)
    )
    return found.workflow_id if found is not None else ""
