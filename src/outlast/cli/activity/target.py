"""Which activity a command is about: one by itself, one of a workflow, or those of many workflows.

Rule: an activity id without a workflow id means an activity that was started without a workflow.

Source: the option sets ``activity-reference``, ``activity-reference-or-batch`` and ``single-activity-or-batch`` of
Temporal's CLI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import click

from outlast.api.common.v1 import WorkflowExecution

from .. import selection
from ..connection import Session
from ..inputs import DURATION
from ..options import Option, with_options

ACTIVITY_ID: Final[Option] = click.option("--activity-id", "-a", required=True, help="Id of the activity.")
_RUN_ID: Final[Option] = click.option("--run-id", "-r", default="", help="Id of its run; the latest one if not given.")

REFERENCE: Final[Option] = with_options(ACTIVITY_ID, _RUN_ID)
"""An activity without a workflow."""

ANY_REFERENCE: Final[Option] = with_options(
    ACTIVITY_ID,
    click.option("--workflow-id", "-w", default="", help="Id of its workflow, if a workflow started it."),
    click.option("--run-id", "-r", default="", help="Id of the run, of the workflow or else of the activity."),
)
"""An activity of a workflow, or without one."""

REFERENCE_OR_MANY: Final[Option] = with_options(
    click.option("--activity-id", "-a", default="", help="Id of the activity."),
    _RUN_ID,
    selection.many_options("activities"),
)
"""An activity without a workflow, or many of them."""

ONE_OR_MANY: Final[Option] = with_options(
    click.option("--activity-id", "-a", default="", help="Id of the activity."),
    click.option("--workflow-id", "-w", default="", help="Id of its workflow, if a workflow started it."),
    click.option("--run-id", "-r", default="", help="Id of the run, of the workflow or else of the activity."),
    selection.MANY,
    click.option("--activity-type", default="", help="All pending activities of this type."),
    click.option("--match-all", is_flag=True, help="All pending activities."),
)
"""An activity of a workflow, or without one, or pending activities of many workflows."""

JITTER: Final[Option] = click.option("--jitter", type=DURATION, help="Begin at a random moment within this time.")


class Target(NamedTuple):
    """What ``ONE_OR_MANY`` names. Without a workflow and a query: one activity by itself."""

    workflow: WorkflowExecution | None
    which: dict[str, Any]
    """The fields that say which activities of the workflow, or of all workflows that are found."""
    standalone: bool


def named(options: Mapping[str, Any]) -> Target:
    """What the options name.

    Raises:
        UsageError: no activity is named, or one in two ways.
    """
    given = {"id": options["activity_id"], "type": options["activity_type"], "match_all": options["match_all"]}
    which = {name: value for name, value in given.items() if value}
    if not options["query"] and not options["workflow_id"]:
        if list(which) != ["id"]:
            raise click.UsageError(
                "say which activity: --activity-id ID, and --workflow-id ID if a workflow started it; or --query"
            )
        selection.refuse_batch_flags(options)
        return Target(None, {}, standalone=True)
    workflow = selection.one(options)
    if workflow is None and options["activity_id"]:
        raise click.UsageError(
            "--activity-id goes with --workflow-id; with --query give --activity-type or --match-all"
        )
    if len(which) != 1:
        raise click.UsageError("say which activity: one of --activity-id, --activity-type and --match-all")
    return Target(workflow, which, standalone=False)


def is_one(options: Mapping[str, Any]) -> bool:
    """Whether ``REFERENCE_OR_MANY`` names one activity; else it names many.

    Raises:
        UsageError: it names neither, or both.
    """
    if bool(options["activity_id"]) == bool(options["query"]):
        raise click.UsageError("say which activity, --activity-id ID, or which activities, --query FILTER")
    if options["query"]:
        if options["run_id"]:
            raise click.UsageError("--run-id goes with --activity-id, not with --query")
        return False
    selection.refuse_batch_flags(options)
    return True


def aim(session: Session, options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request that name an activity without a workflow."""
    return {
        "namespace": session.namespace,
        "activity_id": options["activity_id"],
        "run_id": options["run_id"],
    }


def done(session: Session, text: str, activity_id: str) -> None:
    """Say that something was done about an activity."""
    session.printer.line(text)
    session.printer.data({"activityId": activity_id})
