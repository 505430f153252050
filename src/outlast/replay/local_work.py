"""What a run and its worker tell each other about local activities: what to run, and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from outlast.api.common.v1 import Payload, RetryPolicy
from outlast.api.failure.v1 import Failure
from outlast.converter import PayloadConverter, arguments_to_payloads
from outlast.vocab.retry import complete
from outlast.vocab.times import SECOND_NS

from .local_marker import Resolution

if TYPE_CHECKING:
    from outlast.workflow._calls import StartLocalActivityInput

    from .context import RunContext

# A backoff longer than this does not keep a workflow task waiting. Source: sdk-core ``local_activities.rs``.
RETRY_THRESHOLD_NS = 60 * SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTask:
    """A local activity to run.

    Attributes:
        attempt: 0 for a new one; else the number of the next attempt, after a durable backoff.
        original_scheduled_at: when the first attempt was scheduled, in the workflow's time.
        schedule_to_close_ns, schedule_to_start_ns, start_to_close_ns: 0 for none.
        retry_policy: complete.
        retry_threshold_ns: a longer backoff than this is the workflow's, not the worker's.
    """

    seq: int
    activity_id: str
    activity_type: str
    workflow_id: str
    workflow_type: str
    run_id: str
    input: Sequence[Payload]
    headers: Mapping[str, Payload]
    attempt: int
    original_scheduled_at: int
    schedule_to_close_ns: int
    schedule_to_start_ns: int
    start_to_close_ns: int
    retry_policy: RetryPolicy
    retry_threshold_ns: int

    def resolution(self, *, attempt: int, **outcome: Any) -> Resolution:
        """How this one ended."""
        return Resolution(
            seq=self.seq,
            activity_id=self.activity_id,
            activity_type=self.activity_type,
            attempt=attempt,
            original_scheduled_at=self.original_scheduled_at,
            **outcome,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOutcome:
    """How a local activity went: a result or a failure.

    Attributes:
        attempt: the last one.
        runtime_ns: of that attempt.
        backoff_ns: the failure is to be retried after so long, which is more than the worker waits by itself.
    """

    seq: int
    attempt: int
    runtime_ns: int
    result: Payload | None = None
    failure: Failure | None = None
    backoff_ns: int | None = None


def task_of(
    context: RunContext,
    call: StartLocalActivityInput,
    seq: int,
    activity_id: str,
    converter: PayloadConverter,
    attempt: int,
    scheduled_at: int,
) -> LocalTask:
    """The work that workflow code asks for."""
    policy = RetryPolicy()
    if call.retry_policy:
        call.retry_policy.apply_to_proto(policy)
    threshold = call.local_retry_threshold
    return LocalTask(
        seq=seq,
        activity_id=activity_id,
        activity_type=call.activity,
        workflow_id=context.beginning.workflow_id,
        workflow_type=context.beginning.workflow_type,
        run_id=context.beginning.run_id,
        input=arguments_to_payloads(converter, call.args, f"local activity {call.activity!r}") if call.args else [],
        headers=call.headers,
        attempt=attempt,
        original_scheduled_at=scheduled_at,
        schedule_to_close_ns=_nanoseconds(call.schedule_to_close_timeout),
        schedule_to_start_ns=_nanoseconds(call.schedule_to_start_timeout),
        start_to_close_ns=_nanoseconds(call.start_to_close_timeout),
        retry_policy=complete(policy),
        retry_threshold_ns=RETRY_THRESHOLD_NS if threshold is None else _nanoseconds(threshold),
    )


def _nanoseconds(value: timedelta | None) -> int:
    return 0 if value is None else value // timedelta(microseconds=1) * 1000
