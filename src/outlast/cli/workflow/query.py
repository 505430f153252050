"""``outlast workflow query``, ``stack`` and ``metadata``: three ways to ask a workflow."""

from __future__ import annotations

from typing import Any, Final

import click
import msgspec
from google.protobuf import json_format

from outlast.api.common.v1 import Payload, Payloads
from outlast.api.enums import v1 as _e
from outlast.api.query.v1 import WorkflowQuery
from outlast.api.sdk.v1 import WorkflowMetadata
from outlast.api.workflowservice.v1 import QueryWorkflowRequest

from .. import values
from ..connection import Session, connected
from ..inputs import HEADERS, header, payload_options
from ..options import Option
from ..reference import REFERENCE, execution

_REJECT: Final = {
    "not_open": _e.QUERY_REJECT_CONDITION_NOT_OPEN,
    "not_completed_cleanly": _e.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY,
}
_REJECT_CONDITION: Final[Option] = click.option(
    "--reject-condition", type=click.Choice(list(_REJECT)), help="In which states no answer is wanted."
)


async def ask(
    session: Session,
    workflow_id: str,
    run_id: str,
    name: str,
    *,
    input: Payloads | None = None,
    headers: dict[str, Payload] | None = None,
    reject_condition: str | None = None,
) -> Payloads:
    """The answer to a query.

    Raises:
        ClickException: the workflow is in a state in which no answer is wanted.
    """
    response = await session.service.query_workflow(
        QueryWorkflowRequest(
            namespace=session.namespace,
            execution=execution(workflow_id, run_id),
            query=WorkflowQuery(query_type=name, query_args=input, header=header(headers or {})),
            query_reject_condition=_REJECT[reject_condition] if reject_condition else 0,
        ),
        retry=True,
    )
    if response.HasField("query_rejected"):
        status = values.enum_name(_e.WorkflowExecutionStatus, response.query_rejected.status)
        raise click.ClickException(f"query {name!r} was rejected: the workflow has the status {status}")
    answer: Payloads = response.query_result
    return answer


@click.command()
@REFERENCE
@click.option("--name", required=True, help="Name of the query.")
@_REJECT_CONDITION
@HEADERS
@payload_options()
@connected
async def query(session: Session, *, workflow_id: str, run_id: str, name: str, **options: Any) -> None:
    """Ask a workflow something; changes nothing."""
    answer = await ask(session, workflow_id, run_id, name, **options)
    session.printer.card("Query result:", {"QueryResult": values.payloads(answer) or "null"})
    items = [session.printer.embedded(one) for one in answer.payloads]
    session.printer.data({"queryResult": items})


@click.command()
@REFERENCE
@_REJECT_CONDITION
@connected
async def stack(session: Session, *, workflow_id: str, run_id: str, reject_condition: str | None) -> None:
    """Show where a workflow waits: the stack traces of its coroutines."""
    answer = await ask(session, workflow_id, run_id, "__stack_trace", reject_condition=reject_condition)
    text = _text(answer)
    session.printer.line(text)
    session.printer.data({"stack": text})


def _text(answer: Payloads) -> str:
    try:
        return msgspec.json.decode(answer.payloads[0].data, type=str)
    except (IndexError, msgspec.DecodeError, msgspec.ValidationError):
        return values.payloads(answer)


@click.command()
@REFERENCE
@_REJECT_CONDITION
@HEADERS
@connected
async def metadata(session: Session, *, workflow_id: str, run_id: str, **options: Any) -> None:
    """Show what a workflow can be asked and told, and its current details."""
    answer = await ask(session, workflow_id, run_id, "__temporal_workflow_metadata", **options)
    found = WorkflowMetadata()
    try:
        json_format.Parse(answer.payloads[0].data, found, ignore_unknown_fields=True)
    except (IndexError, json_format.ParseError) as error:
        raise click.ClickException(f"the worker's answer is no workflow metadata: {error}") from error
    printer = session.printer
    definition = found.definition
    printer.card(
        "Metadata:",
        {
            "WorkflowType": definition.type,
            "CurrentDetails": found.current_details,
            "QueryDefinitions": _definitions(definition.query_definitions),
            "SignalDefinitions": _definitions(definition.signal_definitions),
            "UpdateDefinitions": _definitions(definition.update_definitions),
        },
    )
    printer.data(found)


def _definitions(found: Any) -> str:
    return "\n".join(f"{one.name}: {one.description}" if one.description else one.name for one in found)
