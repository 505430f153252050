"""``outlast schedule describe``."""

from __future__ import annotations

import click

from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import DescribeScheduleRequest, DescribeScheduleResponse

from .. import values
from ..connection import Session, connected
from .options import SCHEDULE_ID
from .wording import calendar_line, spec_lines


@click.command()
@SCHEDULE_ID
@connected
async def describe(session: Session, *, schedule_id: str) -> None:
    """Show what a schedule does, and what it has done."""
    request = DescribeScheduleRequest(namespace=session.namespace, schedule_id=schedule_id)
    found = await session.service.describe_schedule(request, retry=True)
    if not session.printer.is_text:
        session.printer.data(found)
        return
    session.printer.card("Schedule:", _entries(session, schedule_id, found))
    recent = [
        (
            session.printer.time(each.schedule_time),
            session.printer.time(each.actual_time),
            each.start_workflow_result.workflow_id,
            values.enum_name(_e.WorkflowExecutionStatus, each.start_workflow_status),
        )
        for each in found.info.recent_actions
    ]
    if recent:
        session.printer.line()
        session.printer.line("Recent actions:", "bold")
        session.printer.table(("Due", "Taken", "WorkflowId", "Status"), [(cells, {}) for cells in recent])


def _entries(session: Session, schedule_id: str, found: DescribeScheduleResponse) -> dict[str, str]:
    time, schedule, info = session.printer.time, found.schedule, found.info
    spec, workflow = schedule.spec, schedule.action.start_workflow
    limited = schedule.state.limited_actions
    return {
        "ScheduleId": schedule_id,
        "Workflow": workflow.workflow_type.name,
        "WorkflowId": workflow.workflow_id,
        "TaskQueue": workflow.task_queue.name,
        "Input": values.payloads(workflow.input),
        "Spec": "\n".join(spec_lines(spec)),
        "SkipSpec": "\n".join(map(calendar_line, spec.exclude_structured_calendar)),
        "StartAt": time(spec.start_time),
        "EndAt": time(spec.end_time),
        "Jitter": values.duration(spec.jitter),
        "TimeZoneName": spec.timezone_name,
        "OverlapPolicy": values.enum_name(_e.ScheduleOverlapPolicy, schedule.policies.overlap_policy),
        "CatchupWindow": values.duration(schedule.policies.catchup_window),
        "PauseOnFailure": str(schedule.policies.pause_on_failure).lower(),
        "Notes": schedule.state.notes,
        "Paused": str(schedule.state.paused).lower(),
        "RemainingActions": str(schedule.state.remaining_actions) if limited else "",
        "NextRunTime": time(info.future_action_times[0]) if info.future_action_times else "",
        "LastRunTime": time(info.recent_actions[-1].schedule_time) if info.recent_actions else "",
        "RunningWorkflows": "\n".join(each.workflow_id for each in info.running_workflows),
        "Buffered": str(info.buffer_size or ""),
        "CreatedAt": time(info.create_time),
        "LastUpdateAt": time(info.update_time),
        "ActionCounts": (
            f"{info.action_count} taken, {info.missed_catchup_window} missed, {info.overlap_skipped} skipped"
            f"{f', {info.buffer_dropped} dropped' if info.buffer_dropped else ''}"
        ),
        "SearchAttributes": values.fields(found.search_attributes.indexed_fields),
        "Memo": values.fields(found.memo.fields),
    }
