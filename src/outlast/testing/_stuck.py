"""Whether a test waits in vain: nothing is running, and neither time nor anybody brings a workflow forward."""

from __future__ import annotations

import asyncio
import json

from outlast.api.workflowservice.v1 import QueryWorkflowRequest, QueryWorkflowResponse
from outlast.engine.execution.state import ExecutionState
from outlast.server.context import CallContext
from outlast.server.node import Node
from outlast.server.runs import Run
from outlast.server.skipping import SkippingClock
from outlast.server.task_queues import QueueId
from outlast.vocab.divisions import namespace_of
from outlast.vocab.errors import ServiceError

_STACK_SECONDS = 2.0
_LISTED_MAX = 20


class StuckError(Exception):
    """The result that a test waits for can never come; the message lists what waits for what."""


async def stuck_report(node: Node) -> str:
    """What waits for what; empty while something is running or time can bring something about."""
    clock = node.clock
    if not isinstance(clock, SkippingClock) or clock.lock_count or node.stillness is None or node.stillness.work:
        return ""
    open_runs = [run for run in node.runs.all() if run.state.running]
    if any(_is_worked_on(run.state) for run in open_runs):
        return ""
    unserved = [line for run in open_runs for line in _unserved(node, run)]
    if not unserved and not clock.stuck:
        return ""
    lines = [f"  {line}" for line in unserved]
    waiting = [run for run in open_runs if not _unserved(node, run)]
    for run in waiting[: max(_LISTED_MAX - len(lines), 0)]:
        if run.state.paused or run.state.standalone is not None:
            lines.append(f"  {_name(run)} is paused, and nobody unpauses it")
            continue
        lines.append(f"  {_name(run)} waits for a signal, an update or a cancellation that nobody sends")
        lines += [f"    {line}" for line in (await _stack(node, run)).splitlines()]
    hidden = len(unserved) + len(waiting) - _LISTED_MAX
    if hidden > 0:
        lines.append(f"  and {hidden} more")
    return (
        "the workflow can never progress: nothing is running, no timer is left to jump to, and\n"
        + "\n".join(lines)
        + "\nStart the missing worker, send the signal before waiting for the result, or give the wait a timeout."
    )


def _is_worked_on(state: ExecutionState) -> bool:
    """Whether a worker has a task of the run right now."""
    if state.task is not None and state.task.started:
        return True
    return any(activity.started for activity in state.activities.values())


def _name(run: Run) -> str:
    by_itself = "activity " if run.state.standalone is not None else ""
    return f"{by_itself}{run.state.workflow_type} {run.key.workflow_id!r}"


def _unserved(node: Node, run: Run) -> list[str]:
    """The run's tasks that lie in queues which no worker polls."""
    state = run.state
    lines: list[str] = []
    if state.paused:
        return lines
    if state.task is not None and not state.task.started and not _is_polled(node, run, state.queue, "workflow"):
        lines.append(f"{_name(run)} waits for a worker: nobody polls task queue {state.queue!r} for workflow tasks")
    whom = "activity {0!r}" if state.standalone is None else "a worker"
    lines += [
        f"{_name(run)} waits for {whom.format(activity.type_name)}: nobody polls task queue {activity.queue!r} for "
        "activity tasks"
        for activity in state.activities.values()
        if activity.on_offer and not _is_polled(node, run, activity.queue, "activity")
    ]
    return lines


def _is_polled(node: Node, run: Run, queue: str, kind: str) -> bool:
    return node.queues.served(QueueId(namespace_of(run.key.namespace_id), queue, kind))


async def _stack(node: Node, run: Run) -> str:
    """Where the run's code waits, asked of its worker; empty when that does not answer."""
    request = QueryWorkflowRequest(namespace=node.namespaces.name_of(run.key.namespace_id))
    request.execution.workflow_id, request.execution.run_id = run.key.workflow_id, run.key.run_id
    request.query.query_type = "__stack_trace"
    try:
        async with asyncio.timeout(_STACK_SECONDS):
            answer = await node.call(
                "temporal.api.workflowservice.v1.WorkflowService", "QueryWorkflow", request, CallContext("embedded")
            )
    except (ServiceError, TimeoutError):
        return ""
    assert isinstance(answer, QueryWorkflowResponse)
    payloads = answer.query_result.payloads
    if not payloads:
        return ""
    return str(json.loads(payloads[0].data))
