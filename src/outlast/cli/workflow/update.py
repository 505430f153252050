"""``outlast workflow update``: start, execute, result, describe."""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.common.v1 import Payload, Payloads
from outlast.api.enums import v1 as _e
from outlast.api.update.v1 import Input, Meta, Outcome, Request, UpdateRef, WaitPolicy
from outlast.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest, UpdateWorkflowExecutionRequest

from .. import values
from ..connection import Session, connected
from ..inputs import HEADERS, header, payload_options
from ..options import Option, with_options
from ..reference import REFERENCE, execution, fresh_id
from .outcome import failure_text

_STARTING: Final[Option] = with_options(
    REFERENCE,
    click.option("--name", required=True, help="Name of the update."),
    click.option("--update-id", default="", help="Id of the update; a random one if not given."),
    click.option("--first-execution-run-id", default="", help="Only a run of the chain that this one began."),
    HEADERS,
    payload_options(),
)
_TARGETING: Final[Option] = with_options(
    REFERENCE, click.option("--update-id", required=True, help="Id of the update.")
)

ACCEPTED: Final = _e.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
COMPLETED: Final = _e.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
_ADMITTED: Final = _e.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED


@click.group()
def update() -> None:
    """Change a workflow and learn what came of it."""


@update.command("start")
@_STARTING
@click.option("--wait-for-stage", type=click.Choice(["accepted"]), required=True, help="How far to wait.")
@connected
async def start(session: Session, *, wait_for_stage: str, **options: Any) -> None:
    """Send an update and wait until it is accepted."""
    request = _request(session, options, ACCEPTED)
    response = await _sent(session, request)
    show(session, options["name"], response.update_ref, response.outcome, started=True)


@update.command("execute")
@_STARTING
@connected
async def execute(session: Session, **options: Any) -> None:
    """Send an update and wait for its result; exit status 1 if it fails."""
    request = _request(session, options, COMPLETED)
    response = await _sent(session, request)
    outcome = response.outcome
    if outcome.WhichOneof("value") is None:
        outcome = (await poll(session, response.update_ref, COMPLETED)).outcome
    show(session, options["name"], response.update_ref, outcome)


@update.command("result")
@_TARGETING
@connected
async def result(session: Session, *, workflow_id: str, run_id: str, update_id: str) -> None:
    """Wait for the result of an update; exit status 1 if it failed."""
    ref = UpdateRef(workflow_execution=execution(workflow_id, run_id), update_id=update_id)
    response = await poll(session, ref, COMPLETED)
    show(session, "", ref, response.outcome)


@update.command("describe")
@_TARGETING
@connected
async def describe(session: Session, *, workflow_id: str, run_id: str, update_id: str) -> None:
    """Show how far an update is."""
    ref = UpdateRef(workflow_execution=execution(workflow_id, run_id), update_id=update_id)
    request = PollWorkflowExecutionUpdateRequest(namespace=session.namespace, update_ref=ref, identity=session.identity)
    response = await session.service.poll_workflow_execution_update(request, retry=True)
    stage = values.enum_name(_e.UpdateWorkflowExecutionLifecycleStage, response.stage)
    show(session, "", response.update_ref, response.outcome, stage=stage)


def _request(session: Session, options: dict[str, Any], stage: int) -> UpdateWorkflowExecutionRequest:
    return UpdateWorkflowExecutionRequest(
        namespace=session.namespace,
        workflow_execution=execution(options["workflow_id"], options["run_id"]),
        first_execution_run_id=options["first_execution_run_id"],
        wait_policy=WaitPolicy(lifecycle_stage=stage),
        request=update_request(session, options["update_id"], options["name"], options["input"], options["headers"]),
    )


def update_request(
    session: Session, update_id: str, name: str, input: Payloads | None, headers: dict[str, Payload]
) -> Request:
    """What is asked of the workflow."""
    return Request(
        meta=Meta(update_id=update_id or fresh_id(), identity=session.identity),
        input=Input(name=name, args=input, header=header(headers)),
    )


async def _sent(session: Session, request: UpdateWorkflowExecutionRequest) -> Any:
    """The answer to an update once it is accepted; sending it again finds the same one by its id."""
    while True:
        response = await session.service.update_workflow_execution(request, retry=True)
        if response.stage > _ADMITTED or response.outcome.WhichOneof("value"):
            return response


async def poll(session: Session, ref: UpdateRef, stage: int) -> Any:
    """Wait until an update has got so far."""
    request = PollWorkflowExecutionUpdateRequest(
        namespace=session.namespace,
        update_ref=ref,
        identity=session.identity,
        wait_policy=WaitPolicy(lifecycle_stage=stage),
    )
    while True:
        response = await session.service.poll_workflow_execution_update(request, retry=True)
        if response.stage >= stage:
            return response


def show(
    session: Session,
    name: str,
    ref: UpdateRef,
    outcome: Outcome,
    *,
    started: bool = False,
    stage: str = "",
    extra: dict[str, str] | None = None,
) -> None:
    """Print an update, and leave with exit status 1 if it failed.

    Args:
        started: it was only to start; how it ended is the affair of ``result``.
        stage: how far it is, where that was the question.
        extra: more to show, by the names of JSON.
    """
    data: dict[str, Any] = {
        **(extra or {}),
        "workflowId": ref.workflow_execution.workflow_id,
        "runId": ref.workflow_execution.run_id,
        "updateId": ref.update_id,
        "name": name,
        "stage": stage,
    }
    data = {key: value for key, value in data.items() if value}
    words = {key[0].upper() + key[1:]: value for key, value in data.items()}
    value = outcome.WhichOneof("value")
    if value == "success":
        words["Result"] = values.payloads(outcome.success) or "null"
        items = [session.printer.embedded(one) for one in outcome.success.payloads]
        data["result"] = items[0] if len(items) == 1 else items or None
    elif value == "failure":
        words["Failure"] = failure_text(outcome.failure)
        data["failure"] = session.printer.embedded(outcome.failure)
    session.printer.record("", words, data)
    if value == "failure" and not started and not stage:
        raise SystemExit(1)
