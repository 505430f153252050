"""A task queue: order, rates, backlogs, pollers; all by the instants that it is given."""

from __future__ import annotations

from outlast.engine.matching.pollers import Pollers, PollerSeen
from outlast.engine.matching.queue import TaskQueue
from outlast.engine.matching.rate import Rate
from outlast.vocab import limits

SECOND = 1_000_000_000


def taken(queue: TaskQueue[str, str], now: int) -> list[str]:
    """The tasks that go out at an instant, with a poller for each."""
    found = []
    for _ in range(queue.waiting):
        queue.poll("poller", now)
    while (match := queue.find_match(now)) is not None:
        found.append(match.task)
    for poller in queue.take_pollers():
        queue.withdraw(poller, now)
    return found


def test_urgent_tasks_go_first_and_equals_in_order() -> None:
    queue: TaskQueue[str, str] = TaskQueue()
    for task, key in (("d", 0), ("a", 1), ("e", 3), ("f", 5), ("b", 1), ("c", 2), ("g", 99)):
        queue.offer(task, 0, key)
    assert taken(queue, 0) == list("abcdefg")


def test_a_task_that_comes_back_keeps_its_place() -> None:
    queue: TaskQueue[str, str] = TaskQueue()
    for task in "ab":
        queue.offer(task, SECOND, 4)
    queue.poll("gone", SECOND)
    match = queue.find_match(SECOND)
    assert match is not None
    queue.put_back(match)
    assert queue.backlogs(3 * SECOND)[4].age_ns == 2 * SECOND
    assert taken(queue, SECOND) == ["a", "b"]


def test_a_rate_lets_tasks_out_at_even_intervals() -> None:
    queue: TaskQueue[str, str] = TaskQueue()
    queue.limit_rate(2)
    for task in "abc":
        queue.offer(task, 0)
        queue.poll("poller", 0)
    assert (match := queue.find_match(0)) is not None and match.task == "a"
    assert queue.find_match(0) is None and queue.ask_again_at() == SECOND // 2
    assert queue.find_match(SECOND // 2 - 1) is None
    assert queue.find_match(SECOND // 2) is not None
    queue.limit_rate(None)
    assert queue.ask_again_at() is None


def test_the_operators_rate_wins_over_the_workers() -> None:
    queue: TaskQueue[str, str] = TaskQueue()
    queue.limit_rate(1)
    queue.limit_rate_by_operator(0)
    queue.offer("a", 0)
    queue.poll("poller", 0)
    assert queue.find_match(10 * SECOND) is None and queue.ask_again_at() is None, "0 lets nothing out"
    queue.limit_rate_by_operator(10)
    queue.offer("b", 0)
    queue.poll("poller", 0)
    assert queue.find_match(0) is not None
    assert queue.ask_again_at() == SECOND // 10
    queue.limit_rate_by_operator(None)
    assert (queue.operator_rate, queue.worker_rate) == (None, 1)


def test_backlogs_count_what_waits_by_priority() -> None:
    queue: TaskQueue[str, str] = TaskQueue()
    assert queue.backlogs(0) == {}
    for n in range(4):
        queue.offer(str(n), n * SECOND, 1 + n % 2)
    queue.poll("poller", 4 * SECOND)
    assert queue.find_match(4 * SECOND) is not None
    backlogs = queue.backlogs(4 * SECOND)
    assert {key: backlog.tasks for key, backlog in backlogs.items()} == {1: 1, 2: 2}
    assert (backlogs[1].age_ns, backlogs[2].age_ns) == (2 * SECOND, 3 * SECOND)
    assert backlogs[1].dispatch_rate == 1 and backlogs[2].dispatch_rate == 0
    assert backlogs[2].add_rate == 2 / 3
    assert taken(queue, 5 * SECOND) == ["2", "1", "3"]
    assert queue.backlogs(100 * SECOND) == {}, "what was long ago does not show"


def test_a_rate_forgets_after_half_a_minute() -> None:
    rate = Rate()
    assert rate.per_second(0) == 0
    for n in range(100):
        rate.add(n * SECOND)
    assert abs(rate.per_second(100 * SECOND) - 1) < 0.2
    assert rate.per_second(140 * SECOND) == 0
    rate.add(200 * SECOND)
    assert rate.per_second(200 * SECOND) == 1, "a short past counts as a second"


def test_pollers_are_remembered_for_five_minutes() -> None:
    pollers = Pollers()
    pollers.note(PollerSeen("a"), 0)
    pollers.note(PollerSeen("b"), SECOND)
    pollers.note(PollerSeen("a", rate_per_second=2.0), 2 * SECOND)
    assert [(at, seen.identity) for at, seen in pollers.recent(3 * SECOND)] == [(2 * SECOND, "a"), (SECOND, "b")]
    assert [seen.identity for _, seen in pollers.recent(limits.WORKER_REGISTRY_NS + SECOND)] == ["a"]
    assert pollers.recent(limits.WORKER_REGISTRY_NS + 2 * SECOND) == []


def test_pollers_are_bounded() -> None:
    pollers = Pollers()
    for n in range(limits.POLLERS_REMEMBERED_MAX + 5):
        pollers.note(PollerSeen(str(n)), n)
    assert len(pollers.recent(0)) == limits.POLLERS_REMEMBERED_MAX
