"""Lists and counts of workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from outlast.api.workflowservice.v1 import CountWorkflowExecutionsResponse, ListWorkflowExecutionsRequest
from outlast.common import SearchAttributeValue
from outlast.converter import _decode_search_attribute_value

from ._history import WorkflowHistory, WorkflowHistoryEventFilterType
from ._workflow_execution import WorkflowExecution

if TYPE_CHECKING:
    from ._client import Client
    from ._inputs import ListWorkflowsInput


@dataclass
class WorkflowExecutionCountAggregationGroup:
    """One group of a count with GROUP BY."""

    count: int
    """Workflows in it."""

    group_values: Sequence[SearchAttributeValue]
    """What they have in common, in the order of the clause."""

    @staticmethod
    def _from_raw(
        raw: CountWorkflowExecutionsResponse.AggregationGroup,
    ) -> WorkflowExecutionCountAggregationGroup:
        return WorkflowExecutionCountAggregationGroup(
            count=raw.count, group_values=[_decode_search_attribute_value(value) for value in raw.group_values]
        )


@dataclass
class WorkflowExecutionCount:
    """How many workflows a query matches."""

    count: int
    """All of them; with GROUP BY, the sum of the groups."""

    groups: Sequence[WorkflowExecutionCountAggregationGroup]
    """Empty without GROUP BY."""

    @staticmethod
    def _from_raw(raw: CountWorkflowExecutionsResponse) -> WorkflowExecutionCount:
        return WorkflowExecutionCount(
            count=raw.count, groups=[WorkflowExecutionCountAggregationGroup._from_raw(group) for group in raw.groups]
        )


class WorkflowExecutionAsyncIterator:
    """Fetches executions as they are asked for; use it with ``async for``."""

    def __init__(self, client: Client, input: ListWorkflowsInput) -> None:
        """Made by ``Client.list_workflows``."""
        self._client = client
        self._input = input
        self._next_page_token = input.next_page_token
        self._current_page: Sequence[WorkflowExecution] | None = None
        self._current_page_index = 0
        self._limit = input.limit
        self._yielded = 0

    @property
    def current_page_index(self) -> int:
        """Position in the page of the execution that comes next."""
        return self._current_page_index

    @property
    def current_page(self) -> Sequence[WorkflowExecution] | None:
        """The page fetched last; None before the first."""
        return self._current_page

    @property
    def next_page_token(self) -> bytes | None:
        """Token of the page after this one; None when there is none."""
        return self._next_page_token

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Fetch a page, of this many executions at most."""
        size = page_size or self._input.page_size
        if self._limit is not None:
            size = min(size, self._limit - self._yielded)
        response = await self._client.workflow_service.list_workflow_executions(
            ListWorkflowExecutionsRequest(
                namespace=self._client.namespace,
                page_size=size,
                next_page_token=self._next_page_token or b"",
                query=self._input.query or "",
            ),
            retry=True,
            metadata=self._input.rpc_metadata,
            timeout=self._input.rpc_timeout,
        )
        self._current_page = [
            WorkflowExecution._from_raw_info(info, self._client.namespace, self._client.data_converter)
            for info in response.executions
        ]
        self._current_page_index = 0
        self._next_page_token = response.next_page_token or None

    def __aiter__(self) -> WorkflowExecutionAsyncIterator:
        """This iterator."""
        return self

    async def __anext__(self) -> WorkflowExecution:
        """The next execution; fetches a page when this one is used up."""
        if self._limit is not None and self._yielded >= self._limit:
            raise StopAsyncIteration
        while self._current_page is None or self._current_page_index >= len(self._current_page):
            if self._current_page is not None and self._next_page_token is None:
                raise StopAsyncIteration
            await self.fetch_next_page()
        execution = self._current_page[self._current_page_index]
        self._current_page_index += 1
        self._yielded += 1
        return execution

    async def map_histories(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> AsyncIterator[WorkflowHistory]:
        """The history of every execution of the list; parameters as in ``WorkflowHandle.fetch_history``."""
        async for execution in self:
            handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
            yield await handle.fetch_history(
                event_filter_type=event_filter_type,
                skip_archival=skip_archival,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
