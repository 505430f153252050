"""The node: storage, caches, queues and timers put together, and the one entry for every call.

``Node.call`` is what all doors lead to: the embedded one, gRPC, and JSON.
"""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from google.protobuf.message import Message

from outlast.engine.effects import REQUESTS, Effect, OfferActivityTask, OfferWorkflowTask
from outlast.engine.execution import advance, due, options, query, workflow_task
from outlast.storage.errors import Conflict, StorageClosed, StorageError
from outlast.storage.port import RunKey, Storage
from outlast.vocab import limits
from outlast.vocab.divisions import SCHEDULES, kind_of, namespace_of, noun_of
from outlast.vocab.errors import InvalidArgument, NotFound, ServiceError, Unimplemented

from . import blobs
from .background import Background
from .batches import Batches
from .clock import Clock, WallClock, reaches
from .context import CallContext
from .namespaces import Namespaces
from .outbox import Outbox
from .queries import PendingQuery
from .runs import Run, Runs
from .schedules import Schedules
from .skipping import SkippingClock, Stillness
from .task_queues import QueryOffer, QueueId, TaskOffer, TaskQueues
from .timers import Timers
from .workers import Workers

Handler: TypeAlias = Callable[[Any, Any, Any], Awaitable[Message]]
"""``handler(node, request, context)``: one RPC."""

logger = logging.getLogger("outlast.server")

_HORIZON_NS = 120_000_000_000
_FOR_EVER_NS = 2**63 - 1
_SWEEP_NS = 60_000_000_000
_PATIENCE_NS = 1_000_000_000
"""Before a run is reloaded from a store that could not keep its last change."""
_PAGE = 500
_OF_NEW_NAMESPACES = frozenset({"RegisterNamespace"})
"""RPCs whose namespace need not be there."""
"""Stored deadlines read at once."""


class Node:
    """One running engine over one storage."""

    def __init__(self, storage: Storage, clock: Clock, handlers: Mapping[tuple[str, str], Handler]) -> None:
        self._handlers = handlers
        self.storage = storage
        self.clock = clock
        self.stillness = clock.stillness if isinstance(clock, SkippingClock) else None
        self.process = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        """Names this engine process in the attempts that its own worker runs."""
        self.namespaces = Namespaces(storage)
        self.queues = TaskQueues(self.wall, storage)
        self.workers = Workers(self.wall)
        self.timers = Timers(clock, self._on_due)
        keep_ns = self.namespaces.retention_ns if self.stillness is None else _never
        self.batches = Batches(storage, keep_ns)
        self.runs = Runs(storage, clock, self.wall, self.timers, self._on_effects, keep_ns)
        self.runs.on_durable = self._on_durable
        self.runs.on_lost = self._on_lost
        self.runs.on_large = self._on_large
        self.schedules = Schedules(self, clock.passive if isinstance(clock, SkippingClock) else clock)
        self.outbox = Outbox(self.runs, self.namespaces, self.spawn)
        self.background = Background(self.stillness)
        self.closing = False
        if self.stillness is not None:
            self._tell(self.stillness)

    @property
    def wall(self) -> Clock:
        """The time of callers and pollers, which no test clock moves."""
        clock = self.clock
        return clock.wall if isinstance(clock, SkippingClock) else clock

    def _tell(self, stillness: Stillness) -> None:
        """Keep a clock that jumps informed of what is under way here."""
        for waits in (self.queues, self.runs):
            waits.on_wait = stillness.happened
            stillness.counts_as_waiting(partial(getattr, waits, "waiting"))
        self.runs.on_change = lambda run: stillness.run(run.key, bool(run.commits) or due.under_way(run.state))

    @classmethod
    async def open(
        cls, storage: Storage, *, clock: Clock | None = None, namespaces: Iterable[str] = ("default",)
    ) -> Node:
        """Start an engine: create missing namespaces, take up the open runs, start the timers."""
        from . import batch_work, reclaim  # these import this module
        from .handlers import HANDLERS

        node = cls(storage, clock or WallClock(), HANDLERS)
        await node.namespaces.load()
        await node.queues.settings.load()
        await node.batches.load()
        for name in namespaces:
            await node.namespaces.ensure(name)
        # A clock that jumps has to know the next deadline, however far away it is.
        node._reach(node.clock.now() + _HORIZON_NS if node.stillness is None else _FOR_EVER_NS)
        await node._take_up()
        for namespace_id in node.namespaces.deleted():
            reclaim.begin(node, namespace_id)
        node.outbox.open()
        for namespace_id, batch in node.batches.running():
            batch_work.begin(node, namespace_id, batch)
        node.background.stand(node._sweep())
        return node

    def release(self) -> None:
        """Take no new work: polls and long polls that wait end with what they have."""
        if self.closing:
            return
        self.closing = True
        self.background.release()
        self.timers.close()
        self.schedules.timers.close()
        self.outbox.close()
        self.queues.close()
        self.runs.release()

    async def close(self) -> None:
        """End what waits, finish what was decided, and close the storage."""
        self.release()
        await asyncio.sleep(0)
        await self.background.close()
        await self.storage.close()

    # -- calls ---------------------------------------------------------------------------------------------------

    def serves(self, service: str, rpc: str) -> bool:
        """Whether there is a handler for this RPC."""
        return (service, rpc) in self._handlers

    async def call(self, service: str, rpc: str, request: Message, context: CallContext) -> Message:
        """Answer one call.

        Raises:
            ServiceError: the caller's fault, an unknown namespace before all else; Unimplemented, naming the RPC, for
                one that is not built.
        """
        handler = self._handlers.get((service, rpc))
        if handler is None:
            raise Unimplemented(f"{service}.{rpc} is not built in this version of outlast")
        namespace = getattr(request, "namespace", "")
        if namespace and rpc not in _OF_NEW_NAMESPACES:
            self.namespaces.require(namespace)
        blobs.check(rpc, request)
        stillness = self.stillness
        if stillness is None:
            return await handler(self, request, context)
        stillness.calls += 1
        try:
            return await handler(self, request, context)
        finally:
            stillness.calls -= 1
            stillness.happened()

    # -- effects -------------------------------------------------------------------------------------------------

    def _on_effects(self, run: Run, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, OfferWorkflowTask):
                self._offer_workflow_task(run, effect)
            elif isinstance(effect, OfferActivityTask):
                queue_id = QueueId(namespace_of(run.key.namespace_id), effect.queue, "activity")
                offer = TaskOffer(run.key, effect.scheduled_event_id, effect.attempt)
                self.queues.offer(queue_id, offer, effect.priority_key or options.priority_key(run.state.priority))
            elif isinstance(effect, REQUESTS):
                self.outbox.post(run, (effect,))

    def _offer_workflow_task(self, run: Run, effect: OfferWorkflowTask) -> None:
        queue_id = QueueId(run.key.namespace_id, effect.queue, "workflow")
        if effect.sticky and not self.queues.served(queue_id):
            self.unstick(run)
            return
        offer = TaskOffer(run.key, effect.scheduled_event_id, effect.attempt)
        self.queues.offer(queue_id, offer, options.priority_key(run.state.priority))

    def unstick(self, run: Run) -> None:
        """The run's sticky queue is dead: its waiting task goes to the normal queue."""
        draft = self.runs.draft(run)
        draft.apply(workflow_task.unstick(draft.state))
        self.runs.volatile(run, draft)

    # -- time ----------------------------------------------------------------------------------------------------

    def spawn(self, name: str, work: asyncio.Task[None]) -> None:
        """Keep a background task until it ends; its failure is logged."""
        self.background.spawn(name, work)

    async def idle(self) -> None:
        """Wait until no background task is left."""
        await self.background.idle()

    def _on_due(self, key: RunKey) -> None:
        work = asyncio.get_running_loop().create_task(self._advance(key))
        self.spawn(f"deadline of {_named(key)}", work)

    async def _advance(self, key: RunKey) -> None:
        try:
            run = await self.runs.get(key)
        except NotFound:
            return
        if await self.runs.delete_if_over(run):
            return
        first = None
        draft = self.runs.draft(run)
        if due.needs_first_event(draft.state, draft.now):
            first = await self.runs.event(run, 1)
            draft = self.runs.draft(run)
        advance.advance(draft, first)
        advance.settle(draft)
        if draft.changed:
            await self.runs.commit(run, draft)
        else:
            self.runs.plan(run)

    def _on_large(self, run: Run, state_bytes: int) -> None:
        work = asyncio.get_running_loop().create_task(self._end_large(run.key, state_bytes))
        self.spawn(f"end of {_named(run.key)}", work)

    async def _end_large(self, key: RunKey, state_bytes: int) -> None:
        try:
            run = await self.runs.get(key)
        except NotFound:
            return
        draft = self.runs.draft(run)
        advance.outgrown(draft, state_bytes)
        if draft.changed:
            await self.runs.commit(run, draft)

    async def _sweep(self) -> None:
        """Move the horizon of the timers, and forget unused queues."""
        while True:
            woken = asyncio.Event()
            self.wall.call_at(self.wall.now() + _SWEEP_NS, woken.set)
            await woken.wait()
            self.queues.sweep()
            self.workers.sweep()
            await self.batches.sweep(self.clock.now())
            if self.stillness is not None:
                continue
            after = self.timers.horizon_at
            self._reach(self.clock.now() + _HORIZON_NS)
            await self._fetch_deadlines(after)

    def _reach(self, horizon_at: int) -> None:
        """Leave to storage what is due later."""
        self.timers.horizon_at = self.schedules.timers.horizon_at = horizon_at

    async def _fetch_deadlines(self, after: int) -> None:
        """Take over from storage the deadlines later than ``after`` up to the horizon."""
        async for at, key in self._stored_deadlines(after, self.timers.horizon_at):
            timers = self.schedules.timers if kind_of(key.namespace_id) == SCHEDULES else self.timers
            timers.set(key, at)

    async def _stored_deadlines(self, after: int, until: int) -> AsyncIterator[tuple[int, RunKey]]:
        cursor: tuple[int, RunKey] | None = None
        while True:
            page = await self.storage.due(after, until, _PAGE, cursor)
            for entry in page:
                yield entry
            if len(page) < _PAGE:
                return
            cursor = page[-1]

    # -- restart -------------------------------------------------------------------------------------------------

    async def _take_up(self) -> None:
        """Take up the runs that a former process left: end what died with it, and offer what is open."""
        now = self.clock.now()
        async for _, key in self._stored_deadlines(-1, now):
            if kind_of(key.namespace_id) == SCHEDULES:
                self.schedules.on_due(key)
                continue
            run = await self.runs.get(key)
            draft = self.runs.draft(run)
            advance.recover(draft)
            if draft.changed:
                await self.runs.commit(run, draft)
            self._on_effects(run, due.outstanding(run.state))
            self.runs.plan(run)
        await self._fetch_deadlines(now)

    def _on_lost(self, run: Run, error: BaseException | None) -> None:
        if not self.closing and not isinstance(error, StorageClosed):
            at_once = isinstance(error, Conflict)
            work = asyncio.get_running_loop().create_task(self._take_up_again(run.key, at_once))
            self.spawn(f"reloading of {_named(run.key)}", work)

    async def _take_up_again(self, key: RunKey, at_once: bool) -> None:
        """A commit of the run has failed, and with it went what only the cache knew: go on from what is stored."""
        while not self.closing:
            if not at_once:
                await reaches(self.wall, self.wall.now() + _PATIENCE_NS)
            try:
                run = await self.runs.get(key)
            except NotFound:  # it was to be the run's first
                return
            except StorageError:
                logger.exception("%s cannot be reloaded yet", _named(key))
                at_once = False
                continue
            self._on_effects(run, due.outstanding(run.state))
            self.runs.plan(run)
            return

    # -- queries -------------------------------------------------------------------------------------------------

    def _on_durable(self, run: Run) -> None:
        if run.queries:
            self.dispatch_queries(run)
        if not run.state.running and not self.closing:
            self.schedules.on_closed(run)

    def dispatch_queries(self, run: Run) -> None:
        """Send on the queries that wait: with the pending workflow task, or as tasks of their own."""
        state = run.state
        task = state.task
        for pending in run.queries.values():
            if pending.answer.done() or pending.direct:
                continue
            if pending.shown and (task is None or pending.attached_to != (task.scheduled_event_id, task.started_at)):
                pending.shown = False
            if pending.shown:
                continue
            try:
                query.require_answerable(state)
            except ServiceError as error:
                pending.refuse(error)
                continue
            if query.ready(state) and query.route(state) is query.Way.DIRECT:
                self.dispatch_directly(run, pending)

    def dispatch_directly(self, run: Run, pending: PendingQuery, *, sticky: bool = True) -> None:
        """Put a query into the queue of the run's worker as a task of its own."""
        pending.direct = True
        state = run.state
        queue_id = QueueId(run.key.namespace_id, state.sticky_queue, "workflow")
        if not (sticky and state.sticky_queue and self.queues.served(queue_id)):
            queue_id = queue_id._replace(name=state.queue)
        pending.sticky = queue_id.name != state.queue
        self.queues.offer(queue_id, QueryOffer(run.key, pending.query_id))

    def until(self, context: CallContext, longest_ns: int) -> int:
        """When a long poll of this call has to end: before the caller gives up, and after ``longest_ns`` at most."""
        until = self.wall.now() + longest_ns
        if context.deadline_at is None:
            return until
        return min(until, context.deadline_at - limits.LONG_POLL_TAIL_NS)


def _named(key: RunKey) -> str:
    return f"{noun_of(key.namespace_id)} {key.workflow_id!r} run {key.run_id}"


def _never(_: str) -> None:
    """The retention of a node whose clock jumps: a jump of days would take the closed runs with it."""


def required(subject: str, **fields: str) -> None:
    """Refuse a request that lacks a field.

    Raises:
        InvalidArgument: for the first of the named fields that is empty.
    """
    for name, value in fields.items():
        if not value:
            raise InvalidArgument(f"{subject}: {name} is empty; it is required")
