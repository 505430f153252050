"""``outlast workflow reset``: begin a new run from a point of an old one's history.

Source: ``temporal workflow reset``; rules 3.7.1 to 3.7.5.
"""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.batch.v1 import BatchOperationReset
from outlast.api.common.v1 import ResetOptions, WorkflowExecution
from outlast.api.enums import v1 as _e
from outlast.api.protobuf import Empty, FieldMask
from outlast.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions
from outlast.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, ResetWorkflowExecutionRequest

from .. import selection
from ..connection import Session, connected
from ..options import Option, with_options
from ..reference import execution, fresh_id
from .following import pages
from .options import override, override_options

_TYPES: Final = ("FirstWorkflowTask", "LastWorkflowTask", "LastContinuedAsNew", "BuildId")
_REAPPLY: Final = {
    "All": _e.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
    "Signal": _e.RESET_REAPPLY_TYPE_SIGNAL,
    "None": _e.RESET_REAPPLY_TYPE_NONE,
}
_EXCLUDE: Final = {
    "Signal": [_e.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL],
    "Update": [_e.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
    "All": [_e.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, _e.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
}

_OPTIONS: Final[Option] = with_options(
    selection.ONE_OR_MANY,
    click.option("--event-id", "-e", type=click.IntRange(1), help="Event after a workflow task, up to which to keep."),
    click.option("--type", "-t", "type_", type=click.Choice(_TYPES), help="Which point, in place of an event id."),
    click.option("--build-id", default="", help="With --type BuildId: the first workflow task of this build."),
    click.option("--reapply-type", type=click.Choice(list(_REAPPLY)), default="All", help="What to repeat."),
    click.option("--reapply-exclude", multiple=True, type=click.Choice(list(_EXCLUDE)), help="What not; repeatable."),
)


class _Reset(click.Command):
    """A command with a variant: ``reset with-workflow-update-options``."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the variant, if the first word names it."""
        if args and args[0] == with_workflow_update_options.name:
            return with_workflow_update_options.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_Reset, epilog="`reset with-workflow-update-options` also changes which workers get the new run.")
@_OPTIONS
@connected
async def reset(session: Session, **options: Any) -> None:
    """Begin a new run from a point of the history, or with --query of many."""
    await _reset(session, options, [])


@click.command("with-workflow-update-options")
@_OPTIONS
@override_options("pinned", "one_time", "auto_upgrade")
@connected
async def with_workflow_update_options(
    session: Session, *, behavior: str, deployment: str, build_id_of_override: str, **options: Any
) -> None:
    """Begin a new run from a point of the history, with other workers."""
    changed = WorkflowExecutionOptions(versioning_override=override(behavior, deployment, build_id_of_override))
    update = PostResetOperation.UpdateWorkflowOptions(
        workflow_execution_options=changed, update_mask=FieldMask(paths=["versioning_override"])
    )
    await _reset(session, options, [PostResetOperation(update_workflow_options=update)])


async def _reset(session: Session, options: dict[str, Any], after: list[PostResetOperation]) -> None:
    _check(options)
    exclude = sorted({type_ for name in options["reapply_exclude"] for type_ in _EXCLUDE[name]})
    target = selection.one(options)
    if target is None:
        operation = BatchOperationReset(
            identity=session.identity, options=_many(options, exclude), post_reset_operations=after
        )
        await selection.many(session, options, reset_operation=operation)
        return
    base, event_id = target, options["event_id"] or 0
    if not event_id:
        base, event_id = await _point(session, target, options)
    response = await session.service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=session.namespace,
            workflow_execution=base,
            reason=options["reason"],
            workflow_task_finish_event_id=event_id,
            request_id=fresh_id(),
            reset_reapply_type=_REAPPLY[options["reapply_type"]],
            reset_reapply_exclude_types=exclude,
            post_reset_operations=after,
            identity=session.identity,
        ),
        retry=True,
    )
    data = {"workflowId": base.workflow_id, "runId": response.run_id}
    session.printer.record("Reset workflow:", {"WorkflowId": base.workflow_id, "RunId": response.run_id}, data)


def _check(options: dict[str, Any]) -> None:
    if not options["reason"]:
        raise click.UsageError("say why: --reason TEXT")
    if bool(options["event_id"]) == bool(options["type_"]):
        raise click.UsageError("say from where: --event-id N, or --type TYPE")
    if (options["type_"] == "BuildId") != bool(options["build_id"]):
        raise click.UsageError("--build-id and --type BuildId go together")
    if options["query"] and (options["event_id"] or options["type_"] == "LastContinuedAsNew"):
        raise click.UsageError("with --query give --type FirstWorkflowTask, LastWorkflowTask or BuildId")


def _many(options: dict[str, Any], exclude: list[int]) -> ResetOptions:
    made = ResetOptions(reset_reapply_type=_REAPPLY[options["reapply_type"]], reset_reapply_exclude_types=exclude)
    if options["type_"] == "FirstWorkflowTask":
        made.first_workflow_task.CopyFrom(Empty())
    elif options["type_"] == "LastWorkflowTask":
        made.last_workflow_task.CopyFrom(Empty())
    else:
        made.build_id = options["build_id"]
    return made


async def _point(session: Session, target: WorkflowExecution, options: dict[str, Any]) -> tuple[WorkflowExecution, int]:
    """The run and the event that a reset type stands for."""
    described = await session.service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=session.namespace, execution=target), retry=True
    )
    run = described.workflow_execution_info.execution
    kind = options["type_"]
    if kind == "BuildId":
        for point in described.workflow_execution_info.auto_reset_points.points:
            if point.build_id == options["build_id"]:
                return execution(run.workflow_id, point.run_id or run.run_id), point.first_workflow_task_completed_id
        raise click.ClickException(
            f"workflow {run.workflow_id!r} has no reset point of build {options['build_id']!r};"
            " `workflow describe --reset-points` shows those it has"
        )
    if kind == "LastContinuedAsNew":
        async for page in pages(session, run.workflow_id, run.run_id, wait=False):
            before = page[0].workflow_execution_started_event_attributes.continued_execution_run_id
            if not before:
                raise click.ClickException(f"run {run.run_id} of workflow {run.workflow_id!r} continues no other run")
            run = execution(run.workflow_id, before)
            break
    found = 0
    async for page in pages(session, run.workflow_id, run.run_id, wait=False):
        for event in page:
            if event.event_type == _e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                found = event.event_id
            if found and kind == "FirstWorkflowTask":
                return run, found
    if not found:
        raise click.ClickException(
            f"no workflow task of workflow {run.workflow_id!r} has completed yet, so there is nothing to go back to"
        )
    return run, found
