"""``outlast workflow start-update-with-start`` and ``execute-update-with-start``."""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.common.v1 import Payloads, WorkflowExecution
from outlast.api.enums import v1 as _e
from outlast.api.update.v1 import WaitPolicy
from outlast.api.workflowservice.v1 import ExecuteMultiOperationRequest, UpdateWorkflowExecutionRequest

from ..connection import Session, connected
from ..inputs import payload_options
from ..options import Option, with_options
from . import starting, update

_OPTIONS: Final[Option] = with_options(
    starting.START_OPTIONS,
    click.option("--update-name", required=True, help="Name of the update."),
    click.option("--update-id", default="", help="Id of the update; a random one if not given."),
    click.option("--update-first-execution-run-id", default="", help="Only a run of the chain that this one began."),
    click.option("--run-id", "-r", default="", help="The run to update, if the workflow runs already."),
    payload_options("update-", "the update's input"),
    payload_options(),
)


@click.command("start-update-with-start")
@_OPTIONS
@click.option("--update-wait-for-stage", type=click.Choice(["accepted"]), required=True, help="How far to wait.")
@connected
async def start_update_with_start(session: Session, *, update_wait_for_stage: str, **options: Any) -> None:
    """Send an update, to a workflow that is started if it does not run; wait until it is accepted."""
    await _both(session, options, wait=False)


@click.command("execute-update-with-start")
@_OPTIONS
@connected
async def execute_update_with_start(session: Session, **options: Any) -> None:
    """Send an update, to a workflow that is started if it does not run; wait for its result."""
    await _both(session, options, wait=True)


async def _both(session: Session, options: dict[str, Any], *, wait: bool) -> None:
    input: Payloads | None = options.pop("input")
    fail_existing = options.pop("fail_existing")
    headers = options["headers"]
    request = starting.start_request(session, options, input)
    if request.workflow_id_conflict_policy == _e.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED:
        request.workflow_id_conflict_policy = (
            _e.WORKFLOW_ID_CONFLICT_POLICY_FAIL if fail_existing else _e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
        )
    stage = update.COMPLETED if wait else update.ACCEPTED
    asked = UpdateWorkflowExecutionRequest(
        namespace=session.namespace,
        workflow_execution=WorkflowExecution(workflow_id=request.workflow_id, run_id=options["run_id"]),
        first_execution_run_id=options["update_first_execution_run_id"],
        wait_policy=WaitPolicy(lifecycle_stage=stage),
        request=update.update_request(
            session, options["update_id"], options["update_name"], options["update_input"], headers
        ),
    )
    operations = ExecuteMultiOperationRequest.Operation
    both = ExecuteMultiOperationRequest(
        namespace=session.namespace,
        operations=[operations(start_workflow=request), operations(update_workflow=asked)],
    )
    while True:
        response = await session.service.execute_multi_operation(both, retry=True)
        answer = response.responses[1].update_workflow
        if answer.stage >= update.ACCEPTED or answer.outcome.WhichOneof("value"):
            break
    outcome = answer.outcome
    if wait and outcome.WhichOneof("value") is None:
        outcome = (await update.poll(session, answer.update_ref, update.COMPLETED)).outcome
    extra = {"type": request.workflow_type.name, "taskQueue": request.task_queue.name}
    update.show(session, options["update_name"], answer.update_ref, outcome, started=not wait, extra=extra)
