"""Pause, unpause, reset and new options of pending activities, and their successors that name one activity.

A request id needs no memory here: the same request once more changes nothing that the first has not. Standalone
activities remember theirs (``engine/activity_execution/operations.py``).

Source: PauseActivity and PauseActivityExecution, and their kin; rule 3.2.12.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from outlast.api.activity.v1 import ActivityOptions
from outlast.api.common.v1 import WorkflowExecution
from outlast.api.protobuf import Duration
from outlast.api.workflowservice.v1 import (
    PauseActivityExecutionRequest,
    PauseActivityExecutionResponse,
    PauseActivityRequest,
    PauseActivityResponse,
    ResetActivityExecutionRequest,
    ResetActivityExecutionResponse,
    ResetActivityRequest,
    ResetActivityResponse,
    UnpauseActivityExecutionRequest,
    UnpauseActivityExecutionResponse,
    UnpauseActivityRequest,
    UnpauseActivityResponse,
    UpdateActivityExecutionOptionsRequest,
    UpdateActivityExecutionOptionsResponse,
    UpdateActivityOptionsRequest,
    UpdateActivityOptionsResponse,
)
from outlast.engine.activity_execution import operations as alone
from outlast.engine.execution import activity_operations as operations
from outlast.engine.execution import advance, standalone
from outlast.engine.execution.draft import Draft
from outlast.engine.execution.state import Activity, ExecutionState
from outlast.engine.transition import Transition
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import duration, from_duration

from ..context import CallContext
from ..node import Node, required
from . import lookup

_Decision = Callable[[ExecutionState, Activity, int], Transition]


async def pause(node: Node, request: PauseActivityRequest, context: CallContext) -> PauseActivityResponse:
    """Hand out no more attempts of the activities that the request names."""
    await _decide(node, request.namespace, request.execution, _named(request), _pause(request))
    return PauseActivityResponse()


async def pause_execution(
    node: Node, request: PauseActivityExecutionRequest, context: CallContext
) -> PauseActivityExecutionResponse:
    """The same for one activity, of a workflow or of its own."""
    decision = _pause(request)
    if request.workflow_id:
        await _decide_one(node, request, decision)
    else:
        await _decide_alone(node, request, lambda draft: alone.pause(draft, request))
    return PauseActivityExecutionResponse()


def _pause(request: PauseActivityRequest | PauseActivityExecutionRequest) -> _Decision:
    reason = request.reason
    if len(reason) > limits.REASON_CHARACTERS_MAX:
        raise InvalidArgument(
            f"{type(request).DESCRIPTOR.name}: reason has {len(reason)} characters, the most is "
            f"{limits.REASON_CHARACTERS_MAX}; shorten it"
        )
    return lambda state, activity, now: operations.pause(activity, now, identity=request.identity, reason=reason)


async def unpause(node: Node, request: UnpauseActivityRequest, context: CallContext) -> UnpauseActivityResponse:
    """Let the paused ones of the activities that the request names go on, spread over the jitter."""

    def decide(state: ExecutionState, activity: Activity, now: int) -> Transition:
        return operations.unpause(
            activity,
            now,
            delay_ns=_drawn(request.jitter),
            reset_attempts=request.reset_attempts,
            reset_heartbeat=request.reset_heartbeat,
        )

    await _decide(node, request.namespace, request.execution, _named(request, every=request.unpause_all), decide)
    return UnpauseActivityResponse()


async def unpause_execution(
    node: Node, request: UnpauseActivityExecutionRequest, context: CallContext
) -> UnpauseActivityExecutionResponse:
    """The same for one activity."""

    def decide(state: ExecutionState, activity: Activity, now: int) -> Transition:
        delay_ns = _drawn(request.jitter)
        return operations.unpause(activity, now, delay_ns=delay_ns, reset_attempts=False, reset_heartbeat=False)

    if request.workflow_id:
        await _decide_one(node, request, decide)
    else:
        await _decide_alone(node, request, lambda draft: alone.unpause(draft, request, _drawn(request.jitter)))
    return UnpauseActivityExecutionResponse()


async def reset(node: Node, request: ResetActivityRequest, context: CallContext) -> ResetActivityResponse:
    """Begin the activities that the request names anew."""
    await _decide(node, request.namespace, request.execution, _named(request, every=request.match_all), _reset(request))
    return ResetActivityResponse()


async def reset_execution(
    node: Node, request: ResetActivityExecutionRequest, context: CallContext
) -> ResetActivityExecutionResponse:
    """The same for one activity."""
    if request.workflow_id:
        await _decide_one(node, request, _reset(request))
    else:
        await _decide_alone(node, request, lambda draft: alone.reset(draft, request, _drawn(request.jitter)))
    return ResetActivityExecutionResponse()


def _reset(request: ResetActivityRequest | ResetActivityExecutionRequest) -> _Decision:
    return lambda state, activity, now: operations.reset(
        activity,
        now,
        delay_ns=_drawn(request.jitter),
        reset_heartbeat=request.reset_heartbeat,
        keep_paused=request.keep_paused,
        restore=request.restore_original_options,
    )


async def update_options(
    node: Node, request: UpdateActivityOptionsRequest, context: CallContext
) -> UpdateActivityOptionsResponse:
    """Change the options of the activities that the request names; answers those of the first."""
    named = _named(request, every=request.match_all)
    options = await _decide(node, request.namespace, request.execution, named, _options(request))
    return UpdateActivityOptionsResponse(activity_options=options)


async def update_execution_options(
    node: Node, request: UpdateActivityExecutionOptionsRequest, context: CallContext
) -> UpdateActivityExecutionOptionsResponse:
    """The same for one activity."""
    decision = _options(request)
    if request.workflow_id:
        options = await _decide_one(node, request, decision)
    else:
        options = await _decide_alone(node, request, lambda draft: alone.update_options(draft, request))
    return UpdateActivityExecutionOptionsResponse(activity_options=options)


def _options(request: UpdateActivityOptionsRequest | UpdateActivityExecutionOptionsRequest) -> _Decision:
    if not request.restore_original:
        return lambda state, activity, now: operations.update_options(
            state, activity, request.activity_options, request.update_mask, now
        )
    if request.HasField("activity_options") or request.update_mask.paths:
        raise InvalidArgument(
            f"{type(request).DESCRIPTOR.name}: restore_original takes no other options; leave them or it out"
        )
    return lambda state, activity, now: operations.restore_options(activity, now)


# -- parts -------------------------------------------------------------------------------------------------------


def _named(request: Any, *, every: bool = False) -> dict[str, Any]:
    return {"activity_id": request.id, "type_name": request.type, "every": every}


def _drawn(jitter: Duration) -> int:
    """A delay somewhere within the jitter."""
    longest = from_duration(jitter)
    if longest < 0:
        raise InvalidArgument("jitter is below zero; give a positive length of time, or none")
    return random.randint(0, longest)


async def _decide_one(node: Node, request: Any, decision: _Decision) -> ActivityOptions:
    required(type(request).DESCRIPTOR.name, activity_id=request.activity_id)
    execution = WorkflowExecution(workflow_id=request.workflow_id, run_id=request.run_id)
    named = {"activity_id": request.activity_id, "type_name": "", "every": False}
    return await _decide(node, request.namespace, execution, named, decision)


async def _decide_alone(node: Node, request: Any, operation: Callable[[Draft], None]) -> ActivityOptions:
    """Do something to a standalone activity; answers its options."""
    run = await lookup.activity_run(node, request)
    draft = node.runs.draft(run)
    operation(draft)
    options = operations.options_of(standalone.activity(draft.state))
    delay_ns = standalone.own(draft.state).start_delay_ns
    if delay_ns:
        options.start_delay.CopyFrom(duration(delay_ns))
    if draft.changed:
        await node.runs.commit(run, draft)
    await run.settled()
    return options


async def _decide(
    node: Node, namespace: str, execution: WorkflowExecution, named: dict[str, Any], decision: _Decision
) -> ActivityOptions:
    """Apply a decision to each activity that is named, all or none; answers the options of the first."""
    required("an operation on activities", workflow_id=execution.workflow_id)
    run = await lookup.open_run(node, namespace, execution)
    draft = node.runs.draft(run)
    selected = operations.select(draft.state, **named)
    for scheduled_event_id in selected:
        draft.apply(decision(draft.state, draft.state.activities[scheduled_event_id], draft.now))
    advance.settle(draft)
    options = operations.options_of(draft.state.activities[selected[0]]) if draft.state.running else ActivityOptions()
    if draft.changed:
        await node.runs.commit(run, draft)
    await run.settled()
    return options
