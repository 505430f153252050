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

from .. import tasks
from ..context import CallContext
from ..node import Node, required
from ..runs import Run
from ..task_queues import Offer, QueryOffer, QueueId


async def poll(
    node: Node, request: PollWorkflowTaskQueueRequest, context: CallContext
) -> PollWorkflowTaskQueueResponse:
    """Wait for a workflow task or a query; an empty response when none came in time."""
    required("PollWorkflowTaskQueue", task_queue=request.task_queue.name)
    queue_id = QueueId(node.namespaces.id_of(request.namespace), request.task_queue.name, "workflow")
    until = node.until(context, limits.POLL_NS)
    while (offer := await node.queues.poll(queue_id, until)) is not None:
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
    token, run = await _started(node, request.task_token)
    first: HistoryEvent | None = None
    if completion.needs_first_event(run.state, request.commands):
        first = await node.runs.event(run, 1)
    completion.find(run.state, token.scheduled_event_id, token.attempt, token.started_at)
    now = node.clock.now()
    process = node.process if context.door == "embedded" else ""
    namespace = node.namespaces.name_of(run.key.namespace_id)
    command_context = CommandContext(
        now,
        0,
        request.identity,
        first,
        eager_activities=True,
        process=process,
        namespace=namespace,
        namespaces=node.namespaces.ids,
        search_attributes=node.namespaces.search_attributes(run.key.namespace_id),
    )
    outcome = completion.complete(run.state, request, command_context)
    draft = outcome.draft
    advance.settle(draft)
    answered = [(run.queries.pop(query_id, None), result) for query_id, result in request.query_results.items()]
    inline = (
        request.return_new_workflow_task
        and outcome.failure is None
        and draft.state.running
        and tasks.start_inline(node, draft, request.identity)
    )
    await node.runs.commit(run, draft)
    for pending, result in answered:
        if pending is not None:
            pending.resolve(result)
    if outcome.failure is not None:
        raise InvalidArgument(f"the workflow task failed: {outcome.failure.message}")
    response = RespondWorkflowTaskCompletedResponse()
    for effect in draft.effects:
        if isinstance(effect, RunEagerly) and effect.scheduled_event_id in run.state.activities:
            scheduled = next(event for event in draft.events if event.event_id == effect.scheduled_event_id)
            activity = run.state.activities[effect.scheduled_event_id]
            response.activity_tasks.append(tasks.activity_task(run, activity, scheduled, namespace))
    if inline and run.state.task is not None and run.state.task.started:
        response.workflow_task.CopyFrom(await tasks.workflow_task(node, run, namespace))
    return response


async def respond_failed(
    node: Node, request: RespondWorkflowTaskFailedRequest, context: CallContext
) -> RespondWorkflowTaskFailedResponse:
    """The worker could not run the task: the next attempt is scheduled."""
    token, run = await _started(node, request.task_token)
    completion.find(run.state, token.scheduled_event_id, token.attempt, token.started_at)
    draft = completion.failed(run.state, node.clock.now(), request.cause, request.failure, request.identity)
    advance.settle(draft)
    await node.runs.commit(run, draft)
    return RespondWorkflowTaskFailedResponse()


async def _started(node: Node, task_token: bytes) -> tuple[tokens.WorkflowTaskToken, Run]:
    token = tokens.decode(tokens.WorkflowTaskToken, task_token)
    return token, await node.runs.get(RunKey(token.namespace_id, token.workflow_id, token.run_id))
