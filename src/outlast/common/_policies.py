"""How runs, tasks and queries are to be treated: retries, id policies, priority, raw values.

Rule: plain values that the caller hands over; each knows how to become the matching API message, and refuses values
the server would refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import ClassVar

import outlast.api.common.v1 as common_api
import outlast.api.enums.v1 as enums


@dataclass
class RetryPolicy:
    """When and how often a failed activity or workflow is tried again."""

    initial_interval: timedelta = timedelta(seconds=1)
    """Wait before the second attempt."""

    backoff_coefficient: float = 2.0
    """Factor by which the wait grows after every attempt; at least 1."""

    maximum_interval: timedelta | None = None
    """Longest wait; None means 100 times ``initial_interval``."""

    maximum_attempts: int = 0
    """Attempts in total, the first one included; 0 means no limit, 1 means no retry."""

    non_retryable_error_types: Sequence[str] | None = None
    """Values of ``ApplicationError.type`` that end the retries at once (exact match, no inheritance)."""

    @staticmethod
    def from_proto(proto: common_api.RetryPolicy) -> RetryPolicy:
        """The policy that an API message describes; an absent maximum interval stays None."""
        return RetryPolicy(
            initial_interval=proto.initial_interval.ToTimedelta(),
            backoff_coefficient=proto.backoff_coefficient,
            maximum_interval=proto.maximum_interval.ToTimedelta() if proto.HasField("maximum_interval") else None,
            maximum_attempts=proto.maximum_attempts,
            non_retryable_error_types=list(proto.non_retryable_error_types) or None,
        )

    def apply_to_proto(self, proto: common_api.RetryPolicy) -> None:
        """Write this policy into an API message.

        Raises:
            ValueError: a negative interval or attempt count, a coefficient below 1, or a maximum interval below the
                initial one. Nothing is checked when ``maximum_attempts`` is 1, because then nothing is used.
        """
        self._validate()
        proto.initial_interval.FromTimedelta(self.initial_interval)
        proto.backoff_coefficient = self.backoff_coefficient
        proto.maximum_interval.FromTimedelta(self.maximum_interval or self.initial_interval * 100)
        proto.maximum_attempts = self.maximum_attempts
        if self.non_retryable_error_types:
            proto.non_retryable_error_types.extend(self.non_retryable_error_types)

    def _validate(self) -> None:
        if self.maximum_attempts == 1:
            return
        zero = timedelta()
        if self.initial_interval < zero:
            raise ValueError("Initial interval cannot be negative")
        if self.backoff_coefficient < 1:
            raise ValueError("Backoff coefficient cannot be less than 1")
        if self.maximum_interval:
            if self.maximum_interval < zero:
                raise ValueError("Maximum interval cannot be negative")
            if self.maximum_interval < self.initial_interval:
                raise ValueError("Maximum interval cannot be less than initial interval")
        if self.maximum_attempts < 0:
            raise ValueError("Maximum attempts cannot be negative")


class WorkflowIDReusePolicy(IntEnum):
    """Whether a start may take the id of a workflow that has already closed."""

    ALLOW_DUPLICATE = enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    ALLOW_DUPLICATE_FAILED_ONLY = enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
    REJECT_DUPLICATE = enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    TERMINATE_IF_RUNNING = enums.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING


class WorkflowIDConflictPolicy(IntEnum):
    """What a start does when a workflow of the same id is still running."""

    UNSPECIFIED = enums.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED
    FAIL = enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL
    USE_EXISTING = enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
    TERMINATE_EXISTING = enums.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING


class ActivityIDReusePolicy(IntEnum):
    """Whether a standalone activity may take the id of one that has already closed."""

    UNSPECIFIED = enums.ACTIVITY_ID_REUSE_POLICY_UNSPECIFIED
    ALLOW_DUPLICATE = enums.ACTIVITY_ID_REUSE_POLICY_ALLOW_DUPLICATE
    ALLOW_DUPLICATE_FAILED_ONLY = enums.ACTIVITY_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
    REJECT_DUPLICATE = enums.ACTIVITY_ID_REUSE_POLICY_REJECT_DUPLICATE


class ActivityIDConflictPolicy(IntEnum):
    """What the start of a standalone activity does when one of the same id is still running."""

    UNSPECIFIED = enums.ACTIVITY_ID_CONFLICT_POLICY_UNSPECIFIED
    FAIL = enums.ACTIVITY_ID_CONFLICT_POLICY_FAIL
    USE_EXISTING = enums.ACTIVITY_ID_CONFLICT_POLICY_USE_EXISTING


class NexusOperationIDReusePolicy(IntEnum):
    """Whether a standalone Nexus operation may take the id of one that has already closed."""

    UNSPECIFIED = enums.NEXUS_OPERATION_ID_REUSE_POLICY_UNSPECIFIED
    ALLOW_DUPLICATE = enums.NEXUS_OPERATION_ID_REUSE_POLICY_ALLOW_DUPLICATE
    ALLOW_DUPLICATE_FAILED_ONLY = enums.NEXUS_OPERATION_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
    REJECT_DUPLICATE = enums.NEXUS_OPERATION_ID_REUSE_POLICY_REJECT_DUPLICATE


class NexusOperationIDConflictPolicy(IntEnum):
    """What the start of a standalone Nexus operation does when one of the same id is still running."""

    UNSPECIFIED = enums.NEXUS_OPERATION_ID_CONFLICT_POLICY_UNSPECIFIED
    FAIL = enums.NEXUS_OPERATION_ID_CONFLICT_POLICY_FAIL
    USE_EXISTING = enums.NEXUS_OPERATION_ID_CONFLICT_POLICY_USE_EXISTING


class NexusOperationExecutionStatus(IntEnum):
    """Where a standalone Nexus operation stands."""

    UNSPECIFIED = enums.NEXUS_OPERATION_EXECUTION_STATUS_UNSPECIFIED
    RUNNING = enums.NEXUS_OPERATION_EXECUTION_STATUS_RUNNING
    COMPLETED = enums.NEXUS_OPERATION_EXECUTION_STATUS_COMPLETED
    FAILED = enums.NEXUS_OPERATION_EXECUTION_STATUS_FAILED
    CANCELED = enums.NEXUS_OPERATION_EXECUTION_STATUS_CANCELED
    TERMINATED = enums.NEXUS_OPERATION_EXECUTION_STATUS_TERMINATED
    TIMED_OUT = enums.NEXUS_OPERATION_EXECUTION_STATUS_TIMED_OUT


class PendingNexusOperationExecutionState(IntEnum):
    """What a running Nexus operation is waiting for."""

    UNSPECIFIED = enums.PENDING_NEXUS_OPERATION_STATE_UNSPECIFIED
    SCHEDULED = enums.PENDING_NEXUS_OPERATION_STATE_SCHEDULED
    BACKING_OFF = enums.PENDING_NEXUS_OPERATION_STATE_BACKING_OFF
    STARTED = enums.PENDING_NEXUS_OPERATION_STATE_STARTED
    BLOCKED = enums.PENDING_NEXUS_OPERATION_STATE_BLOCKED


class NexusOperationCancellationState(IntEnum):
    """How far the request to cancel a Nexus operation has come."""

    UNSPECIFIED = enums.NEXUS_OPERATION_CANCELLATION_STATE_UNSPECIFIED
    SCHEDULED = enums.NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED
    BACKING_OFF = enums.NEXUS_OPERATION_CANCELLATION_STATE_BACKING_OFF
    SUCCEEDED = enums.NEXUS_OPERATION_CANCELLATION_STATE_SUCCEEDED
    FAILED = enums.NEXUS_OPERATION_CANCELLATION_STATE_FAILED
    TIMED_OUT = enums.NEXUS_OPERATION_CANCELLATION_STATE_TIMED_OUT
    BLOCKED = enums.NEXUS_OPERATION_CANCELLATION_STATE_BLOCKED


class QueryRejectCondition(IntEnum):
    """Which workflow states make the server reject a query instead of running it."""

    NONE = enums.QUERY_REJECT_CONDITION_NONE
    NOT_OPEN = enums.QUERY_REJECT_CONDITION_NOT_OPEN
    NOT_COMPLETED_CLEANLY = enums.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY


class HeaderCodecBehavior(IntEnum):
    """Which headers the payload codec is applied to."""

    NO_CODEC = 1
    """None."""
    CODEC = 2
    """All that the client and the worker send or receive."""
    WORKFLOW_ONLY_CODEC = 3
    """Only those that travel with workflow tasks."""


@dataclass(frozen=True)
class RawValue:
    """A payload that is passed through without conversion, as an argument or a result.

    The codec still applies to it, the payload converter does not.
    """

    payload: common_api.Payload

    def __getstate__(self) -> object:
        """Pickle as one version byte and the serialized payload."""
        return b"1" + self.payload.SerializeToString()

    def __setstate__(self, state: object) -> None:
        """Restore what ``__getstate__`` wrote.

        Raises:
            TypeError: the state is not bytes.
            ValueError: the state has an unknown version.
        """
        if not isinstance(state, bytes):
            raise TypeError(f"Expected bytes state, got {type(state)}")
        if state[:1] != b"1":
            raise ValueError("Bad version prefix")
        object.__setattr__(self, "payload", common_api.Payload.FromString(state[1:]))


@dataclass(frozen=True)
class Priority:
    """Order among tasks that wait in one queue. An unset field is inherited from the calling workflow.

    ``priority_key`` decides first, then ``fairness_key`` with ``fairness_weight``.
    """

    priority_key: int | None = None
    """Positive; smaller runs sooner. The server's default range is 1 to 5, its default value 3."""

    fairness_key: str | None = None
    """Name of the group (a tenant, say) that shares the queue; at most 64 bytes."""

    fairness_weight: float | None = None
    """Share of the group; the server clamps it to 0.001..1000 and takes 1.0 when unset."""

    default: ClassVar[Priority]
    """The priority with nothing set."""

    @staticmethod
    def _from_proto(proto: common_api.Priority) -> Priority:
        return Priority(
            priority_key=proto.priority_key or None,
            fairness_key=proto.fairness_key or None,
            fairness_weight=proto.fairness_weight or None,
        )

    def _to_proto(self) -> common_api.Priority:
        return common_api.Priority(
            priority_key=self.priority_key or 0,
            fairness_key=self.fairness_key or "",
            fairness_weight=self.fairness_weight or 0.0,
        )

    def __post_init__(self) -> None:
        """Refuse a priority key that is not a positive integer."""
        if self.priority_key is not None:
            if not isinstance(self.priority_key, int):
                raise TypeError("priority_key must be an integer")
            if self.priority_key < 1:
                raise ValueError("priority_key must be a positive integer")


Priority.default = Priority()
