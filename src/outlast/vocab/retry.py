"""Whether a failed attempt is tried again, and when: the one place where retry delays are computed.

Rule: a policy that is decided on is complete (`complete`) and valid (`validate`). Delays carry no jitter.
Source: semantics 3.1; service/history/workflow/retry.go of Temporal's server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

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
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import SECOND_NS, duration, from_duration

INITIAL_INTERVAL_NS: Final = SECOND_NS
BACKOFF_COEFFICIENT: Final = 2.0
MAXIMUM_INTERVAL_FACTOR: Final = 100

_INTERVAL_MAX_NS: Final = 2**63 - 1  # what the server's clock arithmetic can hold, about 292 years
_TIMEOUT_PREFIX: Final = "TemporalTimeout:"
_TIMEOUT_NAMES: Final = {
    TIMEOUT_TYPE_START_TO_CLOSE: "TemporalTimeout:StartToClose",
    TIMEOUT_TYPE_SCHEDULE_TO_START: "TemporalTimeout:ScheduleToStart",
    TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: "TemporalTimeout:ScheduleToClose",
    TIMEOUT_TYPE_HEARTBEAT: "TemporalTimeout:Heartbeat",
}
_SCHEDULE_TIMEOUTS: Final = frozenset({TIMEOUT_TYPE_SCHEDULE_TO_START, TIMEOUT_TYPE_SCHEDULE_TO_CLOSE})


class Verdict(NamedTuple):
    """`delay_ns` until the next attempt, None when there is none; `retry_state` says why."""

    delay_ns: int | None
    retry_state: int


class _Case(NamedTuple):
    policy: RetryPolicy
    attempt: int
    failure: Failure
    cancel_requested: bool


def complete(policy: RetryPolicy) -> RetryPolicy:
    """A copy with the defaults in place of what is unset. Source: semantics 3.1.1."""
    result = RetryPolicy()
    result.CopyFrom(policy)
    initial = from_duration(policy.initial_interval) or INITIAL_INTERVAL_NS
    result.initial_interval.CopyFrom(duration(initial))
    if not policy.backoff_coefficient:
        result.backoff_coefficient = BACKOFF_COEFFICIENT
    if not from_duration(policy.maximum_interval):
        result.maximum_interval.CopyFrom(duration(min(initial * MAXIMUM_INTERVAL_FACTOR, _INTERVAL_MAX_NS)))
    return result


def validate(policy: RetryPolicy, subject: str) -> None:
    """Refuse a policy that cannot be followed. A policy of exactly one attempt is never looked at further.

    Args:
        policy: complete or not; what is unset passes only where 0 does.
        subject: what the policy belongs to, as the message begins: "activity 'charge'".

    Raises:
        InvalidArgument: naming the subject, the rule and the cure. Source: semantics 3.1.6.
    """
    if policy.maximum_attempts == 1:
        return
    initial, maximum = from_duration(policy.initial_interval), from_duration(policy.maximum_interval)
    rules = (
        (initial >= 0, "initial_interval is below zero; give a positive length of time"),
        (policy.backoff_coefficient >= 1, "backoff_coefficient is below 1; give 1 for even delays or more to back off"),
        (maximum >= 0, "maximum_interval is below zero; give a positive length of time"),
        (not maximum or maximum >= initial, "maximum_interval is below initial_interval; raise it or leave it out"),
        (policy.maximum_attempts >= 0, "maximum_attempts is below zero; give 0 for no limit"),
    )
    for holds, problem in rules:
        if not holds:
            raise InvalidArgument(f"{subject}: retry policy: {problem}")
    for name in policy.non_retryable_error_types:
        if name.startswith(_TIMEOUT_PREFIX) and name not in _TIMEOUT_NAMES.values():
            known = ", ".join(_TIMEOUT_NAMES.values())
            raise InvalidArgument(f"{subject}: retry policy: {name!r} names no timeout; use one of {known}")


def interval_ns(policy: RetryPolicy, attempt: int) -> int:
    """The delay after failed attempt number `attempt` (from 1) of a complete policy. Source: semantics 3.1.2."""
    cap = from_duration(policy.maximum_interval) or _INTERVAL_MAX_NS
    try:
        interval = from_duration(policy.initial_interval) * policy.backoff_coefficient ** (attempt - 1)
    except OverflowError:
        return cap
    return int(min(interval, cap))


def decide(
    policy: RetryPolicy | None,
    *,
    attempt: int,
    failure: Failure,
    now: int,
    expires_at: int | None,
    cancel_requested: bool,
    is_workflow: bool,
) -> Verdict:
    """What follows a failed attempt.

    Args:
        policy: a complete policy, or None.
        attempt: the number of the attempt that failed, from 1.
        failure: how it failed. Only the top failure counts, never its causes.
        now: ns since the epoch.
        expires_at: ns since the epoch at which no attempt may begin any longer; None = never.
        cancel_requested: whether somebody asked to cancel what would be retried.
        is_workflow: a workflow, whose failure cannot ask for a delay above the policy's maximum.

    Source: semantics 3.1.2 to 3.1.5, which fix the order of the checks.
    """
    if policy is None:
        return Verdict(None, RETRY_STATE_RETRY_POLICY_NOT_SET)
    case = _Case(policy, attempt, failure, cancel_requested)
    for refuses, retry_state in _REFUSALS:
        if refuses(case):
            return Verdict(None, retry_state)
    delay_ns = _delay_ns(case, is_workflow)
    if expires_at is not None and now + delay_ns > expires_at:
        return Verdict(None, RETRY_STATE_TIMEOUT)
    return Verdict(delay_ns, RETRY_STATE_IN_PROGRESS)


def _cancel_requested(case: _Case) -> bool:
    return case.cancel_requested


def _schedule_timed_out(case: _Case) -> bool:
    return case.failure.timeout_failure_info.timeout_type in _SCHEDULE_TIMEOUTS


def _not_retryable(case: _Case) -> bool:
    kind = case.failure.WhichOneof("failure_info")
    check = _NOT_RETRYABLE.get(kind) if kind else None
    return check is not None and check(case)


def _attempts_used(case: _Case) -> bool:
    return 0 < case.policy.maximum_attempts <= case.attempt


def _application_not_retryable(case: _Case) -> bool:
    info = case.failure.application_failure_info
    return info.non_retryable or info.type in case.policy.non_retryable_error_types


def _server_not_retryable(case: _Case) -> bool:
    return case.failure.server_failure_info.non_retryable


def _timeout_not_retryable(case: _Case) -> bool:
    name = _TIMEOUT_NAMES.get(case.failure.timeout_failure_info.timeout_type)
    return name in case.policy.non_retryable_error_types


def _always(case: _Case) -> bool:
    return True


_REFUSALS: Final[tuple[tuple[Callable[[_Case], bool], int], ...]] = (
    (_cancel_requested, RETRY_STATE_CANCEL_REQUESTED),
    (_schedule_timed_out, RETRY_STATE_TIMEOUT),
    (_not_retryable, RETRY_STATE_NON_RETRYABLE_FAILURE),
    (_attempts_used, RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED),
)

# Kinds of failure that are not named here are always retried. Source: semantics 3.1.4.
_NOT_RETRYABLE: Final[dict[str, Callable[[_Case], bool]]] = {
    "application_failure_info": _application_not_retryable,
    "server_failure_info": _server_not_retryable,
    "timeout_failure_info": _timeout_not_retryable,
    "canceled_failure_info": _always,
    "terminated_failure_info": _always,
}


def _delay_ns(case: _Case, is_workflow: bool) -> int:
    info = case.failure.application_failure_info
    if not info.HasField("next_retry_delay"):
        return interval_ns(case.policy, case.attempt)
    asked = max(from_duration(info.next_retry_delay), 0)
    cap = from_duration(case.policy.maximum_interval) if is_workflow else 0
    return min(asked, cap) if cap else asked
