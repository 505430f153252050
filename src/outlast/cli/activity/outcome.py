"""How an activity without a workflow ended, in words and as data; ``outlast activity result``."""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.activity.v1 import ActivityExecutionOutcome
from outlast.api.workflowservice.v1 import PollActivityExecutionRequest, PollActivityExecutionResponse

from .. import values
from ..connection import Session, connected
from .target import REFERENCE

_STATUS: Final = {
    "timeout_failure_info": "TIMED_OUT",
    "canceled_failure_info": "CANCELED",
    "terminated_failure_info": "TERMINATED",
}


@click.command()
@REFERENCE
@connected
async def result(session: Session, *, activity_id: str, run_id: str) -> None:
    """Wait for an activity and print its result; exit status 1 if it does not complete."""
    show_outcome(session, activity_id, await poll(session, activity_id, run_id))


async def poll(session: Session, activity_id: str, run_id: str) -> PollActivityExecutionResponse:
    """Wait for the outcome, however long it takes."""
    request = PollActivityExecutionRequest(namespace=session.namespace, activity_id=activity_id, run_id=run_id)
    while True:
        response: PollActivityExecutionResponse = await session.service.poll_activity_execution(request, retry=True)
        if response.HasField("outcome"):
            return response


def show_outcome(session: Session, activity_id: str, response: PollActivityExecutionResponse) -> None:
    """Print the outcome, and leave with exit status 1 if the activity did not complete."""
    printer, outcome = session.printer, response.outcome
    status = status_of(outcome)
    printer.card("Results:", {"Status": status, **words(outcome)})
    data: dict[str, Any] = {"activityId": activity_id, "runId": response.run_id, "status": status}
    if outcome.HasField("failure"):
        data["failure"] = printer.embedded(outcome.failure)
    else:
        items = [printer.embedded(payload) for payload in outcome.result.payloads]
        data["result"] = items[0] if len(items) == 1 else items or None
    printer.data(data)
    if status != "COMPLETED":
        raise SystemExit(1)


def status_of(outcome: ActivityExecutionOutcome) -> str:
    """How it ended, in one word."""
    if not outcome.HasField("failure"):
        return "COMPLETED"
    return _STATUS.get(str(outcome.failure.WhichOneof("failure_info")), "FAILED")


def words(outcome: ActivityExecutionOutcome) -> dict[str, str]:
    """Result or failure, for a card."""
    if outcome.HasField("failure"):
        return {"Failure": "\n".join(values.failure_lines(outcome.failure))}
    encodings = (one.metadata.get("encoding", b"").decode(errors="replace") for one in outcome.result.payloads)
    return {"Result": values.payloads(outcome.result) or "null", "ResultEncoding": ", ".join(encodings)}
