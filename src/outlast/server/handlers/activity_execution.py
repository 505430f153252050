"""StartActivityExecution, DescribeActivityExecution, PollActivityExecution: only what is durable is shown."""

from __future__ import annotations

import uuid

from outlast.api.workflowservice.v1 import (
    DescribeActivityExecutionRequest,
    DescribeActivityExecutionResponse,
    PollActivityExecutionRequest,
    PollActivityExecutionResponse,
    StartActivityExecutionRequest,
    StartActivityExecutionResponse,
)
from outlast.engine import tokens
from outlast.engine.activity_execution import describe as descriptions
from outlast.engine.activity_execution import start as starting
from outlast.engine.execution import snapshot
from outlast.storage.port import RunKey
from outlast.vocab import limits
from outlast.vocab.divisions import ACTIVITIES, division
from outlast.vocab.errors import InvalidArgument, NotFound

from ..context import CallContext
from ..node import Node
from ..runs import Run
from . import lookup


async def start(
    node: Node, request: StartActivityExecutionRequest, context: CallContext
) -> StartActivityExecutionResponse:
    """Start a run, or answer with the one that the request id or the policies lead to."""
    starting.validate(request)
    namespace_id = node.namespaces.id_of(request.namespace, starting=True)
    attributes = node.namespaces.typed(
        namespace_id, request.search_attributes, f"start of activity {request.activity_id!r}"
    )
    division_id = division(namespace_id, ACTIVITIES)
    current = await _current_run(node, division_id, request.activity_id)
    way = starting.route(current.state if current else None, request)
    if way is starting.Way.NEW:
        key = RunKey(division_id, request.activity_id, str(uuid.uuid4()))
        run = node.runs.create(key, current.key.run_id if current else None)
        draft = node.runs.draft(run)
        draft.apply(starting.begin(request, draft.now, run_id=key.run_id, search_attributes=attributes))
        await node.runs.commit(run, draft)
    else:
        assert current is not None
        run = current
        if way is starting.Way.EXISTING:
            draft = node.runs.draft(run)
            draft.apply(starting.attach(draft.state, request, draft.now))
            if draft.changed:
                await node.runs.commit(run, draft)
        await run.settled()
    response = StartActivityExecutionResponse(run_id=run.key.run_id, started=way is starting.Way.NEW)
    link = response.link.activity
    link.namespace, link.activity_id, link.run_id = request.namespace, request.activity_id, run.key.run_id
    return response


async def _current_run(node: Node, division_id: str, activity_id: str) -> Run | None:
    try:
        return await node.runs.find(division_id, activity_id)
    except NotFound:
        return None


async def describe(
    node: Node, request: DescribeActivityExecutionRequest, context: CallContext
) -> DescribeActivityExecutionResponse:
    """Everything about an activity; with a token a long poll for what comes after, empty when nothing did."""
    run = await lookup.activity_run(node, request)
    if request.long_poll_token:
        if not request.run_id:
            raise InvalidArgument(
                "DescribeActivityExecution: long_poll_token needs the run_id that came with it; give it"
            )
        seen = tokens.decode(tokens.ChangeToken, request.long_poll_token, "long_poll_token")
        if seen.run_id != run.key.run_id:
            raise InvalidArgument("DescribeActivityExecution: long_poll_token is of another run; begin without it")
        until = node.until(context, limits.HISTORY_LONG_POLL_NS)
        while run.state.transitions <= seen.transitions:
            if node.closing or not await node.runs.changed(run, until):
                return DescribeActivityExecutionResponse()
            run = await node.runs.get(run.key)
    await run.settled()
    state = run.state
    history = await node.runs.events(run, 1, state.next_event_id)
    return DescribeActivityExecutionResponse(
        run_id=run.key.run_id,
        info=descriptions.info(
            state,
            node.clock.now(),
            history,
            state_size=state.history_size + len(snapshot.encode(state)),
            heartbeat_details=request.include_heartbeat_details,
            last_failure=request.include_last_failure,
        ),
        input=descriptions.input_of(history) if request.include_input else None,
        outcome=descriptions.outcome(state, history) if request.include_outcome else None,
        long_poll_token=tokens.encode(tokens.ChangeToken(run.key.run_id, state.transitions)),
    )


async def poll(
    node: Node, request: PollActivityExecutionRequest, context: CallContext
) -> PollActivityExecutionResponse:
    """A long poll for what comes of an activity; empty when it is still open."""
    run = await lookup.activity_run(node, request)
    until = node.until(context, limits.HISTORY_LONG_POLL_NS)
    while run.state.running:
        if node.closing or not await node.runs.changed(run, until):
            return PollActivityExecutionResponse()
        run = await node.runs.get(run.key)
    await run.settled()
    end = run.state.next_event_id
    outcome = descriptions.outcome(run.state, await node.runs.events(run, end - 2, end))
    return PollActivityExecutionResponse(run_id=run.key.run_id, outcome=outcome)
