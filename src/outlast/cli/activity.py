"""``outlast activity``: end activities from outside, let them rest, and change how they are tried.

Source: ``temporal activity``; activities outside workflows are not built, and so neither are the verbs for them.
"""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.activity.v1 import ActivityOptions
from outlast.api.batch.v1 import (
    BatchOperationResetActivities,
    BatchOperationUnpauseActivities,
    BatchOperationUpdateActivityOptions,
)
from outlast.api.common.v1 import Payloads
from outlast.api.failure.v1 import ApplicationFailureInfo, Failure
from outlast.api.protobuf import FieldMask
from outlast.api.workflowservice.v1 import (
    PauseActivityRequest,
    ResetActivityRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
    UnpauseActivityRequest,
    UpdateActivityOptionsRequest,
)
from outlast.vocab import times

from . import selection, values
from .connection import Session, connected
from .inputs import DURATION, json_payload
from .options import Option, with_options
from .reference import REFERENCE, execution, fresh_id

_ACTIVITY_ID: Final[Option] = click.option("--activity-id", "-a", required=True, help="Id of the activity.")
_ONE_OR_MANY: Final[Option] = with_options(
    selection.ONE_OR_MANY,
    click.option("--activity-id", "-a", default="", help="Id of the activity, with --workflow-id."),
    click.option("--activity-type", default="", help="All pending activities of this type."),
    click.option("--match-all", is_flag=True, help="All pending activities."),
)
_JITTER: Final[Option] = click.option("--jitter", type=DURATION, help="Begin at a random moment within this time.")


@click.group()
def activity() -> None:
    """End activities from outside, let them rest, change how they are tried."""


@activity.command()
@_ACTIVITY_ID
@REFERENCE
@click.option("--result", required=True, help="JSON of the result.")
@connected
async def complete(session: Session, *, activity_id: str, workflow_id: str, run_id: str, result: str) -> None:
    """Complete an activity with a result."""
    request = RespondActivityTaskCompletedByIdRequest(
        namespace=session.namespace,
        workflow_id=workflow_id,
        run_id=run_id,
        activity_id=activity_id,
        result=Payloads(payloads=[json_payload(result, "--result")]),
        identity=session.identity,
    )
    await session.service.respond_activity_task_completed_by_id(request, retry=True)
    _done(session, f"Activity {activity_id} completed", activity_id)


@activity.command()
@_ACTIVITY_ID
@REFERENCE
@click.option("--detail", help="JSON of details.")
@click.option("--reason", default="", help="Message of the failure.")
@connected
async def fail(
    session: Session, *, activity_id: str, workflow_id: str, run_id: str, detail: str | None, reason: str
) -> None:
    """Fail an activity for good."""
    info = ApplicationFailureInfo(non_retryable=True)
    if detail is not None:
        info.details.payloads.append(json_payload(detail, "--detail"))
    request = RespondActivityTaskFailedByIdRequest(
        namespace=session.namespace,
        workflow_id=workflow_id,
        run_id=run_id,
        activity_id=activity_id,
        failure=Failure(message=reason, source="CLI", application_failure_info=info),
        identity=session.identity,
    )
    await session.service.respond_activity_task_failed_by_id(request, retry=True)
    _done(session, f"Activity {activity_id} failed", activity_id)


@activity.command()
@_ACTIVITY_ID
@REFERENCE
@click.option("--reason", default="", help="Why.")
@connected
async def pause(session: Session, *, activity_id: str, workflow_id: str, run_id: str, reason: str) -> None:
    """Let an activity rest: its present attempt may end, no other begins."""
    request = PauseActivityRequest(
        namespace=session.namespace,
        execution=execution(workflow_id, run_id),
        identity=session.identity,
        id=activity_id,
        reason=reason,
        request_id=fresh_id(),
    )
    await session.service.pause_activity(request, retry=True)
    _done(session, f"Activity {activity_id} paused", activity_id)


@activity.command()
@_ONE_OR_MANY
@click.option("--reset-attempts", is_flag=True, help="Count the attempts from 1 again.")
@click.option("--reset-heartbeats", is_flag=True, help="Forget the details of the last heartbeat.")
@_JITTER
@connected
async def unpause(
    session: Session, *, reset_attempts: bool, reset_heartbeats: bool, jitter: int | None, **options: Any
) -> None:
    """Let an activity that was paused go on, or with --query those of many workflows."""
    target, which = _which(options)
    again: dict[str, Any] = {
        "identity": session.identity,
        "reset_attempts": reset_attempts,
        "reset_heartbeat": reset_heartbeats,
        "jitter": times.duration(jitter) if jitter is not None else None,
    }
    if target is None:
        await selection.many(
            session, options, unpause_activities_operation=BatchOperationUnpauseActivities(**which, **again)
        )
        return
    if which.pop("match_all", False):
        which["unpause_all"] = True
    request = UnpauseActivityRequest(namespace=session.namespace, execution=target, **which, **again)
    await session.service.unpause_activity(request, retry=True)
    _done(session, "Activity unpaused", options["activity_id"])


@activity.command()
@_ONE_OR_MANY
@click.option("--keep-paused", is_flag=True, help="A paused activity stays so.")
@click.option("--reset-heartbeats", is_flag=True, help="Forget the details of the last heartbeat.")
@click.option("--restore-original-options", is_flag=True, help="With the options that it was scheduled with.")
@_JITTER
@connected
async def reset(
    session: Session,
    *,
    keep_paused: bool,
    reset_heartbeats: bool,
    restore_original_options: bool,
    jitter: int | None,
    **options: Any,
) -> None:
    """Begin with attempt 1 again at once, or with --query for many workflows."""
    target, which = _which(options)
    again: dict[str, Any] = {
        "identity": session.identity,
        "keep_paused": keep_paused,
        "reset_heartbeat": reset_heartbeats,
        "restore_original_options": restore_original_options,
        "jitter": times.duration(jitter) if jitter is not None else None,
    }
    if target is None:
        await selection.many(
            session, options, reset_activities_operation=BatchOperationResetActivities(**which, **again)
        )
        return
    request = ResetActivityRequest(namespace=session.namespace, execution=target, **which, **again)
    await session.service.reset_activity(request, retry=True)
    _done(session, "Activity reset", options["activity_id"])


_DURATIONS: Final = {
    "schedule_to_close_timeout": "schedule_to_close_timeout",
    "schedule_to_start_timeout": "schedule_to_start_timeout",
    "start_to_close_timeout": "start_to_close_timeout",
    "heartbeat_timeout": "heartbeat_timeout",
    "start_delay": "start_delay",
    "retry_initial_interval": "retry_policy.initial_interval",
    "retry_maximum_interval": "retry_policy.maximum_interval",
}
_NUMBERS: Final = {
    "retry_backoff_coefficient": "retry_policy.backoff_coefficient",
    "retry_maximum_attempts": "retry_policy.maximum_attempts",
}


@activity.command("update-options")
@_ONE_OR_MANY
@click.option("--task-queue", default="", help="Other task queue.")
@with_options(*(click.option(f"--{name.replace('_', '-')}", type=DURATION, help="New value.") for name in _DURATIONS))
@click.option("--retry-backoff-coefficient", type=click.FloatRange(1), help="New value.")
@click.option("--retry-maximum-attempts", type=click.IntRange(0), help="New value; 0 for no limit.")
@click.option("--restore-original-options", is_flag=True, help="Those that it was scheduled with.")
@connected
async def update_options(session: Session, *, restore_original_options: bool, **options: Any) -> None:
    """Change how an activity is tried, or with --query those of many workflows."""
    changed, mask = _changed(options)
    if restore_original_options == bool(mask.paths):
        raise click.UsageError("say what to change, or give --restore-original-options, and not both")
    target, which = _which(options)
    update: dict[str, Any] = {
        "identity": session.identity,
        "activity_options": changed if mask.paths else None,
        "update_mask": mask if mask.paths else None,
        "restore_original": restore_original_options,
    }
    if target is None:
        operation = BatchOperationUpdateActivityOptions(**which, **update)
        await selection.many(session, options, update_activity_options_operation=operation)
        return
    request = UpdateActivityOptionsRequest(namespace=session.namespace, execution=target, **which, **update)
    response = await session.service.update_activity_options(request, retry=True)
    session.printer.card("Activity options:", dict(values.flattened(response.activity_options)))
    session.printer.data(response)


def _changed(options: dict[str, Any]) -> tuple[ActivityOptions, FieldMask]:
    changed, mask = ActivityOptions(), FieldMask()
    if options["task_queue"]:
        changed.task_queue.name = options["task_queue"]
        mask.paths.append("task_queue.name")
    for name, path in {**_DURATIONS, **_NUMBERS}.items():
        value = options[name]
        if value is None:
            continue
        *above, field = path.split(".")
        owner: Any = changed
        for step in above:
            owner = getattr(owner, step)
        if name in _DURATIONS:
            getattr(owner, field).CopyFrom(times.duration(value))
        else:
            setattr(owner, field, value)
        mask.paths.append(path)
    return changed, mask


def _which(options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The workflow, None for many, and the fields that say which of its activities.

    Raises:
        UsageError: no activity is named, or one in two ways.
    """
    target = selection.one(options)
    given = {"id": options["activity_id"], "type": options["activity_type"], "match_all": options["match_all"]}
    which = {name: value for name, value in given.items() if value}
    if target is None and options["activity_id"]:
        raise click.UsageError(
            "--activity-id goes with --workflow-id; with --query give --activity-type or --match-all"
        )
    if len(which) != 1:
        raise click.UsageError("say which activity: one of --activity-id, --activity-type and --match-all")
    return target, which


def _done(session: Session, text: str, activity_id: str) -> None:
    session.printer.line(text)
    session.printer.data({"activityId": activity_id})
