"""``outlast workflow pause``, ``unpause`` and ``update-options``."""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.batch.v1 import BatchOperationUpdateWorkflowExecutionOptions
from outlast.api.deployment.v1 import WorkerDeploymentVersion
from outlast.api.protobuf import FieldMask
from outlast.api.workflow.v1 import VersioningOverride, WorkflowExecutionOptions
from outlast.api.workflowservice.v1 import (
    PauseWorkflowExecutionRequest,
    UnpauseWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)

from .. import selection
from ..connection import Session, connected
from ..options import Option, with_options
from ..reference import REFERENCE, fresh_id

_BEHAVIORS: Final = ("unspecified", "pinned", "one_time", "auto_upgrade")


def override_options(*behaviors: str) -> Option:
    """The options that name another worker deployment version."""
    return with_options(
        click.option(
            "--versioning-override-behavior", "behavior", type=click.Choice(behaviors), required=True,
            help="Which workers get the workflow.",
        ),
        click.option("--versioning-override-deployment-name", "deployment", default="", help="With pinned, one_time."),
        click.option("--versioning-override-build-id", "build_id_of_override", default="", help="The same."),
    )  # fmt: skip


def override(behavior: str, deployment: str, build_id: str) -> VersioningOverride | None:
    """The override that the options ask for; None takes one away.

    Raises:
        UsageError: a version is missing, or one too many.
    """
    named = behavior in ("pinned", "one_time")
    if named != bool(deployment and build_id) or (not named and (deployment or build_id)):
        raise click.UsageError(
            "--versioning-override-deployment-name and --versioning-override-build-id go with pinned and one_time,"
            " and only with these"
        )
    version = WorkerDeploymentVersion(deployment_name=deployment, build_id=build_id)
    if behavior == "pinned":
        kind = VersioningOverride.PINNED_OVERRIDE_BEHAVIOR_PINNED
        return VersioningOverride(pinned=VersioningOverride.PinnedOverride(behavior=kind, version=version))
    if behavior == "one_time":
        return VersioningOverride(one_time=VersioningOverride.OneTimeOverride(target_deployment_version=version))
    return VersioningOverride(auto_upgrade=True) if behavior == "auto_upgrade" else None


@click.command("update-options")
@selection.ONE_OR_MANY
@selection.NO_HEADERS
@override_options(*_BEHAVIORS)
@connected
async def update_options(
    session: Session, *, behavior: str, deployment: str, build_id_of_override: str, **options: Any
) -> None:
    """Change which workers get a workflow, or with --query many."""
    changed = WorkflowExecutionOptions(versioning_override=override(behavior, deployment, build_id_of_override))
    mask = FieldMask(paths=["versioning_override"])
    target = selection.one(options)
    if target is None:
        await selection.many(
            session,
            options,
            update_workflow_options_operation=BatchOperationUpdateWorkflowExecutionOptions(
                identity=session.identity, workflow_execution_options=changed, update_mask=mask
            ),
        )
        return
    response = await session.service.update_workflow_execution_options(
        UpdateWorkflowExecutionOptionsRequest(
            namespace=session.namespace,
            workflow_execution=target,
            workflow_execution_options=changed,
            update_mask=mask,
            identity=session.identity,
        ),
        retry=True,
    )
    session.printer.line("Update workflow options succeeded")
    session.printer.data(response)


@click.command()
@REFERENCE
@click.option("--reason", default="", help="Why.")
@connected
async def pause(session: Session, *, workflow_id: str, run_id: str, reason: str) -> None:
    """Let a workflow and its activities rest."""
    request = PauseWorkflowExecutionRequest(
        namespace=session.namespace,
        workflow_id=workflow_id,
        run_id=run_id,
        identity=session.identity,
        reason=reason,
        request_id=fresh_id(),
    )
    await session.service.pause_workflow_execution(request, retry=True)
    session.printer.line("Workflow paused")
    session.printer.data({"workflowId": workflow_id})


@click.command()
@REFERENCE
@click.option("--reason", default="", help="Why.")
@connected
async def unpause(session: Session, *, workflow_id: str, run_id: str, reason: str) -> None:
    """Let a workflow that was paused go on."""
    request = UnpauseWorkflowExecutionRequest(
        namespace=session.namespace,
        workflow_id=workflow_id,
        run_id=run_id,
        identity=session.identity,
        reason=reason,
        request_id=fresh_id(),
    )
    await session.service.unpause_workflow_execution(request, retry=True)
    session.printer.line("Workflow unpaused")
    session.printer.data({"workflowId": workflow_id})
