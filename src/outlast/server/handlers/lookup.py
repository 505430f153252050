"""Finding the run that a request names, and refusing requests that name the wrong one."""

from __future__ import annotations

import uuid
from typing import Any

from outlast.api.common.v1 import WorkflowExecution
from outlast.vocab.divisions import ACTIVITIES, division, namespace_of
from outlast.vocab.errors import InvalidArgument, NotFound

from ..node import Node, required
from ..runs import Run


async def run(node: Node, namespace: str, execution: WorkflowExecution, first_run_id: str = "") -> Run:
    """The run that ``execution`` names, the latest without a run id.

    Args:
        first_run_id: where given, the run has to belong to the chain that began with it (rule 3.3.5).

    Raises:
        InvalidArgument: the run id is no UUID.
        NotFound: there is no such run, or it belongs to another chain.
    """
    namespace_id = node.namespaces.id_of(namespace)
    if execution.run_id:
        _check_run_id(execution.run_id)
    found = await node.runs.find(namespace_id, execution.workflow_id, execution.run_id)
    if first_run_id and found.state.first_run_id != first_run_id:
        raise NotFound(
            f"workflow {execution.workflow_id!r} run {found.key.run_id} does not belong to the chain that began with "
            f"run {first_run_id}"
        )
    return found


async def open_run(node: Node, namespace: str, execution: WorkflowExecution, first_run_id: str = "") -> Run:
    """The run that ``execution`` names, which has to be open.

    Raises:
        NotFound: also when the run is closed.
    """
    found = await run(node, namespace, execution, first_run_id)
    if not found.state.running:
        raise NotFound(
            f"workflow execution already completed: workflow {execution.workflow_id!r} run {found.key.run_id}"
        )
    return found


async def activity_run(node: Node, request: Any) -> Run:
    """The run of the standalone activity that a request names, the latest without a run id.

    Raises:
        InvalidArgument: the activity id is empty, or the run id is no UUID.
        NotFound: there is no such activity or run.
    """
    required(type(request).DESCRIPTOR.name, activity_id=request.activity_id)
    if request.run_id:
        _check_run_id(request.run_id)
    division_id = division(node.namespaces.id_of(request.namespace), ACTIVITIES)
    return await node.runs.find(division_id, request.activity_id, request.run_id)


def _check_run_id(run_id: str) -> None:
    try:
        uuid.UUID(run_id)
    except ValueError:
        raise InvalidArgument(f"run_id {run_id!r} is not a UUID; leave it out for the latest run") from None


def require_same_namespace(node: Node, name: str, namespace_id: str) -> None:
    """Refuse a token that was given out in another namespace than the request's; a request may name none."""
    if name and node.namespaces.id_of(name) != namespace_of(namespace_id):
        raise InvalidArgument(
            f"task_token is of another namespace than {name!r}; answer with a client of the namespace that was polled"
        )
