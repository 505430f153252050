"""The pure leaves: backoff, throttle, rate limit, deadlines, poll shares, outcomes."""

from __future__ import annotations

import asyncio

import pytest

from outlast.activity import ActivityCancellationDetails as Details
from outlast.api.protobuf import Duration, Timestamp
from outlast.api.workflowservice.v1 import PollActivityTaskQueueResponse
from outlast.exceptions import ApplicationError, CancelledError
from outlast.worker._attempt_deadline import GRACE_NS, AttemptDeadline
from outlast.worker._attempt_outcome import Outcome, outcome_of
from outlast.worker._backoff import Backoff
from outlast.worker._config import split_polls
from outlast.worker._heartbeat_throttle import Throttle, throttle_interval
from outlast.worker._rate_limit import RateLimit

S = 1_000_000_000


def test_backoff_grows_to_its_longest_wait() -> None:
    backoff = Backoff(first_ns=100, longest_ns=1000, factor=2.0, jitter=0.0)
    assert [backoff.after(n, 0) for n in (1, 2, 3, 4, 5, 100_000)] == [100, 200, 400, 800, 1000, 1000]


def test_backoff_jitter_goes_both_ways() -> None:
    backoff = Backoff(first_ns=1000, longest_ns=1000, factor=2.0, jitter=0.2)
    assert (backoff.after(1, -1), backoff.after(1, 0), backoff.after(1, 1)) == (800, 1000, 1200)


@pytest.mark.parametrize(
    ("timeout", "interval"), [(0, 30 * S), (10 * S, 8 * S), (1000 * S, 60 * S), (75 * S, 60 * S), (S, 800_000_000)]
)
def test_throttle_interval(timeout: int, interval: int) -> None:
    assert throttle_interval(timeout, 30 * S, 60 * S) == interval


def test_the_default_interval_is_bounded_too() -> None:
    assert throttle_interval(0, 30 * S, 20 * S) == 20 * S


def test_throttle_sends_the_first_at_once_and_later_ones_apart() -> None:
    throttle = Throttle(10)
    assert throttle.wait(5) == 0
    throttle.sent(5)
    assert throttle.wait(6) == 9
    assert throttle.wait(15) == 0
    assert throttle.wait(99) == 0


def test_rate_limit_lets_a_second_through_and_then_spaces() -> None:
    limit = RateLimit(2, now=0)
    assert [limit.take(0), limit.take(0)] == [0, 0]
    assert limit.take(0) == S // 2
    assert limit.take(0) == S


def test_rate_limit_refills_up_to_a_second() -> None:
    limit = RateLimit(2, now=0)
    limit.take(0)
    assert [limit.take(100 * S), limit.take(100 * S), limit.take(100 * S)] == [0, 0, S // 2]


def test_rate_limit_below_one_per_second_starts_with_one() -> None:
    limit = RateLimit(0.5, now=0)
    assert [limit.take(0), limit.take(0)] == [0, 2 * S]


def test_rate_limit_takes_back() -> None:
    limit = RateLimit(1, now=0)
    limit.take(0)
    limit.give_back(0)
    assert limit.take(0) == 0


def attempt(*, start: int = 0, schedule: int = 0, heartbeat: int = 0, spent: int = 0) -> PollActivityTaskQueueResponse:
    return PollActivityTaskQueueResponse(
        start_to_close_timeout=Duration(seconds=start),
        schedule_to_close_timeout=Duration(seconds=schedule),
        heartbeat_timeout=Duration(seconds=heartbeat),
        scheduled_time=Timestamp(seconds=1000),
        started_time=Timestamp(seconds=1000 + spent),
    )


def test_deadline_of_start_to_close() -> None:
    deadline = AttemptDeadline(attempt(start=10), now=7)
    assert deadline.close_at == 7 + 10 * S
    assert deadline.next_at() == 7 + 10 * S + GRACE_NS


def test_deadline_of_schedule_to_close_counts_what_was_spent_before() -> None:
    assert AttemptDeadline(attempt(start=10, schedule=12, spent=5), now=0).close_at == 7 * S
    assert AttemptDeadline(attempt(start=10, schedule=12, spent=50), now=0).close_at == 0


def test_deadline_without_timeouts() -> None:
    deadline = AttemptDeadline(attempt(), now=0)
    assert (deadline.close_at, deadline.next_at()) == (None, None)


def test_deadline_moves_with_heartbeats_up_to_the_end() -> None:
    deadline = AttemptDeadline(attempt(start=10, heartbeat=3), now=0)
    assert deadline.next_at() == 3 * S + GRACE_NS
    deadline.heard_at = 2 * S
    assert deadline.next_at() == 5 * S + GRACE_NS
    deadline.heard_at = 9 * S
    assert deadline.next_at() == 10 * S + GRACE_NS


@pytest.mark.parametrize(
    ("polls", "ratio", "sticky", "shares"),
    [(5, 0.2, True, (1, 4)), (5, 0.2, False, (5, 0)), (10, 0.5, True, (5, 5)), (2, 0.2, True, (1, 1)),
     (5, 0.0, True, (1, 4)), (5, 1.0, True, (5, 1))],
)  # fmt: skip
def test_poll_shares(polls: int, ratio: float, sticky: bool, shares: tuple[int, int]) -> None:
    assert split_polls(polls, ratio, sticky) == shares


@pytest.mark.parametrize("error", [asyncio.CancelledError(), CancelledError()])
@pytest.mark.parametrize(
    ("why", "outcome"),
    [
        (None, Outcome.FAILED),
        (Details(cancel_requested=True), Outcome.CANCELED),
        (Details(not_found=True), Outcome.NOTHING),
        (Details(timed_out=True), Outcome.NOTHING),
        (Details(paused=True), Outcome.FAILED),
        (Details(reset=True), Outcome.FAILED),
        (Details(worker_shutdown=True), Outcome.FAILED),
    ],
)
def test_outcome_of_a_cancel(error: BaseException, why: Details | None, outcome: Outcome) -> None:
    assert outcome_of(error, why)[0] is outcome


@pytest.mark.parametrize(
    ("why", "type_"),
    [(Details(paused=True), "ActivityPause"), (Details(reset=True), "ActivityReset"),
     (Details(worker_shutdown=True), "WorkerShutdown")],
)  # fmt: skip
def test_a_cancel_that_nobody_asked_for_is_a_failure_of_its_own_type(why: Details, type_: str) -> None:
    reported = outcome_of(CancelledError(), why)[1]
    assert isinstance(reported, ApplicationError)
    assert reported.type == type_
    assert not reported.non_retryable


def test_another_error_fails_even_a_cancelled_attempt() -> None:
    error = ValueError()
    assert outcome_of(error, Details(cancel_requested=True)) == (Outcome.FAILED, error)
