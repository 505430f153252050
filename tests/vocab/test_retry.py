"""Retry: defaults, refusals, intervals, and the order in which a verdict is reached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlast.api.common.v1 import RetryPolicy
from outlast.api.enums.v1 import (
    RETRY_STATE_CANCEL_REQUESTED,
    RETRY_STATE_IN_PROGRESS,
    RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    RETRY_STATE_NON_RETRYABLE_FAILURE,
    RETRY_STATE_RETRY_POLICY_NOT_SET,
    RETRY_STATE_TIMEOUT,
    TIMEOUT_TYPE_HEARTBEAT,
    TIMEOUT_TYPE_SCHEDULE_TO_CLOSE,
    TIMEOUT_TYPE_SCHEDULE_TO_START,
    TIMEOUT_TYPE_START_TO_CLOSE,
)
from outlast.api.failure.v1 import Failure
from outlast.vocab import failures, retry
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.retry import Verdict
from outlast.vocab.times import duration, from_duration

SECOND = 10**9


def policy(**fields: object) -> RetryPolicy:
    return retry.complete(RetryPolicy(**fields))  # type: ignore[arg-type]


def decide(given: RetryPolicy | None, failure: Failure, **changes: object) -> Verdict:
    arguments = {"attempt": 1, "now": 1000, "expires_at": None, "cancel_requested": False, "is_workflow": False}
    return retry.decide(given, failure=failure, **{**arguments, **changes})  # type: ignore[arg-type]


def test_what_is_unset_gets_the_defaults() -> None:
    filled = retry.complete(RetryPolicy())
    assert from_duration(filled.initial_interval) == SECOND
    assert from_duration(filled.maximum_interval) == 100 * SECOND
    assert (filled.backoff_coefficient, filled.maximum_attempts) == (2.0, 0)


def test_what_is_set_stays_and_the_argument_is_not_touched() -> None:
    given = RetryPolicy(initial_interval=duration(5), maximum_attempts=3, non_retryable_error_types=["E"])
    before = RetryPolicy.FromString(given.SerializeToString())
    filled = retry.complete(given)
    assert given == before
    assert from_duration(filled.maximum_interval) == 500
    assert (filled.maximum_attempts, list(filled.non_retryable_error_types)) == (3, ["E"])
    assert retry.complete(filled) == filled


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"initial_interval": duration(-1)}, "initial_interval"),
        ({"backoff_coefficient": 0.5}, "backoff_coefficient"),
        ({"backoff_coefficient": float("nan")}, "backoff_coefficient"),
        ({"maximum_interval": duration(-1)}, "maximum_interval"),
        ({"initial_interval": duration(10), "maximum_interval": duration(9)}, "maximum_interval"),
        ({"maximum_attempts": -1}, "maximum_attempts"),
        ({"non_retryable_error_types": ["TemporalTimeout:Lunch"]}, "TemporalTimeout:Lunch"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^activity 'charge': .*{problem}"):
        retry.validate(policy(**fields), "activity 'charge'")


def test_a_single_attempt_needs_no_valid_policy() -> None:
    retry.validate(RetryPolicy(maximum_attempts=1, backoff_coefficient=0.1, initial_interval=duration(-5)), "activity")


def test_the_defaults_are_valid() -> None:
    retry.validate(policy(non_retryable_error_types=["CardError", "TemporalTimeout:Heartbeat"]), "activity")


def test_intervals_double_up_to_the_maximum() -> None:
    given = policy(maximum_interval=duration(5 * SECOND))
    assert [retry.interval_ns(given, attempt) for attempt in (1, 2, 3, 4, 5)] == [
        SECOND,
        2 * SECOND,
        4 * SECOND,
        5 * SECOND,
        5 * SECOND,
    ]


@given(
    initial=st.integers(1, 10**15),
    factor=st.floats(1, allow_nan=False),
    maximum=st.integers(0, 10**18),
    attempt=st.integers(1, 2**31 - 1),
)
def test_intervals_never_overflow_or_shrink(initial: int, factor: float, maximum: int, attempt: int) -> None:
    maximum = maximum and max(maximum, initial)
    given = policy(initial_interval=duration(initial), backoff_coefficient=factor, maximum_interval=duration(maximum))
    interval = retry.interval_ns(given, attempt)
    assert initial * 0.999 <= interval <= from_duration(given.maximum_interval)
    assert interval <= retry.interval_ns(given, attempt + 1)


OPEN = failures.application("m", "CardError")


@pytest.mark.parametrize(
    ("failure", "retry_state"),
    [
        (OPEN, RETRY_STATE_IN_PROGRESS),
        (failures.application("m", non_retryable=True), RETRY_STATE_NON_RETRYABLE_FAILURE),
        (failures.application("m", "Fatal"), RETRY_STATE_NON_RETRYABLE_FAILURE),
        (failures.application("m", "Fatality"), RETRY_STATE_IN_PROGRESS),
        (failures.application("m", cause=failures.application("m", "Fatal")), RETRY_STATE_IN_PROGRESS),
        (failures.server("m"), RETRY_STATE_IN_PROGRESS),
        (failures.server("m", non_retryable=True), RETRY_STATE_NON_RETRYABLE_FAILURE),
        (failures.canceled(), RETRY_STATE_NON_RETRYABLE_FAILURE),
        (failures.terminated("m"), RETRY_STATE_NON_RETRYABLE_FAILURE),
        (failures.timeout(TIMEOUT_TYPE_START_TO_CLOSE, "m"), RETRY_STATE_IN_PROGRESS),
        (failures.timeout(TIMEOUT_TYPE_HEARTBEAT, "m"), RETRY_STATE_NON_RETRYABLE_FAILURE),
        (failures.timeout(TIMEOUT_TYPE_SCHEDULE_TO_START, "m"), RETRY_STATE_TIMEOUT),
        (failures.timeout(TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, "m"), RETRY_STATE_TIMEOUT),
        (Failure(message="of no kind"), RETRY_STATE_IN_PROGRESS),
    ],
)
def test_the_kind_of_failure_decides(failure: Failure, retry_state: int) -> None:
    given = policy(non_retryable_error_types=["Fatal", "TemporalTimeout:Heartbeat"])
    verdict = decide(given, failure)
    assert verdict.retry_state == retry_state
    assert (verdict.delay_ns is None) == (retry_state != RETRY_STATE_IN_PROGRESS)


def test_the_first_reason_in_temporals_order_is_the_answer() -> None:
    """Everything is wrong at once; take one reason away after the other."""
    given = policy(maximum_attempts=1, non_retryable_error_types=["CardError"])
    late = failures.timeout(TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, "m")
    everything = {"attempt": 1, "expires_at": 1, "cancel_requested": True}
    assert decide(None, late, **everything).retry_state == RETRY_STATE_RETRY_POLICY_NOT_SET
    assert decide(given, late, **everything).retry_state == RETRY_STATE_CANCEL_REQUESTED
    everything["cancel_requested"] = False
    assert decide(given, late, **everything).retry_state == RETRY_STATE_TIMEOUT
    assert decide(given, OPEN, **everything).retry_state == RETRY_STATE_NON_RETRYABLE_FAILURE
    other = failures.application("m")
    assert decide(given, other, **everything).retry_state == RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    assert decide(policy(), other, **everything) == Verdict(None, RETRY_STATE_TIMEOUT)
    assert decide(policy(), other) == Verdict(SECOND, RETRY_STATE_IN_PROGRESS)


def test_attempts_are_counted_from_one() -> None:
    given = policy(maximum_attempts=3)
    assert [decide(given, OPEN, attempt=n).delay_ns for n in (1, 2, 3)] == [SECOND, 2 * SECOND, None]


def test_a_retry_that_would_start_after_the_end_is_not_waited_for() -> None:
    assert decide(policy(), OPEN, expires_at=1000 + SECOND).delay_ns == SECOND
    assert decide(policy(), OPEN, expires_at=999 + SECOND) == Verdict(None, RETRY_STATE_TIMEOUT)


def test_a_failure_may_ask_for_its_own_delay() -> None:
    given = policy(maximum_interval=duration(10 * SECOND))
    asking = failures.application("m", next_retry_delay_ns=60 * SECOND)
    assert decide(given, asking).delay_ns == 60 * SECOND
    assert decide(given, asking, is_workflow=True).delay_ns == 10 * SECOND
    assert decide(given, failures.application("m", next_retry_delay_ns=0)).delay_ns == 0
    assert decide(given, asking, expires_at=1000 + 59 * SECOND).retry_state == RETRY_STATE_TIMEOUT
