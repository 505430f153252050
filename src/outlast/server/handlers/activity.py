"""PollActivityTaskQueue, heartbeats, and the ways in which an attempt ends: by token, and by id from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from outlast.api.common.v1 import Payloads, WorkflowExecution
from outlast.api.failure.v1 import Failure
from outlast.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse,
    RecordActivityTaskHeartbeatByIdRequest,
    RecordActivityTaskHeartbeatByIdResponse,
    RecordActivityTaskHeartbeatRequest,
    RecordActivityTaskHeartbeatResponse,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCanceledByIdResponse,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCanceledResponse,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskCompletedByIdResponse,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskCompletedResponse,
    RespondActivityTaskFailedByIdRequest,
    RespondActivityTaskFailedByIdResponse,
    RespondActivityTaskFailedRequest,
    RespondActivityTaskFailedResponse,
)
from outlast.engine import tokens
from outlast.engine.execution import activity as engine
from outlast.engine.execution import advance, standalone
from outlast.engine.execution.state import Activity, ExecutionState
from outlast.engine.transition import Transition
from outlast.storage.port import RunKey
from outlast.vocab import failures, limits
from outlast.vocab.errors import NotFound

from .. import tasks
from ..context import CallContext
from ..node import Node, required
from ..runs import Run
from ..task_queues import QueryOffer, QueueId
from . import lookup, task_queue


async def poll(
    node: Node, request: PollActivityTaskQueueRequest, context: CallContext
) -> PollActivityTaskQueueResponse:
    """Wait for an activity attempt; an empty response when none came in time."""
    task_queue.check("PollActivityTaskQueue", request.task_queue.name)
    queue_id = QueueId(node.namespaces.id_of(request.namespace), request.task_queue.name, "activity")
    if request.HasField("task_queue_metadata") and request.task_queue_metadata.HasField("max_tasks_per_second"):
        node.queues.limit_rate(queue_id, request.task_queue_metadata.max_tasks_per_second.value)
    until = node.until(context, limits.POLL_NS)
    seen = task_queue.seen(request)
    while (offer := await node.queues.poll(queue_id, until, seen)) is not None:
        assert not isinstance(offer, QueryOffer)
        try:
            run = await node.runs.get(offer.key)
        except NotFound:
            continue
        if offer.scheduled_event_id not in run.state.activities:
            continue
        scheduled = await node.runs.event(run, offer.scheduled_event_id)
        draft = node.runs.draft(run)
        started = engine.start(
            draft.state,
            draft.now,
            scheduled_event_id=offer.scheduled_event_id,
            attempt=offer.attempt,
            identity=request.identity,
            request_id="",
            process=node.process if context.door == "embedded" else "",
            queue=request.task_queue.name,
        )
        if started is None:
            continue
        draft.apply(started)
        if draft.state.standalone is not None:
            sdk = (context.metadata.get("client-name", ""), context.metadata.get("client-version", ""))
            draft.apply(Transition(folds=((standalone.on_attempt_started, *sdk),)))
        activity = draft.state.activities[offer.scheduled_event_id]
        await node.runs.commit(run, draft)
        return tasks.activity_task(run, activity, scheduled, request.namespace)
    return PollActivityTaskQueueResponse()


async def _by_token(node: Node, request: Any) -> tuple[Run, Callable[[ExecutionState], Activity]]:
    token = tokens.decode(tokens.ActivityTaskToken, request.task_token)
    lookup.require_same_namespace(node, request.namespace, token.namespace_id)
    run = await node.runs.get(RunKey(token.namespace_id, token.workflow_id, token.run_id))
    return run, lambda state: engine.find(state, token.scheduled_event_id, token.attempt, token.started_at)


async def _by_id(
    node: Node, request: Any, *, unstarted: bool = False
) -> tuple[Run, Callable[[ExecutionState], Activity]]:
    """The pending activity that (namespace, workflow id, run id, activity id) names; without a workflow id its own."""
    required(type(request).DESCRIPTOR.name, activity_id=request.activity_id)
    find = engine.find_by_id if unstarted else engine.find_started_by_id
    if request.workflow_id:
        execution = WorkflowExecution(workflow_id=request.workflow_id, run_id=request.run_id)
        run = await lookup.run(node, request.namespace, execution)
    else:
        run = await lookup.activity_run(node, request)
    return run, lambda state: find(state, request.activity_id)


async def _decide(
    node: Node,
    found: tuple[Run, Callable[[ExecutionState], Activity]],
    decision: Callable[[Activity, int], Transition],
    *details: Payloads,
) -> Activity:
    """Apply a decision about one pending activity; ``details`` are newer heartbeat details to keep first."""
    run, find = found
    draft = node.runs.draft(run)
    activity = find(draft.state)
    for newer in details:
        draft.apply(_beaten(draft.state, engine.heartbeat(activity, draft.now, newer)))
        activity = draft.state.activities[activity.scheduled_event_id]
    draft.apply(decision(activity, draft.now))
    advance.settle(draft)
    await node.runs.commit(run, draft)
    return activity


def _beaten(state: ExecutionState, heartbeat: Transition) -> Transition:
    """The heartbeat of a standalone activity is counted."""
    if state.standalone is None:
        return heartbeat
    return msgspec.structs.replace(heartbeat, folds=(*heartbeat.folds, (standalone.on_beat, None, None)))


# -- heartbeats --------------------------------------------------------------------------------------------------


async def heartbeat(
    node: Node, request: RecordActivityTaskHeartbeatRequest, context: CallContext
) -> RecordActivityTaskHeartbeatResponse:
    """Keep the attempt alive; the reply tells whether it is to cancel itself, was paused, or was reset."""
    return RecordActivityTaskHeartbeatResponse(**await _beat(node, await _by_token(node, request), request))


async def heartbeat_by_id(
    node: Node, request: RecordActivityTaskHeartbeatByIdRequest, context: CallContext
) -> RecordActivityTaskHeartbeatByIdResponse:
    """The same, addressed by id."""
    return RecordActivityTaskHeartbeatByIdResponse(**await _beat(node, await _by_id(node, request), request))


async def _beat(
    node: Node,
    found: tuple[Run, Callable[[ExecutionState], Activity]],
    request: RecordActivityTaskHeartbeatRequest | RecordActivityTaskHeartbeatByIdRequest,
) -> dict[str, bool]:
    """Answers what the attempt is told."""
    details = request.details if request.HasField("details") else None
    if details is not None and details.ByteSize() > limits.BLOB_BYTES_MAX:
        failure = failures.server("Heartbeat details exceed size limit.", non_retryable=True)
        await _decide(node, found, lambda a, now: engine.fail(a, now, failure=failure, identity=request.identity))
        return {"cancel_requested": True}
    state = found[0].state
    activity = await _decide(node, found, lambda a, now: _beaten(state, engine.heartbeat(a, now, details)))
    return {
        "cancel_requested": bool(activity.cancel_requested_event_id),
        "activity_paused": activity.paused,
        "activity_reset": activity.operations is not None and activity.operations.reset_requested,
    }


# -- endings -----------------------------------------------------------------------------------------------------


def _completed(
    request: RespondActivityTaskCompletedRequest | RespondActivityTaskCompletedByIdRequest,
) -> Callable[[Activity, int], Transition]:
    result = request.result if request.HasField("result") else None
    if result is not None and result.ByteSize() > limits.BLOB_BYTES_MAX:
        # The attempt has run, and the next one would end in the same way.
        failure = failures.server("Complete result exceeds size limit.", non_retryable=True)
        return lambda a, now: engine.fail(a, now, failure=failure, identity=request.identity)
    return lambda a, now: engine.complete(a, now, result=result, identity=request.identity)


async def respond_completed(
    node: Node, request: RespondActivityTaskCompletedRequest, context: CallContext
) -> RespondActivityTaskCompletedResponse:
    """Close the activity with its result."""
    await _decide(node, await _by_token(node, request), _completed(request))
    return RespondActivityTaskCompletedResponse()


async def respond_completed_by_id(
    node: Node, request: RespondActivityTaskCompletedByIdRequest, context: CallContext
) -> RespondActivityTaskCompletedByIdResponse:
    """The same, addressed by id."""
    await _decide(node, await _by_id(node, request, unstarted=True), _completed(request))
    return RespondActivityTaskCompletedByIdResponse()


async def _fail(
    node: Node,
    found: tuple[Run, Callable[[ExecutionState], Activity]],
    request: RespondActivityTaskFailedRequest | RespondActivityTaskFailedByIdRequest,
) -> list[Failure]:
    """End a failed attempt; what of the report was too large to be kept is answered as failures."""
    newer: tuple[Payloads, ...]
    failure, newer, problems = request.failure, (), []
    if request.HasField("last_heartbeat_details"):
        if request.last_heartbeat_details.ByteSize() > limits.BLOB_BYTES_MAX:
            problems.append(failures.server("Heartbeat details exceed size limit.", non_retryable=True))
        else:
            newer = (request.last_heartbeat_details,)
    if failure.ByteSize() > limits.BLOB_BYTES_MAX:
        failure = failures.truncated(failure, limits.BLOB_BYTES_WARN)
        failure.server_failure_info.non_retryable = True
        problems.append(failure)
    await _decide(node, found, lambda a, now: engine.fail(a, now, failure=failure, identity=request.identity), *newer)
    return problems


async def respond_failed(
    node: Node, request: RespondActivityTaskFailedRequest, context: CallContext
) -> RespondActivityTaskFailedResponse:
    """The attempt failed: the engine backs off for the next one, or closes the activity."""
    problems = await _fail(node, await _by_token(node, request), request)
    return RespondActivityTaskFailedResponse(failures=problems)


async def respond_failed_by_id(
    node: Node, request: RespondActivityTaskFailedByIdRequest, context: CallContext
) -> RespondActivityTaskFailedByIdResponse:
    """The same, addressed by id."""
    problems = await _fail(node, await _by_id(node, request), request)
    return RespondActivityTaskFailedByIdResponse(failures=problems)


def _canceled(
    request: RespondActivityTaskCanceledRequest | RespondActivityTaskCanceledByIdRequest,
) -> Callable[[Activity, int], Transition]:
    details = request.details if request.HasField("details") else None
    if details is not None and details.ByteSize() > limits.BLOB_BYTES_MAX:
        failure = failures.server("Cancel details exceed size limit.", non_retryable=True)
        return lambda a, now: engine.fail(a, now, failure=failure, identity=request.identity)
    return lambda a, now: engine.cancel(a, now, details=details, identity=request.identity)


async def respond_canceled(
    node: Node, request: RespondActivityTaskCanceledRequest, context: CallContext
) -> RespondActivityTaskCanceledResponse:
    """The attempt has cancelled itself, as it was asked to."""
    await _decide(node, await _by_token(node, request), _canceled(request))
    return RespondActivityTaskCanceledResponse()


async def respond_canceled_by_id(
    node: Node, request: RespondActivityTaskCanceledByIdRequest, context: CallContext
) -> RespondActivityTaskCanceledByIdResponse:
    """The same, addressed by id."""
    await _decide(node, await _by_id(node, request), _canceled(request))
    return RespondActivityTaskCanceledByIdResponse()
