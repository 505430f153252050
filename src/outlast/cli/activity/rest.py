"""``outlast activity pause``, ``unpause`` and ``reset``."""

from __future__ import annotations

from typing import Any

import click

from outlast.api.batch.v1 import BatchOperationResetActivities, BatchOperationUnpauseActivities
from outlast.api.workflowservice.v1 import (
    PauseActivityExecutionRequest,
    PauseActivityRequest,
    ResetActivityExecutionRequest,
    ResetActivityRequest,
    UnpauseActivityExecutionRequest,
    UnpauseActivityRequest,
)
from outlast.vocab import times

from .. import selection
from ..connection import Session, connected
from ..reference import execution, fresh_id
from . import target


@click.command()
@target.ANY_REFERENCE
@click.option("--reason", default="", help="Why.")
@connected
async def pause(session: Session, *, reason: str, **options: Any) -> None:
    """Let an activity rest: its present attempt may end, no other begins."""
    why: dict[str, Any] = {"identity": session.identity, "reason": reason, "request_id": fresh_id()}
    if options["workflow_id"]:
        of = execution(options["workflow_id"], options["run_id"])
        request = PauseActivityRequest(namespace=session.namespace, execution=of, id=options["activity_id"], **why)
        await session.service.pause_activity(request, retry=True)
    else:
        alone = PauseActivityExecutionRequest(**target.aim(session, options), **why)
        await session.service.pause_activity_execution(alone, retry=True)
    target.done(session, f"Activity {options['activity_id']} paused", options["activity_id"])


@click.command()
@target.ONE_OR_MANY
@selection.NO_HEADERS
@click.option("--reset-attempts", is_flag=True, help="Count the attempts from 1 again.")
@click.option("--reset-heartbeats", is_flag=True, help="Forget the details of the last heartbeat.")
@target.JITTER
@connected
async def unpause(
    session: Session, *, reset_attempts: bool, reset_heartbeats: bool, jitter: int | None, **options: Any
) -> None:
    """Let an activity that was paused go on, or with --query those of many workflows."""
    workflow, which, standalone = target.named(options)
    spread = times.duration(jitter) if jitter is not None else None
    if standalone:
        if reset_attempts or reset_heartbeats:
            raise click.UsageError(
                "--reset-attempts and --reset-heartbeats go with --workflow-id; `activity reset` is for one without"
            )
        alone = UnpauseActivityExecutionRequest(
            **target.aim(session, options),
            identity=session.identity,
            request_id=fresh_id(),
            reason=options["reason"],
            jitter=spread,
        )
        await session.service.unpause_activity_execution(alone, retry=True)
        target.done(session, "Activity unpaused", options["activity_id"])
        return
    again: dict[str, Any] = {
        "identity": session.identity,
        "reset_attempts": reset_attempts,
        "reset_heartbeat": reset_heartbeats,
        "jitter": spread,
    }
    if workflow is None:
        await selection.many(
            session, options, unpause_activities_operation=BatchOperationUnpauseActivities(**which, **again)
        )
        return
    if which.pop("match_all", False):
        which["unpause_all"] = True
    request = UnpauseActivityRequest(namespace=session.namespace, execution=workflow, **which, **again)
    await session.service.unpause_activity(request, retry=True)
    target.done(session, "Activity unpaused", options["activity_id"])


@click.command()
@target.ONE_OR_MANY
@selection.NO_HEADERS
@click.option("--keep-paused", is_flag=True, help="A paused activity stays so.")
@click.option("--reset-heartbeats", is_flag=True, help="Forget the details of the last heartbeat.")
@click.option("--restore-original-options", is_flag=True, help="With the options that it was scheduled with.")
@target.JITTER
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
    workflow, which, standalone = target.named(options)
    again: dict[str, Any] = {
        "identity": session.identity,
        "keep_paused": keep_paused,
        "reset_heartbeat": reset_heartbeats,
        "restore_original_options": restore_original_options,
        "jitter": times.duration(jitter) if jitter is not None else None,
    }
    if standalone:
        alone = ResetActivityExecutionRequest(**target.aim(session, options), request_id=fresh_id(), **again)
        await session.service.reset_activity_execution(alone, retry=True)
    elif workflow is None:
        await selection.many(
            session, options, reset_activities_operation=BatchOperationResetActivities(**which, **again)
        )
        return
    else:
        request = ResetActivityRequest(namespace=session.namespace, execution=workflow, **which, **again)
        await session.service.reset_activity(request, retry=True)
    target.done(session, "Activity reset", options["activity_id"])
