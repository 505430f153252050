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
from ._inputs import ListWorkflowsInput
from ._pages import _Pages
from ._workflow_execution import WorkflowExecution

if TYPE_CHECKING:
    pass


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


class WorkflowExecutionAsyncIterator(_Pages[WorkflowExecution, ListWorkflowsInput]):
    """Fetches executions as they are asked for; use it with ``async for``."""

    async def _fetch(self, size: int, token: bytes) -> tuple[Sequence[WorkflowExecution], bytes]:
        client, input = self._client, self._input
        response = await client.workflow_service.list_workflow_executions(
            ListWorkflowExecutionsRequest(
                namespace=client.namespace, page_size=size, next_page_token=token, query=input.query or ""
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        executions = [
            WorkflowExecution._from_raw_info(info, client.namespace, client.data_converter)
            for info in response.executions
        ]
        return executions, response.next_page_token

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
