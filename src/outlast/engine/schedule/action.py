"""What a schedule starts, and what it learns of it.

    starting --started--> running --closed--> (recent only)
        `----refused--> (none)      `--told--> running, asked to end

A workflow that is not tracked (policy ALLOW_ALL) is remembered among the recent actions and nowhere else.

Source: ScheduleActionResult, NewWorkflowExecutionInfo; rules 3.12.3, 3.12.5 and 3.12.6.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from outlast.api.common.v1 import Payload
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.schedule.v1 import ScheduleAction
from outlast.api.workflowservice.v1 import StartWorkflowExecutionRequest
from outlast.vocab import ids, limits
from outlast.vocab.attributes import EVENT_FIELD
from outlast.vocab.calendar import rfc3339
from outlast.vocab.times import SECOND_NS

from ..execution.close import STATUS
from ..transition import NOTHING, Transition
from .state import Recent, Running, ScheduleState, Start

STARTED_AT: Final = "TemporalScheduledStartTime"
STARTED_BY: Final = "TemporalScheduledById"
"""Search attributes of every workflow that a schedule starts."""
_CARRIED: Final = (
    "workflow_type",
    "task_queue",
    "input",
    "workflow_execution_timeout",
    "workflow_run_timeout",
    "workflow_task_timeout",
    "retry_policy",
    "memo",
    "header",
    "user_metadata",
    "priority",
    "versioning_override",
)
_FAILED: Final = {
    _e.WORKFLOW_EXECUTION_STATUS_FAILED: "failure",
    _e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: "timeout",
}


def identity(namespace: str, schedule_id: str) -> str:
    """Who starts, cancels and terminates workflows for a schedule."""
    return f"temporal-scheduler-{namespace}-{schedule_id}"


def request_id(state: ScheduleState, number: int) -> str:
    """Names the start of an action, equal on every try."""
    return ids.request_id(state.run_id, number)


def start_request(state: ScheduleState, start: Start, namespace: str) -> StartWorkflowExecutionRequest:
    """The call that takes an action."""
    workflow = ScheduleAction.FromString(state.action).start_workflow
    nominal_at = start.nominal_at - start.nominal_at % SECOND_NS
    workflow_id = workflow.workflow_id
    if not state.keep_workflow_id:
        workflow_id += "-" + rfc3339(nominal_at)
    fields: dict[str, Any] = {name: getattr(workflow, name) for name in _CARRIED if workflow.HasField(name)}
    duplicates = _e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    if not start.manual and not state.keep_workflow_id:
        duplicates = _e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    request = StartWorkflowExecutionRequest(
        namespace=namespace,
        workflow_id=workflow_id,
        identity=identity(namespace, state.schedule_id),
        request_id=request_id(state, start.number),
        workflow_id_reuse_policy=duplicates,
        **fields,
    )
    request.search_attributes.MergeFrom(workflow.search_attributes)
    request.search_attributes.indexed_fields[STARTED_AT].CopyFrom(_json(rfc3339(nominal_at)))
    request.search_attributes.indexed_fields[STARTED_BY].CopyFrom(_json(state.schedule_id))
    if start.tracked:
        if state.last_result:
            request.last_completion_result.MergeFromString(state.last_result)
        if state.last_failure:
            request.continued_failure.MergeFromString(state.last_failure)
    return request


def _json(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(text).encode())


# -- decisions -------------------------------------------------------------------------------------------------------


def started(state: ScheduleState, number: int, workflow_id: str, run_id: str, now: int) -> Transition:
    """The workflow of an action has been started."""
    start = _starting(state, number)
    if start is None:
        return NOTHING
    recent = Recent(start.at, now, workflow_id, run_id, _e.WORKFLOW_EXECUTION_STATUS_RUNNING)
    return Transition(folds=((on_started, start, recent),))


def refused(state: ScheduleState, number: int) -> Transition:
    """The workflow of an action cannot be started; the action is given up."""
    start = _starting(state, number)
    return NOTHING if start is None else Transition(folds=((on_refused, start, None),))


def _starting(state: ScheduleState, number: int) -> Start | None:
    return next((start for start in state.starting if start.number == number), None)


def told(state: ScheduleState, running: Running) -> Transition:
    """A running workflow has been asked to end, or has been terminated."""
    return Transition(folds=((on_told, running, None),)) if running in state.running else NOTHING


def closed(state: ScheduleState, workflow_id: str, run_id: str, event: HistoryEvent | None) -> Transition:
    """The last run of a chain that was started here has closed.

    Args:
        run_id: of the first run of the chain.
        event: the one that closed it; None where that cannot be found out any more.
    """
    name = (workflow_id, run_id)
    status = STATUS[event.event_type] if event is not None else 0
    folds: list[tuple[Any, Any, Any]] = [
        (on_status, recent, status)
        for recent in state.recent
        if (recent.workflow_id, recent.run_id) == name and status not in (0, recent.status)
    ]
    for running in state.running:
        if (running.workflow_id, running.run_id) == name:
            folds.append((on_closed, running, event))
            if state.pause_on_failure and status in _FAILED and not state.paused:
                folds.append((on_paused, f"paused due to workflow {_FAILED[status]}: {workflow_id}{_why(event)}", None))
    return Transition(folds=tuple(folds))


def goes_on(event: HistoryEvent) -> bool:
    """Whether the run that this event has closed is followed by another one of its chain."""
    return bool(getattr(getattr(event, EVENT_FIELD[event.event_type]), "new_execution_run_id", ""))


def _why(event: HistoryEvent | None) -> str:
    if event is None or not event.HasField("workflow_execution_failed_event_attributes"):
        return ""
    return f": {event.workflow_execution_failed_event_attributes.failure.message}"


# -- folds -----------------------------------------------------------------------------------------------------------


def on_started(state: ScheduleState, start: Start, recent: Recent) -> None:
    state.starting.remove(start)
    state.actions += 1
    state.recent = [*state.recent, recent][-limits.SCHEDULE_RECENT_ACTIONS_MAX :]
    if start.tracked:
        state.running.append(Running(recent.workflow_id, recent.run_id))


def on_refused(state: ScheduleState, start: Start, _: None) -> None:
    state.starting.remove(start)


def on_told(state: ScheduleState, running: Running, _: None) -> None:
    state.running[state.running.index(running)] = msgspec.structs.replace(running, told=True)


def on_status(state: ScheduleState, recent: Recent, status: int) -> None:
    state.recent[state.recent.index(recent)] = msgspec.structs.replace(recent, status=status)


def on_closed(state: ScheduleState, running: Running, event: HistoryEvent | None) -> None:
    state.running.remove(running)
    if event is None:
        return
    if event.HasField("workflow_execution_completed_event_attributes"):
        state.last_result = event.workflow_execution_completed_event_attributes.result.SerializeToString()
        state.last_failure = b""
    elif event.HasField("workflow_execution_failed_event_attributes"):
        # The result of the one before stays.
        state.last_failure = event.workflow_execution_failed_event_attributes.failure.SerializeToString()


def on_paused(state: ScheduleState, notes: str, _: None) -> None:
    state.paused, state.notes = True, notes
    state.token += 1


def on_unpaused(state: ScheduleState, notes: str, _: None) -> None:
    state.paused, state.notes = False, notes
    state.token += 1
