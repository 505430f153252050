"""What the server knows about a standalone activity: the row of a list, and the description.

Source: temporal.api.activity.v1.ActivityExecutionListInfo and ActivityExecutionInfo, DescribeActivityExecutionResponse.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Self

import outlast.api.activity.v1 as activity_api
import outlast.api.enums.v1 as enums
from outlast.api.common.v1 import Payloads
from outlast.api.workflowservice.v1 import DescribeActivityExecutionResponse
from outlast.common import Priority, RetryPolicy, TypedSearchAttributes, WorkerDeploymentVersion
from outlast.converter import DataConverter, decode_typed_search_attributes

from ._read_fields import duration, instant


class ActivityExecutionStatus(IntEnum):
    """Where a standalone activity stands."""

    UNSPECIFIED = enums.ACTIVITY_EXECUTION_STATUS_UNSPECIFIED
    RUNNING = enums.ACTIVITY_EXECUTION_STATUS_RUNNING
    COMPLETED = enums.ACTIVITY_EXECUTION_STATUS_COMPLETED
    FAILED = enums.ACTIVITY_EXECUTION_STATUS_FAILED
    CANCELED = enums.ACTIVITY_EXECUTION_STATUS_CANCELED
    TERMINATED = enums.ACTIVITY_EXECUTION_STATUS_TERMINATED
    TIMED_OUT = enums.ACTIVITY_EXECUTION_STATUS_TIMED_OUT
    PAUSED = enums.ACTIVITY_EXECUTION_STATUS_PAUSED


class PendingActivityState(IntEnum):
    """What a standalone activity that runs is doing."""

    UNSPECIFIED = enums.PENDING_ACTIVITY_STATE_UNSPECIFIED
    SCHEDULED = enums.PENDING_ACTIVITY_STATE_SCHEDULED
    STARTED = enums.PENDING_ACTIVITY_STATE_STARTED
    CANCEL_REQUESTED = enums.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
    PAUSED = enums.PENDING_ACTIVITY_STATE_PAUSED
    PAUSE_REQUESTED = enums.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecution:
    """One run of a standalone activity, as a list shows it."""

    activity_id: str
    """Its id."""

    activity_run_id: str | None
    """Id of this run."""

    activity_type: str
    """Name of its function."""

    close_time: datetime | None
    """None while it runs."""

    execution_duration: timedelta | None
    """From schedule to close; None while it runs."""

    execution_time: datetime | None
    """When a worker could have it for the first time: schedule time and start delay."""

    namespace: str
    """Namespace it is in."""

    schedule_time: datetime
    """When it was started."""

    status: ActivityExecutionStatus
    """Where it stands."""

    task_queue: str
    """Queue of its tasks."""

    typed_search_attributes: TypedSearchAttributes
    """Its search attributes."""

    raw_info: activity_api.ActivityExecutionListInfo | activity_api.ActivityExecutionInfo = field(repr=False)
    """The API message; shared, not to be changed."""

    @classmethod
    def _from_raw_info(
        cls,
        info: activity_api.ActivityExecutionListInfo | activity_api.ActivityExecutionInfo,
        namespace: str,
        **additional_fields: Any,
    ) -> Self:
        return cls(
            activity_id=info.activity_id,
            activity_run_id=info.run_id or None,
            activity_type=info.activity_type.name,
            close_time=instant(info, "close_time"),
            execution_duration=duration(info, "execution_duration"),
            execution_time=instant(info, "execution_time"),
            namespace=namespace,
            schedule_time=instant(info, "schedule_time") or datetime.min,
            status=ActivityExecutionStatus(info.status),
            task_queue=info.task_queue,
            typed_search_attributes=decode_typed_search_attributes(info.search_attributes),
            raw_info=info,
            **additional_fields,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecutionDescription(ActivityExecution):
    """One run of a standalone activity in detail. What was not asked for at ``ActivityHandle.describe`` is missing."""

    attempt: int
    """Number of the attempt that runs or ran last; the first is 1."""

    canceled_reason: str | None
    """Why somebody asked for its cancellation."""

    current_retry_interval: timedelta | None
    """Pause before the next attempt."""

    expiration_time: datetime | None
    """When its schedule-to-close timeout strikes."""

    heartbeat_timeout: timedelta | None
    """Longest silence of a running attempt."""

    last_attempt_complete_time: datetime | None
    """When the last attempt ended."""

    last_deployment_version: WorkerDeploymentVersion | None
    """Version of the worker that got it last."""

    last_heartbeat_time: datetime | None
    """When it was last heard of."""

    last_started_time: datetime | None
    """When the last attempt began."""

    last_worker_identity: str | None
    """Worker of the last attempt."""

    next_attempt_schedule_time: datetime | None
    """When the next attempt comes."""

    priority: Priority
    """Order among waiting tasks."""

    retry_policy: RetryPolicy | None
    """When and how often it is tried again."""

    run_state: PendingActivityState | None
    """What it is doing; None when it does not run."""

    schedule_to_close_timeout: timedelta | None
    """From the start to the end of the last attempt."""

    schedule_to_start_timeout: timedelta | None
    """How long an attempt may wait for a worker."""

    start_to_close_timeout: timedelta | None
    """How long one attempt may take."""

    start_delay: timedelta | None
    """How long the first attempt was held back."""

    total_heartbeat_count: int
    """Heartbeats of all attempts."""

    raw_info: activity_api.ActivityExecutionInfo = field(repr=False)
    """The API message; shared, not to be changed."""

    raw_callbacks: Sequence[activity_api.CallbackInfo] = field(repr=False)
    """API messages of the callbacks that are due at its end."""

    raw_input: Payloads | None = field(repr=False)
    """The API message behind ``input``."""

    raw_outcome: activity_api.ActivityExecutionOutcome | None = field(repr=False)
    """The API message behind ``result`` and ``outcome_failure``."""

    data_converter: DataConverter = field(repr=False)
    """The client's converter in the context of this activity."""

    @classmethod
    def _from_response(
        cls, response: DescribeActivityExecutionResponse, namespace: str, converter: DataConverter
    ) -> Self:
        info = response.info
        version = info.last_deployment_version
        return cls._from_raw_info(
            info,
            namespace,
            attempt=info.attempt,
            canceled_reason=info.canceled_reason or None,
            current_retry_interval=duration(info, "current_retry_interval"),
            expiration_time=instant(info, "expiration_time"),
            heartbeat_timeout=duration(info, "heartbeat_timeout"),
            last_attempt_complete_time=instant(info, "last_attempt_complete_time"),
            last_deployment_version=(
                WorkerDeploymentVersion(deployment_name=version.deployment_name, build_id=version.build_id)
                if info.HasField("last_deployment_version")
                else None
            ),
            last_heartbeat_time=instant(info, "last_heartbeat_time"),
            last_started_time=instant(info, "last_started_time"),
            last_worker_identity=info.last_worker_identity or None,
            next_attempt_schedule_time=instant(info, "next_attempt_schedule_time"),
            priority=Priority._from_proto(info.priority),
            retry_policy=RetryPolicy.from_proto(info.retry_policy) if info.HasField("retry_policy") else None,
            run_state=PendingActivityState(info.run_state) if info.run_state else None,
            schedule_to_close_timeout=duration(info, "schedule_to_close_timeout"),
            schedule_to_start_timeout=duration(info, "schedule_to_start_timeout"),
            start_to_close_timeout=duration(info, "start_to_close_timeout"),
            start_delay=duration(info, "start_delay"),
            total_heartbeat_count=info.total_heartbeat_count,
            raw_callbacks=response.callbacks,
            raw_input=response.input if response.HasField("input") else None,
            raw_outcome=response.outcome if response.HasField("outcome") else None,
            data_converter=converter,
        )

    def has_heartbeat_details(self) -> bool:
        """Whether there are any, and they were asked for."""
        return self.raw_info.HasField("heartbeat_details")

    async def heartbeat_details(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """The details of the last heartbeat, one hint for each; None when there are none."""
        if not self.has_heartbeat_details():
            return None
        return await self.data_converter.decode_wrapper(self.raw_info.heartbeat_details, type_hints)

    def has_last_failure(self) -> bool:
        """Whether an attempt failed, and its failure was asked for."""
        return self.raw_info.HasField("last_failure")

    async def last_failure(self) -> BaseException | None:
        """What the last failed attempt failed with; None when none did."""
        return await self.data_converter.decode_failure(self.raw_info.last_failure) if self.has_last_failure() else None

    def has_input(self) -> bool:
        """Whether there is any, and it was asked for."""
        return self.raw_input is not None

    async def input(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """The arguments, one hint for each; None when there are none."""
        return await self.data_converter.decode_wrapper(self.raw_input, type_hints) if self.has_input() else None

    def has_result(self) -> bool:
        """Whether it completed, and its outcome was asked for."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("result")

    async def result(self, type_hint: type | None = None) -> Any | None:
        """What it returned; None when it did not complete."""
        if self.raw_outcome is None or not self.has_result():
            return None
        return await decode_result(self.data_converter, self.raw_outcome, type_hint)

    def has_outcome_failure(self) -> bool:
        """Whether it ended without a result, and its outcome was asked for."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("failure")

    async def outcome_failure(self) -> BaseException | None:
        """What it ended with instead of a result; None when it completed, or runs."""
        if self.raw_outcome is None or not self.has_outcome_failure():
            return None
        return await self.data_converter.decode_failure(self.raw_outcome.failure)


async def decode_result(
    converter: DataConverter, outcome: activity_api.ActivityExecutionOutcome, type_hint: type | None
) -> Any:
    """The value of an outcome that is a result."""
    results = await converter.decode_wrapper(outcome.result, [type_hint] if type_hint else None)
    if len(results) > 1:
        warnings.warn(f"Expected single activity result, got {len(results)}", stacklevel=2)
    return results[0] if results else None
