"""ResetWorkflowExecution."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import ResetWorkflowExecutionRequest, ResetWorkflowExecutionResponse
from outlast.engine.execution import advance, reset_point, workflow_task
from outlast.engine.execution import reset as resetting
from outlast.engine.execution.draft import Draft
from outlast.engine.transition import Transition
from outlast.vocab.errors import NotFound

from ..context import CallContext
from ..node import Node, required
from ..runs import Run
from . import lookup


class _Sources(NamedTuple):
    """What a reset is made of: the base's history, and the runs that continued it as new with theirs."""

    history: list[HistoryEvent]
    continuations: list[tuple[Run, list[HistoryEvent]]]


async def reset(
    node: Node, request: ResetWorkflowExecutionRequest, context: CallContext
) -> ResetWorkflowExecutionResponse:
    """Begin a new run at an earlier point of a run's history; the current run is terminated if it is open."""
    required(
        "ResetWorkflowExecution",
        workflow_id=request.workflow_execution.workflow_id,
        request_id=request.request_id,
    )
    base = await lookup.run(node, request.namespace, request.workflow_execution)
    current = await node.runs.find(*base.key[:2])
    if current.state.start_request_id == request.request_id:
        await current.settled()
        return ResetWorkflowExecutionResponse(run_id=current.key.run_id)
    end = base.state.next_event_id + len(workflow_task.unwritten_events(base.state))
    resetting.validate(request, base.state, end)
    current, sources = await _sources(node, base)
    if current.state.start_request_id == request.request_id:  # by the same request, while this one read
        await current.settled()
        return ResetWorkflowExecutionResponse(run_id=current.key.run_id)
    ended = node.runs.draft(current)
    if ended.state.running:
        advance.terminate(ended, reason=request.reason, identity=request.identity)
    later = _later(request, current, ended, base, sources)
    run = node.runs.create(base.key._replace(run_id=str(uuid.uuid4())), current.key.run_id)
    draft = node.runs.draft(run)
    resetting.begin(draft, request, base.state, sources.history, later)
    besides: list[tuple[Run, Draft]] = []
    if ended.changed:
        children = frozenset(draft.state.children) if base is current else frozenset()
        ended.apply(reset_point.hand_over(run.key.run_id, children))
        besides.append((current, ended))
    if base is not current or not besides:
        pointer = node.runs.draft(base)
        pointer.apply(Transition(folds=((reset_point.on_reset_to, run.key.run_id, None),)))
        besides.append((base, pointer))
    advance.settle(draft)
    await node.runs.commit_unit([*besides, (run, draft)])
    return ResetWorkflowExecutionResponse(run_id=run.key.run_id)


async def _sources(node: Node, base: Run) -> tuple[Run, _Sources]:
    """Read what is needed until nothing changes while it is read; the rest of the reset does not wait."""
    while True:
        current = await node.runs.find(*base.key[:2])
        seen = current.state, base.state
        history = await node.runs.events(base, 1, base.state.next_event_id)
        history = history + workflow_task.unwritten_events(base.state)
        continuations = await _continuations(node, base, history[-1])
        if seen == (current.state, base.state) and not current.dropped:
            return current, _Sources(history, continuations)


async def _continuations(node: Node, base: Run, last: HistoryEvent) -> list[tuple[Run, list[HistoryEvent]]]:
    found: list[tuple[Run, list[HistoryEvent]]] = []
    while last.event_type == _e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
        run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        try:
            run = await node.runs.get(base.key._replace(run_id=run_id))
        except NotFound:  # deleted, and with it what it was told
            break
        events = await node.runs.events(run, 1, run.state.next_event_id)
        found.append((run, events))
        last = events[-1]
    return found


def _later(
    request: ResetWorkflowExecutionRequest, current: Run, ended: Draft, base: Run, sources: _Sources
) -> list[HistoryEvent]:
    """The events after the point, along the chain, with what the termination of the current run brought to light."""
    point = request.workflow_task_finish_event_id
    later = [event for event in sources.history if event.event_id >= point]
    if base is current:
        later += ended.events
    for run, events in sources.continuations:
        later += events
        if run is current:
            later += ended.events
    return later
