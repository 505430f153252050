"""Lists and counts of workflows. What a caller was told is in the lists: the row is part of the commit.

Source: ListWorkflowExecutions, CountWorkflowExecutions and their older forms; rules 3.11.4 to 3.11.7.
"""

from __future__ import annotations

from outlast.api.common.v1 import Payload
from outlast.api.enums import v1 as _e
from outlast.api.filter.v1 import StartTimeFilter
from outlast.api.workflow.v1 import WorkflowExecutionInfo
from outlast.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    CountWorkflowExecutionsResponse,
    GetSearchAttributesRequest,
    GetSearchAttributesResponse,
    ListClosedWorkflowExecutionsRequest,
    ListClosedWorkflowExecutionsResponse,
    ListOpenWorkflowExecutionsRequest,
    ListOpenWorkflowExecutionsResponse,
    ListWorkflowExecutionsRequest,
    ListWorkflowExecutionsResponse,
    ScanWorkflowExecutionsRequest,
    ScanWorkflowExecutionsResponse,
)
from outlast.engine.visibility import query
from outlast.engine.visibility.values import STATUS_NAMES
from outlast.storage.errors import BadPageToken
from outlast.storage.listing import BY_CLOSE_TIME, And, Column, Condition, Filter, Op, Or, Order, Page
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.search_attributes import PREDEFINED, SYSTEM, TYPE_METADATA
from outlast.vocab.times import from_timestamp

from .. import visibility
from ..context import CallContext
from ..node import Node

_OPEN_STATUSES = (_e.WORKFLOW_EXECUTION_STATUS_RUNNING, _e.WORKFLOW_EXECUTION_STATUS_PAUSED)
_OPEN = Or(tuple(Condition(Column.STATUS, Op.EQ, status) for status in _OPEN_STATUSES))
_CLOSED = And(tuple(Condition(Column.STATUS, Op.NE, status) for status in _OPEN_STATUSES))
_BY_START_TIME = Order((Column.START_TIME,), descending=True)


async def list_all(
    node: Node, request: ListWorkflowExecutionsRequest, context: CallContext
) -> ListWorkflowExecutionsResponse:
    """One page of the workflows that a list filter finds."""
    executions, token = await _filtered(node, request)
    return ListWorkflowExecutionsResponse(executions=executions, next_page_token=token)


async def scan(
    node: Node, request: ScanWorkflowExecutionsRequest, context: CallContext
) -> ScanWorkflowExecutionsResponse:
    """The same under its old name."""
    executions, token = await _filtered(node, request)
    return ScanWorkflowExecutionsResponse(executions=executions, next_page_token=token)


async def count(
    node: Node, request: CountWorkflowExecutionsRequest, context: CallContext
) -> CountWorkflowExecutionsResponse:
    """How many workflows a list filter finds, by status where it says so."""
    namespace_id = node.namespaces.id_of(request.namespace)
    asked = query.parse(request.query, node.namespaces.search_attributes(namespace_id))
    if asked.order is not None:
        raise InvalidArgument("list filter: a count has no order; leave ORDER BY out")
    if not asked.by_status:
        return CountWorkflowExecutionsResponse(count=await node.storage.count_executions(namespace_id, asked.where))
    counts = await node.storage.count_executions_by_status(namespace_id, asked.where)
    groups = [
        CountWorkflowExecutionsResponse.AggregationGroup(group_values=[keyword(STATUS_NAMES[status])], count=number)
        for status, number in counts.items()
    ]
    return CountWorkflowExecutionsResponse(count=sum(counts.values()), groups=groups)


async def list_open(
    node: Node, request: ListOpenWorkflowExecutionsRequest, context: CallContext
) -> ListOpenWorkflowExecutionsResponse:
    """One page of the open workflows, the latest start first."""
    where = And((_OPEN, *_started_within(request.start_time_filter), *_by_name(request)))
    executions, token = await _page(
        node, request.namespace, where, _BY_START_TIME, request.maximum_page_size, request.next_page_token
    )
    return ListOpenWorkflowExecutionsResponse(executions=executions, next_page_token=token)


async def list_closed(
    node: Node, request: ListClosedWorkflowExecutionsRequest, context: CallContext
) -> ListClosedWorkflowExecutionsResponse:
    """One page of the closed workflows, the latest close first."""
    parts: list[Filter] = [_CLOSED, *_started_within(request.start_time_filter), *_by_name(request)]
    if request.HasField("status_filter"):
        if request.status_filter.status not in STATUS_NAMES:
            raise InvalidArgument("ListClosedWorkflowExecutions: status_filter has no status; give one")
        parts.append(Condition(Column.STATUS, Op.EQ, request.status_filter.status))
    executions, token = await _page(
        node, request.namespace, And(tuple(parts)), BY_CLOSE_TIME, request.maximum_page_size, request.next_page_token
    )
    return ListClosedWorkflowExecutionsResponse(executions=executions, next_page_token=token)


async def search_attributes(
    node: Node, request: GetSearchAttributesRequest, context: CallContext
) -> GetSearchAttributesResponse:
    """Every name that filters know, without those of single namespaces."""
    return GetSearchAttributesResponse(keys={**SYSTEM, **PREDEFINED})


async def _filtered(
    node: Node, request: ListWorkflowExecutionsRequest | ScanWorkflowExecutionsRequest
) -> tuple[list[WorkflowExecutionInfo], bytes]:
    custom = node.namespaces.search_attributes(node.namespaces.id_of(request.namespace))
    asked = query.parse(request.query, custom)
    if asked.by_status:
        raise InvalidArgument("list filter: GROUP BY is for counts; use CountWorkflowExecutions")
    order = asked.order or BY_CLOSE_TIME
    return await _page(node, request.namespace, asked.where, order, request.page_size, request.next_page_token)


async def _page(
    node: Node, namespace: str, where: Filter | None, order: Order, size: int, token: bytes
) -> tuple[list[WorkflowExecutionInfo], bytes]:
    page = await rows(node, node.namespaces.id_of(namespace), where, order, size, token)
    return [visibility.info(listed) for listed in page.rows], page.next_page_token


async def rows(node: Node, division_id: str, where: Filter | None, order: Order, size: int, token: bytes) -> Page:
    """One page of a namespace's workflows, or of a division's executions; 1,000 at most, whatever is asked for.

    Raises:
        InvalidArgument: the token is none that a page came with.
    """
    if not 0 < size <= limits.VISIBILITY_PAGE_MAX:
        size = limits.VISIBILITY_PAGE_MAX
    try:
        return await node.storage.list_executions(
            division_id,
            where=where,
            order=order,
            page_size=size,
            page_token=token,
        )
    except BadPageToken as error:
        raise InvalidArgument(str(error)) from error


def _started_within(times: StartTimeFilter) -> list[Condition]:
    conditions = []
    if times.HasField("earliest_time"):
        conditions.append(Condition(Column.START_TIME, Op.GE, from_timestamp(times.earliest_time)))
    if times.HasField("latest_time"):
        conditions.append(Condition(Column.START_TIME, Op.LE, from_timestamp(times.latest_time)))
    if len(conditions) > 1 and from_timestamp(times.earliest_time) > from_timestamp(times.latest_time):
        raise InvalidArgument("start_time_filter: earliest_time is later than latest_time; exchange them")
    return conditions


def _by_name(request: ListOpenWorkflowExecutionsRequest | ListClosedWorkflowExecutionsRequest) -> list[Condition]:
    conditions = []
    if request.HasField("execution_filter"):
        conditions.append(Condition(Column.WORKFLOW_ID, Op.EQ, request.execution_filter.workflow_id))
        if request.execution_filter.run_id:
            conditions.append(Condition(Column.RUN_ID, Op.EQ, request.execution_filter.run_id))
    if request.HasField("type_filter"):
        conditions.append(Condition(Column.WORKFLOW_TYPE, Op.EQ, request.type_filter.name))
    return conditions


def keyword(text: str) -> Payload:
    """A value of a group, as a search attribute has it."""
    return Payload(metadata={"encoding": b"json/plain", TYPE_METADATA: b"Keyword"}, data=f'"{text}"'.encode())
