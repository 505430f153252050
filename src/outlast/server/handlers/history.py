"""GetWorkflowExecutionHistory, its reverse, and DescribeWorkflowExecution: only what is durable is shown."""

from __future__ import annotations

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
    GetWorkflowExecutionHistoryReverseRequest,
    GetWorkflowExecutionHistoryReverseResponse,
)
from outlast.engine import tokens
from outlast.engine.execution import describe as descriptions
from outlast.engine.execution import follow
from outlast.storage.port import RunKey
from outlast.vocab import limits

from .. import tasks
from ..context import CallContext
from ..node import Node, required
from ..runs import Run
from . import lookup


async def get(
    node: Node, request: GetWorkflowExecutionHistoryRequest, context: CallContext
) -> GetWorkflowExecutionHistoryResponse:
    """A page of a history; with ``wait_new_event`` a long poll for what comes next, or for the closing event alone."""
    run, first = await _place(node, request)
    close_only = request.history_event_filter_type == _e.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
    if request.wait_new_event:
        await _wait(node, run, first, close_only, node.until(context, limits.HISTORY_LONG_POLL_NS))
    await run.settled()
    state = run.state
    response = GetWorkflowExecutionHistoryResponse()
    response.history.SetInParent()
    if close_only:
        if state.close_event_id:
            closing = await node.runs.event(run, state.close_event_id)
            response.history.events.append(closing if _follows(context) else follow.as_continued(closing))
        elif request.wait_new_event:
            response.next_page_token = _token(run, first)
        else:
            response.history.events.append(await node.runs.event(run, state.next_event_id - 1))
        return response
    size = _page_size(request.maximum_page_size)
    if request.wait_new_event:
        # What follows is asked for by event id, so only events that will stay count.
        events, next_event_id = await tasks.written_page(node, run, first, size)
    else:
        events, next_event_id = await tasks.page(node, run, first, size)
    response.history.events.extend(events)
    if next_event_id:
        response.next_page_token = _token(run, next_event_id)
    elif request.wait_new_event and state.running:
        response.next_page_token = _token(run, events[-1].event_id + 1 if events else first)
    return response


def _follows(context: CallContext) -> bool:
    """Whether the caller says that it follows the successors of runs that failed, timed out or completed."""
    return "follows-next-run-id" in context.metadata.get("supported-features", "").split(",")


async def _place(node: Node, request: GetWorkflowExecutionHistoryRequest) -> tuple[Run, int]:
    """The run and the first event id that the request asks for; a page token pins the run."""
    required("GetWorkflowExecutionHistory", workflow_id=request.execution.workflow_id)
    if not request.next_page_token:
        return await lookup.run(node, request.namespace, request.execution), 1
    token = tokens.decode(tokens.PageToken, request.next_page_token, "next_page_token")
    namespace_id = node.namespaces.id_of(request.namespace)
    run = await node.runs.get(RunKey(namespace_id, request.execution.workflow_id, token.run_id))
    return run, token.next_event_id


async def _wait(node: Node, run: Run, first: int, close_only: bool, until: int) -> None:
    """Wait until the run is closed or, unless only that counts, has an event from ``first`` on."""
    while run.state.running and not node.closing and (close_only or run.state.next_event_id <= first):
        if not await node.runs.changed(run, until, to_closed=close_only):
            return


def _page_size(asked: int) -> int:
    return min(asked, limits.HISTORY_PAGE_MAX) if asked > 0 else limits.HISTORY_PAGE_MAX


def _token(run: Run, next_event_id: int) -> bytes:
    return tokens.encode(tokens.PageToken(run.key.run_id, next_event_id))


async def get_reverse(
    node: Node, request: GetWorkflowExecutionHistoryReverseRequest, context: CallContext
) -> GetWorkflowExecutionHistoryReverseResponse:
    """A page of a history from its end backwards."""
    required("GetWorkflowExecutionHistoryReverse", workflow_id=request.execution.workflow_id)
    run = await lookup.run(node, request.namespace, request.execution)
    end = run.state.next_event_id
    if request.next_page_token:
        token = tokens.decode(tokens.PageToken, request.next_page_token, "next_page_token")
        run = await node.runs.get(run.key._replace(run_id=token.run_id))
        end = token.next_event_id
    await run.settled()
    first = max(end - _page_size(request.maximum_page_size), 1)
    events: list[HistoryEvent] = await node.runs.events(run, first, end)
    response = GetWorkflowExecutionHistoryReverseResponse()
    response.history.events.extend(reversed(events))
    if first > 1:
        response.next_page_token = _token(run, first)
    return response


async def describe(
    node: Node, request: DescribeWorkflowExecutionRequest, context: CallContext
) -> DescribeWorkflowExecutionResponse:
    """Everything about a run that is not its history."""
    required("DescribeWorkflowExecution", workflow_id=request.execution.workflow_id)
    run = await lookup.run(node, request.namespace, request.execution)
    await run.settled()
    return descriptions.describe(run.state)
