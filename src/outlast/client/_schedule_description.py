"""What the server knows about a schedule: the description, and what an update makes of it.

Source: temporal.api.schedule.v1.ScheduleInfo, DescribeScheduleResponse.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import outlast.api.common.v1 as common_api
import outlast.api.schedule.v1 as schedule_api
from outlast.api.common.v1 import Memo
from outlast.api.workflowservice.v1 import DescribeScheduleResponse
from outlast.common import SearchAttributes, TypedSearchAttributes
from outlast.converter import DataConverter, decode_search_attributes, decode_typed_search_attributes

from ._memo import _WithMemo
from ._read_fields import instant
from ._schedule import Schedule


class ScheduleActionExecution(ABC):
    """An action that was taken: ``ScheduleActionExecutionStartWorkflow``."""


@dataclass
class ScheduleActionExecutionStartWorkflow(ScheduleActionExecution):
    """A workflow that was started."""

    workflow_id: str
    """Its id."""

    first_execution_run_id: str
    """Id of the first run of its chain."""

    @staticmethod
    def _from_proto(execution: common_api.WorkflowExecution) -> ScheduleActionExecutionStartWorkflow:
        return ScheduleActionExecutionStartWorkflow(
            workflow_id=execution.workflow_id, first_execution_run_id=execution.run_id
        )


@dataclass
class ScheduleActionResult:
    """An action, and when it was taken."""

    scheduled_at: datetime
    """When it was due, jitter included."""

    started_at: datetime
    """When it was taken."""

    action: ScheduleActionExecution
    """What was done."""

    @staticmethod
    def _from_proto(result: schedule_api.ScheduleActionResult) -> ScheduleActionResult:
        return ScheduleActionResult(
            scheduled_at=result.schedule_time.ToDatetime(tzinfo=UTC),
            started_at=result.actual_time.ToDatetime(tzinfo=UTC),
            action=ScheduleActionExecutionStartWorkflow._from_proto(result.start_workflow_result),
        )


@dataclass
class ScheduleInfo:
    """What a schedule has done and will do."""

    num_actions: int
    """Actions that were taken."""

    num_actions_missed_catchup_window: int
    """Actions that were left out because they would have been too late."""

    num_actions_skipped_overlap: int
    """Actions that were left out because a workflow was running."""

    running_actions: Sequence[ScheduleActionExecution]
    """What is running now; without those that may overlap."""

    recent_actions: Sequence[ScheduleActionResult]
    """The last ten, the latest at the end."""

    next_action_times: Sequence[datetime]
    """The next ten."""

    created_at: datetime
    """When it was created."""

    last_updated_at: datetime | None
    """When it was updated last; None if never."""

    @staticmethod
    def _from_proto(info: schedule_api.ScheduleInfo) -> ScheduleInfo:
        return ScheduleInfo(
            num_actions=info.action_count,
            num_actions_missed_catchup_window=info.missed_catchup_window,
            num_actions_skipped_overlap=info.overlap_skipped,
            running_actions=[ScheduleActionExecutionStartWorkflow._from_proto(each) for each in info.running_workflows],
            recent_actions=[ScheduleActionResult._from_proto(each) for each in info.recent_actions],
            next_action_times=[each.ToDatetime(tzinfo=UTC) for each in info.future_action_times],
            created_at=info.create_time.ToDatetime(tzinfo=UTC),
            last_updated_at=instant(info, "update_time"),
        )


@dataclass
class ScheduleDescription(_WithMemo):
    """Everything about a schedule."""

    id: str
    """Its id."""

    schedule: Schedule
    """As it is defined now; the arguments and the memo of its workflow are payloads."""

    info: ScheduleInfo
    """What it has done."""

    typed_search_attributes: TypedSearchAttributes
    """Those of the schedule, not of its workflows."""

    search_attributes: SearchAttributes
    """Deprecated form of ``typed_search_attributes``."""

    data_converter: DataConverter
    """Converts the memo."""

    raw_description: DescribeScheduleResponse
    """The API message; shared, not to be changed."""

    @staticmethod
    def _from_proto(id: str, description: DescribeScheduleResponse, converter: DataConverter) -> ScheduleDescription:
        return ScheduleDescription(
            id=id,
            schedule=Schedule._from_proto(description.schedule),
            info=ScheduleInfo._from_proto(description.info),
            typed_search_attributes=decode_typed_search_attributes(description.search_attributes),
            search_attributes=decode_search_attributes(description.search_attributes),
            data_converter=converter,
            raw_description=description,
        )

    @property
    def _memo(self) -> Memo:
        return self.raw_description.memo


@dataclass
class ScheduleUpdateInput:
    """What ``ScheduleHandle.update`` calls its callback with."""

    description: ScheduleDescription
    """The schedule as it is."""


@dataclass
class ScheduleUpdate:
    """What a callback of ``ScheduleHandle.update`` answers."""

    schedule: Schedule
    """The schedule from now on."""

    search_attributes: TypedSearchAttributes | None = None
    """Those of the schedule from now on; None leaves them as they are."""
