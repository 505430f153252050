"""Lists and counts of standalone activities, which have a division of the namespace to themselves.

Source: ListActivityExecutions, CountActivityExecutions; rule 3.11.6.
"""

from __future__ import annotations

from outlast.api.activity.v1 import ActivityExecutionListInfo
from outlast.api.common.v1 import ActivityType
from outlast.api.workflowservice.v1 import (
    CountActivityExecutionsRequest,
    CountActivityExecutionsResponse,
    ListActivityExecutionsRequest,
    ListActivityExecutionsResponse,
)
from outlast.engine.visibility import query
from outlast.engine.visibility.values import ACTIVITY_STATUS_NAMES
from outlast.storage.listing import BY_CLOSE_TIME, Listed
from outlast.vocab.divisions import ACTIVITIES, division
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import duration, timestamp

from ..context import CallContext
from ..node import Node
from . import visibility


async def list_all(
    node: Node, request: ListActivityExecutionsRequest, context: CallContext
) -> ListActivityExecutionsResponse:
    """One page of the activities that a list filter finds; a page has 1,000 at most, whatever is asked for."""
    division_id, asked = _asked(node, request)
    if asked.by_status:
        raise InvalidArgument("list filter: GROUP BY is for counts; use CountActivityExecutions")
    order = asked.order or BY_CLOSE_TIME
    page = await visibility.rows(node, division_id, asked.where, order, request.page_size, request.next_page_token)
    return ListActivityExecutionsResponse(
        executions=[_info(listed) for listed in page.rows], next_page_token=page.next_page_token
    )


async def count(
    node: Node, request: CountActivityExecutionsRequest, context: CallContext
) -> CountActivityExecutionsResponse:
    """How many activities a list filter finds, by status where it says so."""
    division_id, asked = _asked(node, request)
    if asked.order is not None:
        raise InvalidArgument("list filter: a count has no order; leave ORDER BY out")
    if not asked.by_status:
        return CountActivityExecutionsResponse(count=await node.storage.count_executions(division_id, asked.where))
    counts = await node.storage.count_executions_by_status(division_id, asked.where)
    groups = [
        CountActivityExecutionsResponse.AggregationGroup(
            group_values=[visibility.keyword(ACTIVITY_STATUS_NAMES[status])], count=number
        )
        for status, number in counts.items()
    ]
    return CountActivityExecutionsResponse(count=sum(counts.values()), groups=groups)


def _asked(
    node: Node, request: ListActivityExecutionsRequest | CountActivityExecutionsRequest
) -> tuple[str, query.ListQuery]:
    namespace_id = node.namespaces.id_of(request.namespace)
    asked = query.parse_activities(request.query, node.namespaces.search_attributes(namespace_id))
    return division(namespace_id, ACTIVITIES), asked


def _info(listed: Listed) -> ActivityExecutionListInfo:
    key, row = listed
    message = ActivityExecutionListInfo(
        activity_id=key.workflow_id,
        run_id=key.run_id,
        activity_type=ActivityType(name=row.workflow_type),
        schedule_time=timestamp(row.start_time),
        status=row.status,
        task_queue=row.task_queue,
        state_transition_count=row.state_transition_count,
        state_size_bytes=row.history_size_bytes,
        execution_time=timestamp(row.execution_time),
    )
    message.search_attributes.MergeFromString(row.search_attributes)
    if row.close_time is not None:
        message.close_time.CopyFrom(timestamp(row.close_time))
        message.execution_duration.CopyFrom(duration(row.close_time - row.start_time))
    return message
