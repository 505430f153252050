"""``outlast activity update-options``."""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.activity.v1 import ActivityOptions
from outlast.api.batch.v1 import BatchOperationUpdateActivityOptions
from outlast.api.protobuf import FieldMask
from outlast.api.workflowservice.v1 import UpdateActivityExecutionOptionsRequest, UpdateActivityOptionsRequest
from outlast.vocab import times

from .. import selection, values
from ..connection import Session, connected
from ..inputs import DURATION
from ..options import with_options
from ..reference import fresh_id
from . import target

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


@click.command("update-options")
@target.ONE_OR_MANY
@selection.NO_HEADERS
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
    workflow, which, standalone = target.named(options)
    update: dict[str, Any] = {
        "identity": session.identity,
        "activity_options": changed if mask.paths else None,
        "update_mask": mask if mask.paths else None,
        "restore_original": restore_original_options,
    }
    if standalone:
        alone = UpdateActivityExecutionOptionsRequest(**target.aim(session, options), request_id=fresh_id(), **update)
        _show(session, await session.service.update_activity_execution_options(alone, retry=True))
        return
    if workflow is None:
        operation = BatchOperationUpdateActivityOptions(**which, **update)
        await selection.many(session, options, update_activity_options_operation=operation)
        return
    request = UpdateActivityOptionsRequest(namespace=session.namespace, execution=workflow, **which, **update)
    _show(session, await session.service.update_activity_options(request, retry=True))


def _show(session: Session, response: Any) -> None:
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
