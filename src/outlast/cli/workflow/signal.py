"""``outlast workflow signal`` and ``signal-with-start``."""

from __future__ import annotations

from typing import Any

import click

from outlast.api.batch.v1 import BatchOperationSignal
from outlast.api.common.v1 import Payload, Payloads
from outlast.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest, SignalWorkflowExecutionRequest

from .. import selection
from ..connection import Session, connected
from ..inputs import HEADERS, header, payload_options
from ..reference import fresh_id
from ..start_options import titled
from . import starting


@click.command()
@selection.ONE_OR_MANY
@click.option("--name", required=True, help="Name of the signal.")
@HEADERS
@payload_options()
@connected
async def signal(
    session: Session, *, name: str, headers: dict[str, Payload], input: Payloads | None, **options: Any
) -> None:
    """Send a signal to a workflow, or with --query to many."""
    target = selection.one(options)
    if target is None:
        await selection.many(
            session,
            options,
            signal_operation=BatchOperationSignal(
                signal=name, input=input, header=header(headers), identity=session.identity
            ),
        )
        return
    await session.service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=session.namespace,
            workflow_execution=target,
            signal_name=name,
            input=input,
            header=header(headers),
            identity=session.identity,
            request_id=fresh_id(),
        ),
        retry=True,
    )
    session.printer.line("Signal workflow succeeded")
    session.printer.data({"workflowId": target.workflow_id, "signalName": name})


@click.command("signal-with-start")
@starting.START_OPTIONS
@click.option("--signal-name", required=True, help="Name of the signal.")
@payload_options("signal-", "the signal's input")
@payload_options()
@connected
async def signal_with_start(
    session: Session,
    *,
    signal_name: str,
    signal_input: Payloads | None,
    input: Payloads | None,
    fail_existing: bool,
    **options: Any,
) -> None:
    """Send a signal, to a workflow that is started if it does not run."""
    if fail_existing:
        raise click.UsageError("--fail-existing contradicts signal-with-start; use start, or signal")
    start = starting.start_request(session, options, input)
    request = SignalWithStartWorkflowExecutionRequest(signal_name=signal_name, signal_input=signal_input)
    known = request.DESCRIPTOR.fields_by_name
    for field, value in start.ListFields():
        if field.message_type is not None:
            getattr(request, field.name).CopyFrom(value)
        else:
            assert field.name in known, f"signal-with-start has no {field.name}"
            setattr(request, field.name, value)
    response = await session.service.signal_with_start_workflow_execution(request, retry=True)
    data = starting.started(session, request, response.run_id)
    session.printer.record("Running execution:", titled(data), data)
