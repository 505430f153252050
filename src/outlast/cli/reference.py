"""Which workflow a command is about."""

from __future__ import annotations

import uuid
from typing import Final

import click

from outlast.api.common.v1 import WorkflowExecution

from .options import Option, with_options

REFERENCE: Final[Option] = with_options(
    click.option("--workflow-id", "-w", required=True, help="Id of the workflow."),
    click.option("--run-id", "-r", default="", help="Id of the run; the latest one if not given."),
)


def execution(workflow_id: str, run_id: str) -> WorkflowExecution:
    """The run that the options name."""
    return WorkflowExecution(workflow_id=workflow_id, run_id=run_id)


def fresh_id() -> str:
    """The id of a request, an update or a job."""
    return str(uuid.uuid4())
