"""Lists and counts of standalone activities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outlast.api.workflowservice.v1 import CountActivityExecutionsResponse, ListActivityExecutionsRequest
from outlast.common import SearchAttributeValue
from outlast.converter import _decode_search_attribute_value

from ._activity_execution import ActivityExecution
from ._activity_inputs import ListActivitiesInput
from ._pages import _Pages

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class ActivityExecutionCountAggregationGroup:
    """One group of a count with GROUP BY."""

    count: int
    """Activities in it."""

    group_values: Sequence[SearchAttributeValue]
    """What they have in common, in the order of the clause."""

    @staticmethod
    def _from_raw(raw: CountActivityExecutionsResponse.AggregationGroup) -> ActivityExecutionCountAggregationGroup:
        return ActivityExecutionCountAggregationGroup(
            count=raw.count, group_values=[_decode_search_attribute_value(value) for value in raw.group_values]
        )


@dataclass(frozen=True)
class ActivityExecutionCount:
    """How many activities a query matches."""

    count: int
    """All of them; with GROUP BY, the sum of the groups."""

    groups: Sequence[ActivityExecutionCountAggregationGroup]
    """Empty without GROUP BY."""

    @staticmethod
    def _from_raw(raw: CountActivityExecutionsResponse) -> ActivityExecutionCount:
        return ActivityExecutionCount(
            count=raw.count, groups=[ActivityExecutionCountAggregationGroup._from_raw(group) for group in raw.groups]
        )


class ActivityExecutionAsyncIterator(_Pages[ActivityExecution, ListActivitiesInput]):
    """Fetches executions as they are asked for; use it with ``async for``."""

    async def _fetch(self, size: int, token: bytes) -> tuple[Sequence[ActivityExecution], bytes]:
        client, input = self._client, self._input
        response = await client.workflow_service.list_activity_executions(
            ListActivityExecutionsRequest(
                namespace=client.namespace, page_size=size, next_page_token=token, query=input.query or ""
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        executions = [ActivityExecution._from_raw_info(info, client.namespace) for info in response.executions]
        return executions, response.next_page_token
