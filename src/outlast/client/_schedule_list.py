"""Lists of schedules.

Source: temporal.api.schedule.v1.ScheduleListEntry, ScheduleListInfo.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import outlast.api.schedule.v1 as schedule_api
from outlast.api.common.v1 import Memo
from outlast.api.workflowservice.v1 import ListSchedulesRequest
from outlast.common import SearchAttributes, TypedSearchAttributes
from outlast.converter import DataConverter, decode_search_attributes, decode_typed_search_attributes

from ._memo import _WithMemo
from ._pages import _Pages
from ._schedule_description import ScheduleActionResult
from ._schedule_inputs import ListSchedulesInput
from ._schedule_spec import ScheduleSpec


class ScheduleListAction(ABC):
    """What a schedule of a list does: ``ScheduleListActionStartWorkflow``."""


@dataclass
class ScheduleListActionStartWorkflow(ScheduleListAction):
    """Starts a workflow."""

    workflow: str
    """Name of its workflow class."""


@dataclass
class ScheduleListState:
    """Whether a schedule of a list acts."""

    note: str | None
    """Why it is as it is."""

    paused: bool
    """Whether it is paused."""

    @staticmethod
    def _from_proto(info: schedule_api.ScheduleListInfo) -> ScheduleListState:
        return ScheduleListState(note=info.notes or None, paused=info.paused)


@dataclass
class ScheduleListSchedule:
    """The definition of a schedule, as a list shows it."""

    action: ScheduleListAction
    """What is done."""

    spec: ScheduleSpec
    """When."""

    state: ScheduleListState
    """Whether."""

    @staticmethod
    def _from_proto(info: schedule_api.ScheduleListInfo) -> ScheduleListSchedule:
        if not info.HasField("workflow_type"):
            raise ValueError("Unknown action on schedule")
        return ScheduleListSchedule(
            action=ScheduleListActionStartWorkflow(workflow=info.workflow_type.name),
            spec=ScheduleSpec._from_proto(info.spec),
            state=ScheduleListState._from_proto(info),
        )


@dataclass
class ScheduleListInfo:
    """What a schedule has done and will do, as a list shows it."""

    recent_actions: Sequence[ScheduleActionResult]
    """The last five, the latest at the end."""

    next_action_times: Sequence[datetime]
    """The next five."""

    @staticmethod
    def _from_proto(info: schedule_api.ScheduleListInfo) -> ScheduleListInfo:
        return ScheduleListInfo(
            recent_actions=[ScheduleActionResult._from_proto(each) for each in info.recent_actions],
            next_action_times=[each.ToDatetime(tzinfo=UTC) for each in info.future_action_times],
        )


@dataclass
class ScheduleListDescription(_WithMemo):
    """One schedule of a list."""

    id: str
    """Its id."""

    schedule: ScheduleListSchedule | None
    """Its definition; old servers without advanced visibility have none here."""

    info: ScheduleListInfo | None
    """What it has done; old servers without advanced visibility have none here."""

    typed_search_attributes: TypedSearchAttributes
    """Those of the schedule, not of its workflows."""

    search_attributes: SearchAttributes
    """Deprecated form of ``typed_search_attributes``."""

    data_converter: DataConverter
    """Converts the memo."""

    raw_entry: schedule_api.ScheduleListEntry
    """The API message; shared, not to be changed."""

    @staticmethod
    def _from_proto(entry: schedule_api.ScheduleListEntry, converter: DataConverter) -> ScheduleListDescription:
        told = entry.HasField("info")
        return ScheduleListDescription(
            id=entry.schedule_id,
            schedule=ScheduleListSchedule._from_proto(entry.info) if told else None,
            info=ScheduleListInfo._from_proto(entry.info) if told else None,
            typed_search_attributes=decode_typed_search_attributes(entry.search_attributes),
            search_attributes=decode_search_attributes(entry.search_attributes),
            data_converter=converter,
            raw_entry=entry,
        )

    @property
    def _memo(self) -> Memo:
        return self.raw_entry.memo


class ScheduleAsyncIterator(_Pages[ScheduleListDescription, ListSchedulesInput]):
    """Fetches schedules as they are asked for; use it with ``async for``."""

    async def _fetch(self, size: int, token: bytes) -> tuple[Sequence[ScheduleListDescription], bytes]:
        client, input = self._client, self._input
        response = await client.workflow_service.list_schedules(
            ListSchedulesRequest(
                namespace=client.namespace, maximum_page_size=size, next_page_token=token, query=input.query or ""
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        found = [ScheduleListDescription._from_proto(entry, client.data_converter) for entry in response.schedules]
        return found, response.next_page_token
