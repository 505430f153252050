"""Schedules: created, described, updated, patched, deleted, listed. ``server/schedules.py`` keeps them.

Source: CreateSchedule and its family; rules 3.12.
"""

from __future__ import annotations

from outlast.api.common.v1 import Memo, SearchAttributes
from outlast.api.schedule.v1 import Schedule
from outlast.api.workflowservice.v1 import (
    CountSchedulesRequest,
    CountSchedulesResponse,
    CreateScheduleRequest,
    CreateScheduleResponse,
    DeleteScheduleRequest,
    DeleteScheduleResponse,
    DescribeScheduleRequest,
    DescribeScheduleResponse,
    ListScheduleMatchingTimesRequest,
    ListScheduleMatchingTimesResponse,
    ListSchedulesRequest,
    ListSchedulesResponse,
    PatchScheduleRequest,
    PatchScheduleResponse,
    UpdateScheduleRequest,
    UpdateScheduleResponse,
)
from outlast.engine.schedule import definition, describe, patch
from outlast.engine.schedule.definition import Definition
from outlast.engine.schedule.draft import Draft
from outlast.engine.visibility import query
from outlast.storage.errors import BadPageToken
from outlast.storage.listing import BY_CLOSE_TIME
from outlast.vocab import limits
from outlast.vocab.divisions import SCHEDULES, division
from outlast.vocab.errors import InvalidArgument, NotFound, WorkflowExecutionAlreadyStarted
from outlast.vocab.times import from_timestamp, timestamp

from .. import schedule_list
from ..context import CallContext
from ..node import Node, required
from ..schedules import Entry


async def create(node: Node, request: CreateScheduleRequest, context: CallContext) -> CreateScheduleResponse:
    """Create a schedule; a repeated request is answered as the first one was."""
    subject = f"schedule {request.schedule_id!r}"
    required("CreateSchedule", schedule_id=request.schedule_id, request_id=request.request_id)
    _bounded("schedule_id", request.schedule_id, subject)
    _bounded("request_id", request.request_id, subject)
    namespace_id = node.namespaces.id_of(request.namespace, starting=True)
    defined = _defined(node, namespace_id, request.schedule, subject)
    patch.validate(request.initial_patch, subject)
    attributes = node.namespaces.typed(namespace_id, request.search_attributes, subject)
    existing = await _existing(node, namespace_id, request.schedule_id)
    if existing is not None:
        if existing.state.create_request_id == request.request_id:
            return CreateScheduleResponse(conflict_token=definition.token_of(existing.state))
        raise WorkflowExecutionAlreadyStarted(
            f"{subject} is already registered; choose another id, or update or delete that one",
            start_request_id=existing.state.create_request_id,
        )

    def decide(draft: Draft) -> None:
        draft.apply(definition.create(defined, request.memo, attributes, request.request_id, draft.now))
        draft.apply(patch.patch(draft.state, request.initial_patch, draft.now))

    entry = await node.schedules.create(namespace_id, request.schedule_id, decide)
    return CreateScheduleResponse(conflict_token=definition.token_of(entry.state))


async def _existing(node: Node, namespace_id: str, schedule_id: str) -> Entry | None:
    try:
        entry = await node.schedules.find(namespace_id, schedule_id)
        return await node.schedules.change(entry, lambda draft: None)
    except NotFound:
        return None


def _defined(node: Node, namespace_id: str, schedule: Schedule, subject: str) -> Definition:
    asked = schedule.action.start_workflow.search_attributes
    if asked.indexed_fields:
        attributes = node.namespaces.typed(namespace_id, asked, f"workflow of {subject}")
        typed = Schedule()
        typed.CopyFrom(schedule)
        typed.action.start_workflow.search_attributes.CopyFrom(attributes)
        schedule = typed
    return definition.define(schedule, subject)


def _bounded(name: str, value: str, subject: str) -> None:
    if len(value.encode()) > limits.ID_BYTES_MAX:
        raise InvalidArgument(f"{subject}: {name} is longer than {limits.ID_BYTES_MAX} bytes; shorten it")


async def show(node: Node, request: DescribeScheduleRequest, context: CallContext) -> DescribeScheduleResponse:
    """Everything about a schedule, as of now."""
    required("DescribeSchedule", schedule_id=request.schedule_id)
    entry = await node.schedules.find(node.namespaces.id_of(request.namespace), request.schedule_id)
    entry = await node.schedules.change(entry, lambda draft: None)
    return describe.describe(entry.state)


async def update(node: Node, request: UpdateScheduleRequest, context: CallContext) -> UpdateScheduleResponse:
    """Replace what users set of a schedule."""
    subject = f"schedule {request.schedule_id!r}"
    required("UpdateSchedule", schedule_id=request.schedule_id)
    _bounded("request_id", request.request_id, subject)
    namespace_id = node.namespaces.id_of(request.namespace)
    defined = _defined(node, namespace_id, request.schedule, subject)
    memo: Memo | None = request.memo if request.HasField("memo") else None
    attributes: SearchAttributes | None = None
    if request.HasField("search_attributes"):
        attributes = node.namespaces.typed(namespace_id, request.search_attributes, subject)
    entry = await node.schedules.find(namespace_id, request.schedule_id)
    await node.schedules.change(
        entry,
        lambda draft: draft.apply(
            definition.update(
                draft.state,
                defined,
                token=request.conflict_token,
                memo=memo,
                attributes=attributes,
                request_id=request.request_id,
                now=draft.now,
            )
        ),
    )
    return UpdateScheduleResponse()


async def apply(node: Node, request: PatchScheduleRequest, context: CallContext) -> PatchScheduleResponse:
    """Trigger, backfill, pause or unpause a schedule."""
    subject = f"schedule {request.schedule_id!r}"
    required("PatchSchedule", schedule_id=request.schedule_id)
    _bounded("request_id", request.request_id, subject)
    if not request.HasField("patch"):
        raise InvalidArgument(f"{subject}: the patch is missing; say what to do")
    patch.validate(request.patch, subject)
    entry = await node.schedules.find(node.namespaces.id_of(request.namespace), request.schedule_id)
    await node.schedules.change(
        entry, lambda draft: draft.apply(patch.patch(draft.state, request.patch, draft.now, request.request_id))
    )
    return PatchScheduleResponse()


async def matching_times(
    node: Node, request: ListScheduleMatchingTimesRequest, context: CallContext
) -> ListScheduleMatchingTimesResponse:
    """When a schedule would act within a stretch of time."""
    required("ListScheduleMatchingTimes", schedule_id=request.schedule_id)
    if not request.HasField("start_time") or not request.HasField("end_time"):
        raise InvalidArgument(
            f"schedule {request.schedule_id!r}: start_time or end_time is missing; the matching times need both"
        )
    entry = await node.schedules.find(node.namespaces.id_of(request.namespace), request.schedule_id)
    found = describe.matching(entry.state, from_timestamp(request.start_time), from_timestamp(request.end_time))
    return ListScheduleMatchingTimesResponse(start_time=[timestamp(at) for at in found])


async def delete(node: Node, request: DeleteScheduleRequest, context: CallContext) -> DeleteScheduleResponse:
    """Remove a schedule; the workflows that it has started go on."""
    required("DeleteSchedule", schedule_id=request.schedule_id)
    entry = await node.schedules.find(node.namespaces.id_of(request.namespace), request.schedule_id)
    await node.schedules.delete(entry)
    return DeleteScheduleResponse()


async def list_all(node: Node, request: ListSchedulesRequest, context: CallContext) -> ListSchedulesResponse:
    """One page of the schedules that a list filter finds."""
    namespace_id = node.namespaces.id_of(request.namespace)
    asked = query.parse_schedules(request.query, node.namespaces.search_attributes(namespace_id))
    if asked.by_status:
        raise InvalidArgument("list filter: GROUP BY is for counts; use CountSchedules")
    size = request.maximum_page_size
    try:
        page = await node.storage.list_executions(
            division(namespace_id, SCHEDULES),
            where=asked.where,
            order=asked.order or BY_CLOSE_TIME,
            page_size=size if 0 < size <= limits.VISIBILITY_PAGE_MAX else limits.VISIBILITY_PAGE_MAX,
            page_token=request.next_page_token,
        )
    except BadPageToken as error:
        raise InvalidArgument(str(error)) from error
    schedules = [schedule_list.entry(listed) for listed in page.rows]
    return ListSchedulesResponse(schedules=schedules, next_page_token=page.next_page_token)


async def count(node: Node, request: CountSchedulesRequest, context: CallContext) -> CountSchedulesResponse:
    """How many schedules a list filter finds."""
    namespace_id = node.namespaces.id_of(request.namespace)
    asked = query.parse_schedules(request.query, node.namespaces.search_attributes(namespace_id))
    if asked.order is not None or asked.by_status:
        raise InvalidArgument("list filter: a count of schedules has no ORDER BY and no GROUP BY; leave them out")
    found = await node.storage.count_executions(division(namespace_id, SCHEDULES), asked.where)
    return CountSchedulesResponse(count=found)
