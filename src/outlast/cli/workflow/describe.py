"""``outlast workflow describe``: everything about a run that is not its history; what blocks it, in red."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflow.v1 import PendingActivityInfo, PendingWorkflowTaskInfo, WorkflowExecutionInfo
from outlast.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse
from outlast.server.json_form import to_json

from .. import values
from ..connection import Session, connected
from ..printing import Printer
from ..reference import REFERENCE, execution
from .following import CLOSING, event_name, next_run, pages, pages_back
from .outcome import failure_text


@click.command()
@REFERENCE
@click.option("--reset-points", is_flag=True, help="Show the points that `reset --type BuildId` knows.")
@click.option("--raw", is_flag=True, help="All fields, as the server sends them.")
@connected
async def describe(session: Session, *, workflow_id: str, run_id: str, reset_points: bool, raw: bool) -> None:
    """Show a workflow: its state, what it waits for, what blocks it."""
    response: DescribeWorkflowExecutionResponse = await session.service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=session.namespace, execution=execution(workflow_id, run_id)),
        retry=True,
    )
    printer, info = session.printer, response.workflow_execution_info
    if reset_points:
        _reset_points(printer, info)
        return
    if raw:
        printer.card("", dict(values.flattened(response)), indent=0)
        printer.data(response)
        return
    blocked = await _blocked(session, response)
    close = await _close(session, info)
    if not printer.is_text:
        extra = {}
        if close is not None:
            extra["closeEvent"] = printer.embedded(close)
        if blocked is not None:
            extra["pendingWorkflowTaskFailure"] = printer.embedded(blocked)
        printer.data({**msgspec.json.decode(to_json(response, shorthand=printer.shorthand)), **extra})
        return
    printer.card("Execution Info:", _info(session, response))
    if response.HasField("pending_workflow_task"):
        _workflow_task(printer, response.pending_workflow_task, blocked)
    _pending(printer, response)
    if close is not None:
        _result(printer, close)


def _info(session: Session, response: DescribeWorkflowExecutionResponse) -> dict[str, str]:
    info, config, more = (
        response.workflow_execution_info,
        response.execution_config,
        response.workflow_extended_info,
    )
    time = session.printer.time
    return {
        "Status": values.enum_name(_e.WorkflowExecutionStatus, info.status),
        "WorkflowId": info.execution.workflow_id,
        "RunId": info.execution.run_id,
        "Type": info.type.name,
        "Namespace": session.namespace,
        "TaskQueue": info.task_queue,
        "StartTime": time(info.start_time),
        "ExecutionTime": time(info.execution_time) if info.execution_time != info.start_time else "",
        "CloseTime": time(info.close_time),
        "Duration": values.duration(info.execution_duration),
        "RunExpirationTime": time(more.run_expiration_time),
        "ExecutionExpirationTime": time(more.execution_expiration_time),
        "CancelRequested": "true" if more.cancel_requested else "",
        "Paused": _paused(session.printer, more.pause_info) if more.HasField("pause_info") else "",
        "ResetRunId": more.reset_run_id,
        "ParentWorkflowId": info.parent_execution.workflow_id,
        "ParentRunId": info.parent_execution.run_id,
        "RootWorkflowId": _other(info.root_execution.workflow_id, info.execution.workflow_id),
        "Memo": values.fields(info.memo.fields),
        "SearchAttributes": values.fields(info.search_attributes.indexed_fields),
        "Summary": values.payload(config.user_metadata.summary) if config.user_metadata.HasField("summary") else "",
        "Details": values.payload(config.user_metadata.details) if config.user_metadata.HasField("details") else "",
        "StateTransitionCount": str(info.state_transition_count),
        "HistoryLength": str(info.history_length),
        "HistorySize": str(info.history_size_bytes),
    }


def _other(text: str, than: str) -> str:
    return text if text != than else ""


def _paused(printer: Printer, info: Any) -> str:
    reason = f": {info.reason}" if info.reason else ""
    return f"{printer.time(info.paused_time)} by {info.identity}{reason}"


def _workflow_task(printer: Printer, task: PendingWorkflowTaskInfo, blocked: HistoryEvent | None) -> None:
    printer.line()
    state = values.enum_name(_e.PendingWorkflowTaskState, task.state)
    if blocked is None:
        entries = {"State": state, "Attempt": str(task.attempt), "ScheduledTime": printer.time(task.scheduled_time)}
        printer.card("Pending Workflow Task:", entries)
        return
    printer.line(f"BLOCKED: its workflow task has failed, attempt {task.attempt} is {state.lower()}", "bold red")
    attributes = blocked.workflow_task_failed_event_attributes
    if blocked.event_type == _e.EVENT_TYPE_WORKFLOW_TASK_FAILED:
        printer.line(f"  {values.enum_name(_e.WorkflowTaskFailedCause, attributes.cause)}", "red")
        for line in failure_text(attributes.failure).split("\n"):
            printer.line(f"  {line}", "red")
    else:
        printer.line("  no worker finished it in time", "red")


async def _blocked(session: Session, response: DescribeWorkflowExecutionResponse) -> HistoryEvent | None:
    """The event that says how the workflow task failed that is now tried again."""
    if not response.HasField("pending_workflow_task") or response.pending_workflow_task.attempt <= 1:
        return None
    run = response.workflow_execution_info.execution
    async for page in pages_back(session, run.workflow_id, run.run_id):
        for event in page:
            if event.event_type in (_e.EVENT_TYPE_WORKFLOW_TASK_FAILED, _e.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT):
                return event
            if event.event_type == _e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                return None
    return None


async def _close(session: Session, info: WorkflowExecutionInfo) -> HistoryEvent | None:
    if info.status in (_e.WORKFLOW_EXECUTION_STATUS_RUNNING, _e.WORKFLOW_EXECUTION_STATUS_PAUSED):
        return None
    run = info.execution
    async for page in pages(session, run.workflow_id, run.run_id, wait=False, close_only=True):
        return page[-1] if page[-1].event_type in CLOSING else None
    return None


def _pending(printer: Printer, response: DescribeWorkflowExecutionResponse) -> None:
    printer.line()
    printer.line(f"Pending Activities: {len(response.pending_activities)}", "bold")
    for activity in response.pending_activities:
        printer.card("", _activity(printer, activity))
        printer.line()
    printer.line(f"Pending Child Workflows: {len(response.pending_children)}", "bold")
    for child in response.pending_children:
        entries = {
            "WorkflowId": child.workflow_id,
            "RunId": child.run_id,
            "Type": child.workflow_type_name,
            "ParentClosePolicy": values.enum_name(_e.ParentClosePolicy, child.parent_close_policy),
        }
        printer.card("", entries)
        printer.line()


def _activity(printer: Printer, activity: PendingActivityInfo) -> dict[str, str]:
    most = activity.maximum_attempts
    return {
        "ActivityId": activity.activity_id,
        "Type": activity.activity_type.name,
        "State": values.enum_name(_e.PendingActivityState, activity.state),
        "Paused": "true" if activity.paused else "",
        "Attempt": f"{activity.attempt} of {most}" if most else str(activity.attempt),
        "ScheduledTime": printer.time(activity.scheduled_time),
        "LastStartedTime": printer.time(activity.last_started_time),
        "NextAttemptTime": printer.time(activity.next_attempt_schedule_time),
        "RetryInterval": values.duration(activity.current_retry_interval),
        "ExpirationTime": printer.time(activity.expiration_time),
        "LastHeartbeatTime": printer.time(activity.last_heartbeat_time),
        "HeartbeatDetails": values.payloads(activity.heartbeat_details),
        "LastWorkerIdentity": activity.last_worker_identity,
        "LastFailure": failure_text(activity.last_failure) if activity.HasField("last_failure") else "",
    }


def _result(printer: Printer, close: HistoryEvent) -> None:
    printer.line()
    attributes: Any = getattr(close, str(close.WhichOneof("attributes")))
    fields = attributes.DESCRIPTOR.fields_by_name
    entries = {"Event": event_name(close)}
    if "result" in fields:
        entries["Result"] = values.payloads(attributes.result) or "null"
    if "failure" in fields:
        entries["Failure"] = failure_text(attributes.failure)
    entries["Reason"] = getattr(attributes, "reason", "")
    entries["NewRunId"] = next_run(close)
    printer.card("Results:", entries)


def _reset_points(printer: Printer, info: WorkflowExecutionInfo) -> None:
    printer.table(
        ("EventId", "Time", "BuildId", "RunId"),
        (
            (
                (
                    str(point.first_workflow_task_completed_id),
                    printer.time(point.create_time),
                    point.build_id or point.binary_checksum,
                    point.run_id,
                ),
                point,
            )
            for point in info.auto_reset_points.points
        ),
    )
