"""A workflow's history: events page by page, and JSON as the UI, the CLI and other SDKs write it.

Source: proto3 JSON of temporal.api.history.v1.History; older tools write enum values in PascalCase.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor

import outlast.api.enums.v1 as enums
from outlast.api.history.v1 import History, HistoryEvent
from outlast.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest

if TYPE_CHECKING:
    from ._client import Client
    from ._inputs import FetchWorkflowHistoryEventsInput


class WorkflowHistoryEventFilterType(IntEnum):
    """Which events to fetch."""

    ALL_EVENT = enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
    CLOSE_EVENT = enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT


@dataclass(frozen=True)
class WorkflowHistory:
    """The events of one run, with the id of its workflow."""

    workflow_id: str
    """Not part of the JSON."""

    events: Sequence[HistoryEvent]
    """In order, from the first."""

    @property
    def run_id(self) -> str:
        """The run's id as the first event says it.

        Raises:
            RuntimeError: there are no events, or the first one does not start a workflow.
        """
        if not self.events:
            raise RuntimeError("No events")
        if not self.events[0].HasField("workflow_execution_started_event_attributes"):
            raise RuntimeError("First event is not workflow start")
        return self.events[0].workflow_execution_started_event_attributes.original_execution_run_id

    @staticmethod
    def from_json(workflow_id: str, history: str | dict[str, Any]) -> WorkflowHistory:
        """Read a history that the UI, the CLI or ``to_json`` wrote.

        Args:
            workflow_id: id of the workflow.
            history: the text, or what ``json.loads`` made of it; not changed.

        Raises:
            ValueError: it is not a history.
        """
        parsed = json.loads(history) if isinstance(history, str) else copy.deepcopy(history)
        if not isinstance(parsed, dict):
            raise ValueError("JSON history not a dictionary")
        events = parsed.get("events")
        if not isinstance(events, list):
            raise ValueError("History does not have iterable 'events'")
        if any(not isinstance(event, dict) for event in events):
            raise ValueError("Event not a dictionary")
        _restore_enum_names(parsed, History.DESCRIPTOR)
        return WorkflowHistory(workflow_id, json_format.ParseDict(parsed, History(), ignore_unknown_fields=True).events)

    def to_json(self) -> str:
        """The events as proto3 JSON, indented."""
        return json_format.MessageToJson(History(events=self.events))

    def to_json_dict(self) -> dict[str, Any]:
        """The events as proto3 JSON, before it is made text."""
        return json_format.MessageToDict(History(events=self.events))


_CAPITALS = re.compile("([A-Z]+)")


def _restore_enum_names(value: dict[str, Any], kind: Descriptor) -> None:
    """Turn ``"TimedOut"`` into ``"WORKFLOW_EXECUTION_STATUS_TIMED_OUT"`` wherever the descriptors expect an enum."""
    for field in kind.fields:
        for name in {field.name, field.json_name} & value.keys():
            if field.enum_type is not None:
                value[name] = _enum_names(value[name], field.enum_type)
            elif field.message_type is not None:
                _restore_in_messages(value[name], field.message_type)


def _enum_names(value: Any, kind: EnumDescriptor) -> Any:
    if isinstance(value, list):
        return [_enum_names(item, kind) for item in value]
    if not isinstance(value, str) or value in kind.values_by_name:
        return value
    # All values share the prefix of the first one, "TIMEOUT_TYPE_UNSPECIFIED".
    return kind.values[0].name.removesuffix("_UNSPECIFIED") + _CAPITALS.sub(r"_\1", value).upper()


def _restore_in_messages(value: Any, kind: Descriptor) -> None:
    candidates = value if isinstance(value, list) else [value]
    if kind.GetOptions().map_entry:
        inner = kind.fields_by_name["value"].message_type
        if inner is None or not isinstance(value, dict):
            return
        kind, candidates = inner, list(value.values())
    for candidate in candidates:
        if isinstance(candidate, dict):
            _restore_enum_names(candidate, kind)


class WorkflowHistoryEventAsyncIterator:
    """Fetches events as they are asked for; use it with ``async for``."""

    def __init__(self, client: Client, input: FetchWorkflowHistoryEventsInput) -> None:
        """Made by ``WorkflowHandle.fetch_history_events``."""
        self._client = client
        self._input = input
        self._next_page_token = input.next_page_token
        self._current_page: Sequence[HistoryEvent] | None = None
        self._current_page_index = 0

    @property
    def current_page_index(self) -> int:
        """Position in the page of the event that comes next."""
        return self._current_page_index

    @property
    def current_page(self) -> Sequence[HistoryEvent] | None:
        """The page fetched last; None before the first."""
        return self._current_page

    @property
    def next_page_token(self) -> bytes | None:
        """Token of the page after this one; None when there is none."""
        return self._next_page_token

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Fetch a page, of this many events at most."""
        input = self._input
        request = GetWorkflowExecutionHistoryRequest()
        request.namespace = self._client.namespace
        request.execution.workflow_id = input.id
        request.execution.run_id = input.run_id or ""
        request.maximum_page_size = page_size or input.page_size or 0
        request.next_page_token = self._next_page_token or b""
        request.wait_new_event = input.wait_new_event
        request.history_event_filter_type = int(input.event_filter_type)
        request.skip_archival = input.skip_archival
        response = await self._client.workflow_service.get_workflow_execution_history(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )
        assert not response.raw_history, "the server sent raw history, which was not asked for"
        self._current_page = response.history.events
        self._current_page_index = 0
        self._next_page_token = response.next_page_token or None

    def __aiter__(self) -> WorkflowHistoryEventAsyncIterator:
        """This iterator."""
        return self

    async def __anext__(self) -> HistoryEvent:
        """The next event; fetches a page when this one is used up."""
        while self._current_page is None or self._current_page_index >= len(self._current_page):
            if self._current_page is not None and self._next_page_token is None:
                raise StopAsyncIteration
            await self.fetch_next_page()
        event = self._current_page[self._current_page_index]
        self._current_page_index += 1
        return event
