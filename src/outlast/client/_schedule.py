"""A schedule as users define it: when it acts, what it does, and how.

Source: temporal.api.schedule.v1.Schedule, SchedulePolicies, ScheduleState, BackfillRequest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

import outlast.api.enums.v1 as enums
import outlast.api.schedule.v1 as schedule_api

from ._read_fields import duration
from ._schedule_action import ScheduleAction
from ._schedule_spec import ScheduleSpec

if TYPE_CHECKING:
    from ._client import Client


class ScheduleOverlapPolicy(IntEnum):
    """What is done when a workflow is to be started while the one before is still running."""

    SKIP = enums.SCHEDULE_OVERLAP_POLICY_SKIP
    """Nothing is started."""

    BUFFER_ONE = enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE
    """It is started when that one has closed; of several, the first."""

    BUFFER_ALL = enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL
    """All are started, one after the other."""

    CANCEL_OTHER = enums.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER
    """The one that runs is cancelled; it is started when that one has closed."""

    TERMINATE_OTHER = enums.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER
    """The one that runs is terminated, and it is started."""

    ALLOW_ALL = enums.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL
    """It is started beside it. No workflow gets the result of the one before."""


@dataclass
class ScheduleBackfill:
    """A stretch of time whose actions are taken now."""

    start_at: datetime
    """Its beginning, which belongs to it."""

    end_at: datetime
    """Its end, which belongs to it."""

    overlap: ScheduleOverlapPolicy | None = None
    """The schedule's policy if None."""

    def _to_proto(self) -> schedule_api.BackfillRequest:
        request = schedule_api.BackfillRequest(overlap_policy=int(self.overlap or 0))
        request.start_time.FromDatetime(self.start_at)
        request.end_time.FromDatetime(self.end_at)
        return request


@dataclass
class SchedulePolicy:
    """How a schedule acts."""

    overlap: ScheduleOverlapPolicy = field(default_factory=lambda: ScheduleOverlapPolicy.SKIP)
    """What is done when a workflow is still running."""

    catchup_window: timedelta | None = None
    """How late an action may be taken, for instance after the server was down; the server's default, a year, if
    None."""

    pause_on_failure: bool = False
    """Pause when a workflow fails or times out, after its retries."""

    @staticmethod
    def _from_proto(policies: schedule_api.SchedulePolicies) -> SchedulePolicy:
        return SchedulePolicy(
            overlap=ScheduleOverlapPolicy(policies.overlap_policy),
            catchup_window=duration(policies, "catchup_window"),
            pause_on_failure=policies.pause_on_failure,
        )

    def _to_proto(self) -> schedule_api.SchedulePolicies:
        policies = schedule_api.SchedulePolicies(
            overlap_policy=int(self.overlap), pause_on_failure=self.pause_on_failure
        )
        if self.catchup_window is not None:
            policies.catchup_window.FromTimedelta(self.catchup_window)
        return policies


@dataclass
class ScheduleState:
    """Whether a schedule acts."""

    note: str | None = None
    """Why it is as it is; the server writes one when a failure pauses it."""

    paused: bool = False
    """It takes no actions but those that are triggered or backfilled."""

    limited_actions: bool = False
    """Whether ``remaining_actions`` counts; on creation to be set together with it."""

    remaining_actions: int = 0
    """So many more actions are taken."""

    @staticmethod
    def _from_proto(state: schedule_api.ScheduleState) -> ScheduleState:
        return ScheduleState(
            note=state.notes or None,
            paused=state.paused,
            limited_actions=state.limited_actions,
            remaining_actions=state.remaining_actions,
        )

    def _to_proto(self) -> schedule_api.ScheduleState:
        return schedule_api.ScheduleState(
            notes=self.note or "",
            paused=self.paused,
            limited_actions=self.limited_actions,
            remaining_actions=self.remaining_actions,
        )


@dataclass
class Schedule:
    """What ``Client.create_schedule`` takes, and what an update changes."""

    action: ScheduleAction
    """What is done."""

    spec: ScheduleSpec
    """When."""

    policy: SchedulePolicy = field(default_factory=SchedulePolicy)
    """How."""

    state: ScheduleState = field(default_factory=ScheduleState)
    """Whether."""

    @staticmethod
    def _from_proto(schedule: schedule_api.Schedule) -> Schedule:
        return Schedule(
            action=ScheduleAction._from_proto(schedule.action),
            spec=ScheduleSpec._from_proto(schedule.spec),
            policy=SchedulePolicy._from_proto(schedule.policies),
            state=ScheduleState._from_proto(schedule.state),
        )

    async def _to_proto(self, client: Client) -> schedule_api.Schedule:
        return schedule_api.Schedule(
            spec=self.spec._to_proto(),
            action=await self.action._to_proto(client),
            policies=self.policy._to_proto(),
            state=self.state._to_proto(),
        )
