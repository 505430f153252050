"""The tasks that pollers get, built from a run's state and history."""

from __future__ import annotations

from typing import Any

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import PollActivityTaskQueueResponse, PollWorkflowTaskQueueResponse
from outlast.engine import tokens
from outlast.engine.effects import OfferWorkflowTask
from outlast.engine.execution import activity_operations
from outlast.engine.execution import workflow_task as tasks
from outlast.engine.execution.draft import Draft
from outlast.engine.execution.state import Activity
from outlast.vocab import limits
from outlast.vocab.times import parts

from . import updates
from .node import Node
from .queries import PendingQuery
from .runs import Run


def start_inline(node: Node, draft: Draft, identity: str) -> bool:
    """Start the draft's pending workflow task for the caller itself, so that it is not offered to any queue."""
    task = draft.state.task
    if task is None or task.started:
        return False
    started = tasks.start(
        draft.state,
        draft.now,
        scheduled_event_id=task.scheduled_event_id,
        attempt=task.attempt,
        identity=identity,
        request_id="",
    )
    if started is None:
        return False
    draft.apply(started)
    draft.effects[:] = [effect for effect in draft.effects if not isinstance(effect, OfferWorkflowTask)]
    return True


async def workflow_task(node: Node, run: Run, namespace: str, *, inline: bool = False) -> PollWorkflowTaskQueueResponse:
    """The run's started workflow task: with the new events only on a sticky queue, else with the first page of all.

    Args:
        inline: the task answers the completion of the one before, whose worker has the run as on a sticky queue.
    """
    state = run.state
    task = state.task
    assert task is not None and task.started
    sticky = inline or task.queue != state.queue
    first = state.previous_started_event_id + 1 if sticky else 1
    fields: dict[str, Any] = {
        "task_token": tokens.encode(
            tokens.WorkflowTaskToken(*run.key, task.scheduled_event_id, task.attempt, task.started_at)
        ),
        "previous_started_event_id": state.previous_started_event_id,
        "started_event_id": task.started_event_id,
        "attempt": task.attempt,
        "scheduled_time": parts(task.scheduled_at),
        "started_time": parts(task.started_at),
        **_run_fields(run),
    }
    response = PollWorkflowTaskQueueResponse(**fields)
    for pending in run.queries.values():
        if not pending.direct and not pending.answer.done():
            pending.shown = True
            pending.attached_to = (task.scheduled_event_id, task.started_at)
            response.queries[pending.query_id].CopyFrom(pending.query)
    updates.show(run, task, response, holds=sticky)
    await _attach_history(node, run, response, first)
    return response


async def query_task(node: Node, run: Run, pending: PendingQuery) -> PollWorkflowTaskQueueResponse:
    """A query as a task of its own: without history on a sticky queue, with its first page elsewhere."""
    state = run.state
    response = PollWorkflowTaskQueueResponse(
        task_token=tokens.encode(tokens.QueryTaskToken(*run.key, pending.query_id)),
        previous_started_event_id=state.previous_started_event_id,
        attempt=1,
        query=pending.query,
        **_run_fields(run),
    )
    pending.shown = True
    if pending.sticky:
        response.history.SetInParent()
    else:
        await _attach_history(node, run, response, 1)
    return response


def _run_fields(run: Run) -> dict[str, Any]:
    """What every workflow task says of its run."""
    state = run.state
    return {
        "workflow_execution": {"workflow_id": run.key.workflow_id, "run_id": run.key.run_id},
        "workflow_type": {"name": state.workflow_type},
        "workflow_execution_task_queue": {"name": state.queue, "kind": _e.TASK_QUEUE_KIND_NORMAL},
    }


async def _attach_history(node: Node, run: Run, response: PollWorkflowTaskQueueResponse, first: int) -> None:
    events, next_event_id = await page(node, run, first, limits.HISTORY_PAGE_MAX)
    response.history.events.extend(events)
    if next_event_id:
        response.next_page_token = tokens.encode(tokens.PageToken(run.key.run_id, next_event_id))


async def page(node: Node, run: Run, first: int, size: int) -> tuple[list[HistoryEvent], int]:
    """A page of the history as a worker is to see it: it ends with the events of a started task that are not written.

    Returns:
        The events, and the id at which the next page starts; 0 when this is the last.
    """
    events, next_event_id = await written_page(node, run, first, size)
    return (events, next_event_id) if next_event_id else (events + tasks.unwritten_events(run.state), 0)


async def written_page(node: Node, run: Run, first: int, size: int) -> tuple[list[HistoryEvent], int]:
    """A page of the history as it is written, and the id at which the next one starts; 0 when this is the last."""
    end = min(first + size, run.state.next_event_id)
    events = await node.runs.events(run, first, end)
    return events, end if end < run.state.next_event_id else 0


def activity_task(
    run: Run, activity: Activity, scheduled: HistoryEvent, namespace: str
) -> PollActivityTaskQueueResponse:
    """A started attempt, with what its scheduled event says."""
    attributes = scheduled.activity_task_scheduled_event_attributes
    fields: dict[str, Any] = {
        "task_token": tokens.encode(
            tokens.ActivityTaskToken(*run.key, activity.scheduled_event_id, activity.attempt, activity.started_at)
        ),
        "workflow_namespace": namespace,
        **_owner(run),
        "activity_type": {"name": activity.type_name},
        "activity_id": activity.activity_id,
        "scheduled_time": parts(run.state.started_at if activity.alone else activity.first_scheduled_at),
        "current_attempt_scheduled_time": parts(activity.attempt_scheduled_at),
        "started_time": parts(activity.started_at),
        "attempt": activity.attempt,
        "schedule_to_close_timeout": parts(activity.schedule_to_close_ns),
        "start_to_close_timeout": parts(activity.start_to_close_ns),
        "heartbeat_timeout": parts(activity.heartbeat_ns),
        "retry_policy": attributes.retry_policy,
    }
    priority = attributes.priority if attributes.HasField("priority") else None
    if activity.operations is not None and activity.operations.options:
        options = activity_operations.options_of(activity)
        fields["retry_policy"], priority = options.retry_policy, options.priority
    response = PollActivityTaskQueueResponse(**fields)
    if attributes.HasField("input"):
        response.input.CopyFrom(attributes.input)
    if attributes.HasField("header"):
        response.header.CopyFrom(attributes.header)
    if run.state.priority:
        response.priority.MergeFromString(run.state.priority)
    if priority is not None:
        response.priority.MergeFrom(priority)
    if activity.heartbeat_details:
        response.heartbeat_details.MergeFromString(activity.heartbeat_details)
    return response


def _owner(run: Run) -> dict[str, Any]:
    """Whose activity it is: a workflow's, or nobody's."""
    if run.state.standalone is not None:
        return {"activity_run_id": run.key.run_id}
    return {
        "workflow_type": {"name": run.state.workflow_type},
        "workflow_execution": {"workflow_id": run.key.workflow_id, "run_id": run.key.run_id},
    }
