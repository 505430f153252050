"""One workflow by its id, or many by a list filter: with ``--query`` a command becomes a batch operation.

Source: the option set ``single-workflow-or-batch`` of Temporal's CLI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from outlast.api.common.v1 import WorkflowExecution
from outlast.api.workflowservice.v1 import CountWorkflowExecutionsRequest, StartBatchOperationRequest

from .batch import follow_job
from .connection import Session
from .options import Option, refused, with_options
from .reference import execution, fresh_id


def many_options(plural: str) -> Option:
    """The options of a batch operation over workflows or activities."""
    return with_options(
        click.option(
            "--query", "-q", default="", help=f"List filter: all {plural} that it finds, as a batch operation."
        ),
        click.option("--reason", default="", help="Why; kept with what happens."),
        click.option("--yes", "-y", is_flag=True, help="Do not ask whether to begin with --query."),
        click.option(
            "--rps", type=click.FloatRange(0, min_open=True), help=f"With --query: so many {plural} a second."
        ),
    )


MANY: Final[Option] = many_options("workflows")

ONE_OR_MANY: Final[Option] = with_options(
    click.option("--workflow-id", "-w", default="", help="Id of the workflow."),
    click.option("--run-id", "-r", default="", help="Id of the run; the latest one if not given."),
    MANY,
)


NO_HEADERS: Final[Option] = refused("--headers", "only starts, signals, updates and queries carry headers")


def one(options: Mapping[str, Any]) -> WorkflowExecution | None:
    """The one workflow that the options name; None where ``--query`` names many.

    Raises:
        UsageError: they name neither, or both.
    """
    if bool(options["workflow_id"]) == bool(options["query"]):
        raise click.UsageError("say which workflow, --workflow-id ID, or which workflows, --query FILTER")
    if options["query"]:
        if options["run_id"]:
            raise click.UsageError("--run-id goes with --workflow-id, not with --query")
        return None
    refuse_batch_flags(options)
    return execution(options["workflow_id"], options["run_id"])


def refuse_batch_flags(options: Mapping[str, Any]) -> None:
    """Refuse what only a batch operation can use.

    Raises:
        UsageError: it is given.
    """
    for flag in ("yes", "rps"):
        if options[flag]:
            raise click.UsageError(f"--{flag} goes with --query")


def why(session: Session, options: Mapping[str, Any]) -> str:
    """The reason, which never is empty."""
    return options["reason"] or f"Requested from CLI by {session.identity}"


async def many(session: Session, options: Mapping[str, Any], **operation: Any) -> None:
    """Ask, start the batch operation over the workflows that ``--query`` finds, and show how it goes.

    Args:
        operation: the field of the request that says what to do.
    """
    request = CountWorkflowExecutionsRequest(namespace=session.namespace, query=options["query"])
    response = await session.service.count_workflow_executions(request, retry=True)
    await start_batch(session, options, response.count, ("workflow", "workflows"), **operation)


async def start_batch(
    session: Session, options: Mapping[str, Any], count: int, nouns: tuple[str, str], **operation: Any
) -> None:
    """The same for a count that is known.

    Args:
        nouns: what is counted, one and many.
    """
    verb = click.get_current_context().info_name or ""
    if not options["yes"]:
        question = f"{verb.capitalize()} about {count} {nouns[count != 1]}?"
        click.confirm(question, abort=True, err=True)
    job_id = fresh_id()
    await session.service.start_batch_operation(
        StartBatchOperationRequest(
            namespace=session.namespace,
            job_id=job_id,
            visibility_query=options["query"],
            reason=why(session, options),
            max_operations_per_second=options["rps"] or 0,
            **operation,
        ),
        retry=True,
    )
    await follow_job(session, job_id, nouns[1])
