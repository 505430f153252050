"""Task queues with waiting pollers: futures around ``engine.matching``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import msgspec

from outlast.engine.matching.pollers import Pollers, PollerSeen
from outlast.engine.matching.queue import TaskQueue
from outlast.storage.port import RunKey, Storage

from .clock import Alarm, Clock
from .queue_settings import QueueSettings

STICKY_UNAVAILABLE_NS = 10_000_000_000
"""A sticky queue that nobody has polled for this long is taken for dead (rule 3.4.12)."""

_FORGET_NS = 300_000_000_000


class QueueId(NamedTuple):
    """One queue: ``kind`` is ``workflow`` or ``activity``."""

    namespace_id: str
    name: str
    kind: str


class TaskOffer(msgspec.Struct, frozen=True):
    """A workflow task or an activity attempt that waits to be taken; stale ones are dropped when taken."""

    key: RunKey
    scheduled_event_id: int
    attempt: int


class QueryOffer(msgspec.Struct, frozen=True):
    """A query that is dispatched by itself."""

    key: RunKey
    query_id: str


Offer: TypeAlias = TaskOffer | QueryOffer
Poller: TypeAlias = "asyncio.Future[Offer | None]"


class TaskQueues:
    """All queues of a node."""

    __slots__ = (
        "_alarms",
        "_clock",
        "_closed",
        "_operator_rates",
        "_pollers",
        "_queues",
        "on_wait",
        "settings",
        "waiting",
    )

    def __init__(self, clock: Clock, storage: Storage) -> None:
        self._clock = clock
        self.settings = QueueSettings(storage, lambda queue, rate: self._limit_by_operator(QueueId(*queue), rate))
        self._queues: dict[QueueId, TaskQueue[Offer, Poller]] = {}
        self._pollers: dict[QueueId, Pollers] = {}
        self._operator_rates: dict[QueueId, float] = {}
        self._alarms: dict[QueueId, Alarm] = {}
        self._closed = False
        self.waiting = 0
        """Polls that wait for a task."""
        self.on_wait: Callable[[], None] | None = None

    def offer(self, queue_id: QueueId, offer: Offer, priority_key: int = 0) -> None:
        """Add a task, and hand it to a poller that waits."""
        queue = self._queue(queue_id)
        queue.offer(offer, self._clock.now(), priority_key)
        self._match(queue_id, queue)

    async def poll(self, queue_id: QueueId, until: int, seen: PollerSeen | None = None) -> Offer | None:
        """Wait for a task until the instant ``until``; None when none came.

        A poller that is cancelled puts a task that it was handed in the same moment back into the queue.

        Args:
            seen: who polls, for descriptions of the queue.
        """
        if self._closed:
            return None
        queue = self._queue(queue_id)
        now = self._clock.now()
        if seen is not None:
            self._pollers.setdefault(queue_id, Pollers()).note(seen, now)
        poller: Poller = asyncio.get_running_loop().create_future()
        queue.poll(poller, now)
        self._match(queue_id, queue)
        if poller.done():
            return poller.result()
        alarm = self._clock.call_at(until, lambda: self._give_up(queue, poller))
        self.waiting += 1
        if self.on_wait is not None:
            self.on_wait()
        try:
            return await poller
        except asyncio.CancelledError:
            queue.withdraw(poller, self._clock.now())
            if poller.done() and not poller.cancelled():
                handed = poller.result()
                if handed is not None:
                    self.offer(queue_id, handed)
            raise
        finally:
            self.waiting -= 1
            alarm.cancel()

    def _give_up(self, queue: TaskQueue[Offer, Poller], poller: Poller) -> None:
        if not poller.done():
            queue.withdraw(poller, self._clock.now())
            poller.set_result(None)

    def _queue(self, queue_id: QueueId) -> TaskQueue[Offer, Poller]:
        queue = self._queues.get(queue_id)
        if queue is None:
            queue = self._queues[queue_id] = TaskQueue()
            queue.limit_rate_by_operator(self._operator_rates.get(queue_id))
        return queue

    def _match(self, queue_id: QueueId, queue: TaskQueue[Offer, Poller]) -> None:
        now = self._clock.now()
        while (match := queue.find_match(now)) is not None:
            if match.poller.done():
                queue.put_back(match)
                continue
            match.poller.set_result(match.task)
        again_at = queue.ask_again_at()
        if again_at is not None and queue_id not in self._alarms:
            self._alarms[queue_id] = self._clock.call_at(again_at, lambda: self._ask_again(queue_id, queue))

    def _ask_again(self, queue_id: QueueId, queue: TaskQueue[Offer, Poller]) -> None:
        self._alarms.pop(queue_id, None)
        self._match(queue_id, queue)

    def limit_rate(self, queue_id: QueueId, tasks_per_second: float | None) -> None:
        """Set what the worker's poll asks for: at most so many tasks per second from this queue."""
        self._queue(queue_id).limit_rate(tasks_per_second)

    def _limit_by_operator(self, queue_id: QueueId, tasks_per_second: float | None) -> None:
        """Set the operator's limit, which outlives the queue; None lifts it."""
        if tasks_per_second is None:
            self._operator_rates.pop(queue_id, None)
        else:
            self._operator_rates[queue_id] = tasks_per_second
        queue = self._queue(queue_id)
        queue.limit_rate_by_operator(tasks_per_second)
        alarm = self._alarms.pop(queue_id, None)
        if alarm is not None:
            alarm.cancel()
        self._match(queue_id, queue)

    def served(self, queue_id: QueueId) -> bool:
        """Whether somebody polls this queue, or did a moment ago."""
        queue = self._queues.get(queue_id)
        if queue is None:
            return False
        return bool(queue.pollers) or queue.polled_at > self._clock.now() - STICKY_UNAVAILABLE_NS

    def shut(self, queue_id: QueueId) -> list[Offer]:
        """The queue's worker is gone: give up its pollers and take out its tasks."""
        queue = self._queues.pop(queue_id, None)
        if queue is None:
            return []
        tasks = queue.drain()
        _release(queue)
        return tasks

    def shut_namespace(self, namespace_id: str) -> None:
        """The namespace is gone: give up the pollers of its queues, and forget the tasks."""
        for queue_id in [queue_id for queue_id in self._queues if queue_id.namespace_id == namespace_id]:
            self.shut(queue_id)
            self._pollers.pop(queue_id, None)
        self.settings.forget_namespace(namespace_id)

    def sweep(self) -> None:
        """Forget queues that nobody has used for minutes."""
        oldest = self._clock.now() - _FORGET_NS
        for queue_id in [q for q, queue in self._queues.items() if queue.idle and queue.polled_at < oldest]:
            del self._queues[queue_id]
        now = self._clock.now()
        for queue_id in [q for q, pollers in self._pollers.items() if not pollers.recent(now)]:
            del self._pollers[queue_id]

    def describe(self, queue_id: QueueId) -> tuple[TaskQueue[Offer, Poller], list[tuple[int, PollerSeen]]]:
        """A queue as it is, and who polled it in the last minutes; an empty one for a name that nobody used."""
        pollers = self._pollers.get(queue_id)
        return self._queue(queue_id), pollers.recent(self._clock.now()) if pollers else []

    def all(self) -> Iterable[tuple[QueueId, TaskQueue[Offer, Poller]]]:
        """The queues in use."""
        return self._queues.items()

    def close(self) -> None:
        """End every poll that waits, with nothing."""
        self._closed = True
        for alarm in self._alarms.values():
            alarm.cancel()
        for queue in self._queues.values():
            queue.drain()
            _release(queue)


def _release(queue: TaskQueue[Offer, Poller]) -> None:
    for poller in queue.take_pollers():
        if not poller.done():
            poller.set_result(None)
