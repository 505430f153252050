"""One task queue: tasks wait for pollers, pollers wait for tasks, the oldest of each meet.

Lower priority keys go first (1 before 5, 0 counts as 3), equal ones in order of arrival. A rate limit lets tasks out at
even intervals: the operator's if there is one, else the workers'. ``find_match`` is a function of the queue and an
instant: it never waits, and says when to ask again.

Source: PollWorkflowTaskQueue, PollActivityTaskQueue, DescribeTaskQueue; rules 3.10.3, 3.13.5.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, NamedTuple, TypeVar

from outlast.vocab import limits

from .rate import Rate

TaskT = TypeVar("TaskT")
PollerT = TypeVar("PollerT")


class Match(NamedTuple, Generic[TaskT, PollerT]):
    """A task and the poller that takes it; the rest is what ``put_back`` needs."""

    task: TaskT
    poller: PollerT
    priority_key: int
    offered_at: int


class Backlog(NamedTuple):
    """What waits at one priority key, and how fast it comes and goes. Tasks that became stale count as well."""

    tasks: int
    age_ns: int
    """How long the oldest task has waited; 0 when none waits."""
    add_rate: float
    dispatch_rate: float


class _Level(Generic[TaskT]):
    """The tasks of one priority key, each with the instant of its arrival."""

    __slots__ = ("added", "dispatched", "tasks")

    def __init__(self) -> None:
        self.tasks: deque[tuple[TaskT, int]] = deque()
        self.added = Rate()
        self.dispatched = Rate()


class TaskQueue(Generic[TaskT, PollerT]):
    """The waiting tasks and pollers of one queue."""

    __slots__ = ("_levels", "_next_at", "_operator_rate", "_pollers", "_waiting", "_worker_rate", "polled_at")

    def __init__(self) -> None:
        self._levels: dict[int, _Level[TaskT]] = {}
        self._pollers: deque[PollerT] = deque()
        self._waiting = 0
        self._worker_rate: float | None = None
        self._operator_rate: float | None = None
        self._next_at = 0
        self.polled_at = 0
        """When a poller came last, ns since the epoch; 0 for never."""

    def offer(self, task: TaskT, now: int, priority_key: int = 0) -> None:
        """Add a task behind its equals."""
        key = min(max(priority_key or limits.PRIORITY_KEY_DEFAULT, 1), limits.PRIORITY_KEY_MAX)
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = _Level()
        level.tasks.append((task, now))
        level.added.add(now)
        self._waiting += 1

    def poll(self, poller: PollerT, now: int) -> None:
        """Add a poller behind those that wait."""
        self._pollers.append(poller)
        self.polled_at = now

    def withdraw(self, poller: PollerT, now: int) -> None:
        """Take a poller away that gave up. Unknown pollers are ignored: a match may have taken it."""
        self.polled_at = now
        try:
            self._pollers.remove(poller)
        except ValueError:
            return

    # -- rate ----------------------------------------------------------------------------------------------------

    def limit_rate(self, tasks_per_second: float | None) -> None:
        """The workers' limit: at most this many tasks per second; None or 0 lifts it."""
        self._worker_rate = tasks_per_second or None

    def limit_rate_by_operator(self, tasks_per_second: float | None) -> None:
        """The operator's limit, which wins over the workers'; 0 lets nothing out, None lifts it."""
        self._operator_rate = tasks_per_second
        self._next_at = 0

    @property
    def operator_rate(self) -> float | None:
        """The operator's limit in tasks per second; None = none."""
        return self._operator_rate

    @property
    def worker_rate(self) -> float | None:
        """The workers' limit in tasks per second; None = none."""
        return self._worker_rate

    @property
    def _rate(self) -> float | None:
        return self._worker_rate if self._operator_rate is None else self._operator_rate

    # -- matching ------------------------------------------------------------------------------------------------

    def find_match(self, now: int) -> Match[TaskT, PollerT] | None:
        """Take the next task and the next poller if both are there and the rate allows it."""
        rate = self._rate
        if not self._waiting or not self._pollers or now < self._next_at or rate == 0:
            return None
        key = min(key for key, level in self._levels.items() if level.tasks)
        level = self._levels[key]
        task, offered_at = level.tasks.popleft()
        level.dispatched.add(now)
        self._waiting -= 1
        self._next_at = 0 if rate is None else max(now, self._next_at) + int(1e9 / rate)
        return Match(task, self._pollers.popleft(), key, offered_at)

    def put_back(self, match: Match[TaskT, PollerT]) -> None:
        """Return the task of a match whose poller is gone to its place before its equals."""
        self._levels[match.priority_key].tasks.appendleft((match.task, match.offered_at))
        self._waiting += 1

    def ask_again_at(self) -> int | None:
        """When a match that the rate limit holds back may be found; None when none is held back, or for ever."""
        return self._next_at if self._rate and self._waiting and self._pollers else None

    # -- what is there -------------------------------------------------------------------------------------------

    def backlogs(self, now: int) -> dict[int, Backlog]:
        """What waits, by priority key, ascending; without the keys that nobody used lately."""
        found = {}
        for key, level in sorted(self._levels.items()):
            oldest = level.tasks[0][1] if level.tasks else now
            backlog = Backlog(
                len(level.tasks), max(0, now - oldest), level.added.per_second(now), level.dispatched.per_second(now)
            )
            if any(backlog):
                found[key] = backlog
        return found

    def drain(self) -> list[TaskT]:
        """Take all waiting tasks out, most urgent first."""
        tasks = [task for _, level in sorted(self._levels.items()) for task, _ in level.tasks]
        self._levels.clear()
        self._waiting = 0
        return tasks

    def take_pollers(self) -> list[PollerT]:
        """Take all waiting pollers out."""
        pollers = list(self._pollers)
        self._pollers.clear()
        return pollers

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return self._waiting

    @property
    def pollers(self) -> int:
        """How many pollers wait."""
        return len(self._pollers)

    @property
    def idle(self) -> bool:
        """Whether nothing and nobody waits, so that the queue may be forgotten."""
        return not self._waiting and not self._pollers
