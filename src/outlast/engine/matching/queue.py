"""One task queue: tasks wait for pollers, pollers wait for tasks, the oldest of each meet.

Lower priority keys go first (1 before 5, 0 counts as 3), equal ones in order of arrival. A rate limit lets tasks out at
even intervals. ``find_match`` is a function of the queue and an instant: it never waits, and says when to ask again.

Source: PollWorkflowTaskQueue, PollActivityTaskQueue; rules 3.10.3, 3.13.5.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, NamedTuple, TypeVar

TaskT = TypeVar("TaskT")
PollerT = TypeVar("PollerT")

_PRIORITY_DEFAULT = 3
_PRIORITY_MIN, _PRIORITY_MAX = 1, 5


class Match(NamedTuple, Generic[TaskT, PollerT]):
    """A task and the poller that takes it."""

    task: TaskT
    poller: PollerT


class TaskQueue(Generic[TaskT, PollerT]):
    """The waiting tasks and pollers of one queue."""

    __slots__ = ("_interval_ns", "_levels", "_next_at", "_pollers", "_waiting", "polled_at")

    def __init__(self) -> None:
        self._levels: dict[int, deque[TaskT]] = {}
        self._pollers: deque[PollerT] = deque()
        self._waiting = 0
        self._interval_ns = 0
        self._next_at = 0
        self.polled_at = 0
        """When a poller came last, ns since the epoch; 0 for never."""

    def offer(self, task: TaskT, priority_key: int = 0) -> None:
        """Add a task behind its equals."""
        level = min(max(priority_key or _PRIORITY_DEFAULT, _PRIORITY_MIN), _PRIORITY_MAX)
        self._levels.setdefault(level, deque()).append(task)
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

    def limit_rate(self, tasks_per_second: float | None) -> None:
        """Let out at most this many tasks per second; None lifts the limit."""
        self._interval_ns = int(1e9 / tasks_per_second) if tasks_per_second else 0

    def find_match(self, now: int) -> Match[TaskT, PollerT] | None:
        """Take the next task and the next poller if both are there and the rate allows it."""
        if not self._waiting or not self._pollers or now < self._next_at:
            return None
        level = min(key for key, tasks in self._levels.items() if tasks)
        task = self._levels[level].popleft()
        self._waiting -= 1
        if self._interval_ns:
            self._next_at = max(now, self._next_at) + self._interval_ns
        return Match(task, self._pollers.popleft())

    def ask_again_at(self) -> int | None:
        """When a match that the rate limit holds back may be found; None when none is held back."""
        return self._next_at if self._interval_ns and self._waiting and self._pollers else None

    def drain(self) -> list[TaskT]:
        """Take all waiting tasks out, most urgent first."""
        tasks = [task for level in sorted(self._levels) for task in self._levels[level]]
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
