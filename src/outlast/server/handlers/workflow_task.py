"""PollWorkflowTaskQueue, RespondWorkflowTaskCompleted, RespondWorkflowTaskFailed."""

from __future__ import annotations

from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
    RespondWorkflowTaskFailedRequest,
    RespondWorkflowTaskFailedResponse,
)
from outlast.engine import tokens
from outlast.engine.command import CommandContext
from outlast.engine.effects import RunEagerly
from outlast.engine.execution import advance, completion
from outlast.engine.execution import workflow_task as engine
from outlast.storage.port import RunKey
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument, NotFound

from .. import tasks, updates
from ..context import CallContext
from ..node import Node
from ..runs import Run
from ..task_queues import Offer, QueryOffer, QueueId
from . import lookup, task_queue


async def poll(
    node: Node, request: PollWorkflowTaskQueueRequest, context: CallContext
) -> PollWorkflowTaskQueueResponse:
    """Wait for a workflow task or a query; an empty response when none came in time."""
    task_queue.check("PollWorkflowTaskQueue", request.task_queue.name)
    queue_id = QueueId(node.namespaces.id_of(request.namespace), request.task_queue.name, "workflow")
    until = node.until(context, limits.POLL_NS)
    seen = task_queue.seen(request)
    while (offer := await node.queues.poll(queue_id, until, seen)) is not None:
        response = await _take(node, offer, request)
        if response is not None:
            return response
    return PollWorkflowTaskQueueResponse()


async def _take(
    node: Node, offer: Offer, request: PollWorkflowTaskQueueRequest
) -> PollWorkflowTaskQueueResponse | None:
    """The task behind the offer; None when it is stale."""
    try:
        run = await node.runs.get(offer.key)
    except NotFound:
        return None
    if isinstance(offer, QueryOffer):
        pending = run.queries.get(offer.query_id)
        if pending is None or pending.answer.done():
            return None
        return await tasks.query_task(node, run, pending)
    draft = node.runs.draft(run)
    started = engine.start(
        draft.state,
        draft.now,
        scheduled_event_id=offer.scheduled_event_id,
        attempt=offer.attempt,
        identity=request.identity,
        request_id="",
    )
    if started is None:
        return None
    draft.apply(started)
    node.runs.volatile(run, draft)
    return await tasks.workflow_task(node, run, request.namespace)


async def respond_completed(
    node: Node, request: RespondWorkflowTaskCompletedRequest, context: CallContext
) -> RespondWorkflowTaskCompletedResponse:
    """Apply a worker's commands; the reply may carry the next workflow task and activities to run at once."""
    token, run = await _started(node, request)
    first: HistoryEvent | None = None
    if completion.needs_first_event(run.state, request.commands):
        first = await node.runs.event(run, 1)
    task = completion.find(run.state, token.scheduled_event_id, token.attempt, token.started_at)
    outcome = completion.complete(run.state, request, _context(node, run, request, context, first))
    draft = outcome.draft
    advance.settle(draft)
    answered = [(run.queries.pop(query_id, None), result) for query_id, result in request.query_results.items()]
    updates.answered(run, task, outcome, heartbeat=request.force_create_new_workflow_task)
    wants_next = (
        request.return_new_workflow_task and not outcome.expired and outcome.failure is None and draft.state.running
    )
    inline = wants_next and tasks.start_inline(node, draft, request.identity)
    if outcome.reset_to is None:
        durable = node.runs.commit(run, draft)
    else:
        node.runs.volatile(run, draft)
        durable = None
    if not inline:
        start = (lambda next_draft: tasks.start_inline(node, next_draft, request.identity)) if wants_next else None
        inline = updates.dispatch(node.runs, run, start)
    if durable is not None:
        await durable
    for pending, result in answered:
        if pending is not None:
            pending.resolve(result)
    node.dispatch_queries(run)
    if outcome.expired:
        raise NotFound("the workflow task timed out: local activities kept it for too long; it is handed out again")
    if outcome.failure is not None:
        raise InvalidArgument(f"the workflow task failed: {outcome.failure.message}")
    response = RespondWorkflowTaskCompletedResponse(reset_history_event_id=outcome.reset_to or 0)
    namespace = node.namespaces.name_of(run.key.namespace_id)
    for effect in draft.effects:
        if isinstance(effect, RunEagerly) and effect.scheduled_event_id in draft.state.activities:
            scheduled = next(event for event in draft.events if event.event_id == effect.scheduled_event_id)
            activity = draft.state.activities[effect.scheduled_event_id]
            response.activity_tasks.append(tasks.activity_task(run, activity, scheduled, namespace))
    if inline and run.state.task is not None and run.state.task.started:
        response.workflow_task.CopyFrom(await tasks.workflow_task(node, run, namespace, inline=True))
    return response


def _context(
    node: Node,
    run: Run,
    request: RespondWorkflowTaskCompletedRequest,
    context: CallContext,
    first: HistoryEvent | None,
) -> CommandContext:
    return CommandContext(
        node.clock.now(),
        0,
        request.identity,
        first,
        eager_activities=True,
        process=node.process if context.door == "embedded" else "",
        namespace=node.namespaces.name_of(run.key.namespace_id),
        namespaces=node.namespaces.ids,
        search_attributes=node.namespaces.search_attributes(run.key.namespace_id),
        requests={update_id: pending.request for update_id, pending in run.updates.items()},
    )


async def respond_failed(
    node: Node, request: RespondWorkflowTaskFailedRequest, context: CallContext
) -> RespondWorkflowTaskFailedResponse:
    """The worker could not run the task: the next attempt is scheduled."""
    token, run = await _started(node, request)
    completion.find(run.state, token.scheduled_event_id, token.attempt, token.started_at)
    draft = completion.reported(run.state, node.clock.now(), request.cause, request.failure, request.identity)
    advance.settle(draft)
    await node.runs.commit(run, draft)
    return RespondWorkflowTaskFailedResponse()


async def _started(
    node: Node, request: RespondWorkflowTaskCompletedRequest | RespondWorkflowTaskFailedRequest
) -> tuple[tokens.WorkflowTaskToken, Run]:
    token = tokens.decode(tokens.WorkflowTaskToken, request.task_token)
    lookup.require_same_namespace(node, request.namespace, token.namespace_id)
    return token, await node.runs.get(RunKey(token.namespace_id, token.workflow_id, token.run_id))
