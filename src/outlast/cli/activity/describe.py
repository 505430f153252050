"""``outlast activity describe``: everything about an activity without a workflow."""

from __future__ import annotations

import click
import msgspec

from outlast.api.activity.v1 import ActivityExecutionInfo
from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import DescribeActivityExecutionRequest, DescribeActivityExecutionResponse
from outlast.server.json_form import to_json

from .. import values
from ..connection import Session, connected
from ..printing import Printer
from .outcome import words
from .target import REFERENCE


@click.command()
@REFERENCE
@click.option("--raw", is_flag=True, help="All fields, as the server sends them.")
@connected
async def describe(session: Session, *, activity_id: str, run_id: str, raw: bool) -> None:
    """Show an activity: its state, its attempts, its input and its outcome."""
    response: DescribeActivityExecutionResponse = await session.service.describe_activity_execution(
        DescribeActivityExecutionRequest(
            namespace=session.namespace,
            activity_id=activity_id,
            run_id=run_id,
            include_input=True,
            include_outcome=True,
            include_heartbeat_details=True,
            include_last_failure=True,
        ),
        retry=True,
    )
    printer = session.printer
    if raw:
        printer.card("", dict(values.flattened(response)), indent=0)
        printer.data(response)
        return
    if not printer.is_text:
        data = msgspec.json.decode(to_json(response.info, shorthand=printer.shorthand))
        for name in ("input", "outcome"):
            if response.HasField(name):
                data[name] = printer.embedded(getattr(response, name))
        printer.data(data)
        return
    printer.card("Execution Info:", _info(session, response))
    _attempts(printer, response.info)
    if response.HasField("outcome"):
        printer.line()
        printer.card("Results:", words(response.outcome))


def _info(session: Session, response: DescribeActivityExecutionResponse) -> dict[str, str]:
    info, time = response.info, session.printer.time
    metadata = info.user_metadata
    return {
        "Status": values.enum_name(_e.ActivityExecutionStatus, info.status),
        "ActivityId": info.activity_id,
        "RunId": info.run_id,
        "Type": info.activity_type.name,
        "Namespace": session.namespace,
        "TaskQueue": info.task_queue,
        "ScheduleTime": time(info.schedule_time),
        "ExecutionTime": time(info.execution_time) if info.execution_time != info.schedule_time else "",
        "CloseTime": time(info.close_time),
        "Duration": values.duration(info.execution_duration),
        "ExpirationTime": time(info.expiration_time),
        "CanceledReason": info.canceled_reason,
        "ScheduleToCloseTimeout": values.duration(info.schedule_to_close_timeout),
        "ScheduleToStartTimeout": values.duration(info.schedule_to_start_timeout),
        "StartToCloseTimeout": values.duration(info.start_to_close_timeout),
        "HeartbeatTimeout": values.duration(info.heartbeat_timeout),
        "StartDelay": values.duration(info.start_delay),
        "SearchAttributes": values.fields(info.search_attributes.indexed_fields),
        "Summary": values.payload(metadata.summary) if metadata.HasField("summary") else "",
        "Details": values.payload(metadata.details) if metadata.HasField("details") else "",
        "Input": values.payloads(response.input),
        "StateTransitionCount": str(info.state_transition_count),
    }


def _attempts(printer: Printer, info: ActivityExecutionInfo) -> None:
    most = info.retry_policy.maximum_attempts
    printer.line()
    printer.card(
        "Attempts:",
        {
            "State": values.enum_name(_e.PendingActivityState, info.run_state) if info.run_state else "",
            "Attempt": f"{info.attempt} of {most}" if most else str(info.attempt),
            "LastStartedTime": printer.time(info.last_started_time),
            "LastAttemptCompleteTime": printer.time(info.last_attempt_complete_time),
            "LastHeartbeatTime": printer.time(info.last_heartbeat_time),
            "HeartbeatDetails": values.payloads(info.heartbeat_details),
            "LastWorkerIdentity": info.last_worker_identity,
            "NextAttemptTime": printer.time(info.next_attempt_schedule_time),
            "RetryInterval": values.duration(info.current_retry_interval),
            "LastFailure": "\n".join(values.failure_lines(info.last_failure)) if info.HasField("last_failure") else "",
        },
    )
