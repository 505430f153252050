"""A workflow task that failed, as the exception that ends a test."""

from __future__ import annotations

from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.converter import DataConverter
from outlast.engine import tokens
from outlast.server.node import Node
from outlast.storage.port import RunKey
from outlast.vocab.errors import ServiceError

_NOT_THE_WORKFLOWS_FAULT = frozenset(
    {
        _e.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
        _e.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
        _e.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
        _e.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
    }
)


class WorkflowTaskFailedError(Exception):
    """A workflow task failed, so the workflow is blocked until its code is mended.

    Outside of tests the task is tried again for ever. Its exception is the ``__cause__``; ``workflow_id``, ``run_id``
    and ``workflow_type`` say which workflow it is.
    """

    def __init__(self, message: str, *, workflow_id: str, run_id: str, workflow_type: str) -> None:
        super().__init__(message)
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.workflow_type = workflow_type


async def failed_task(node: Node, task_token: bytes, failure: Failure | None) -> WorkflowTaskFailedError | None:
    """The error for the workflow task with this token; None where its failure is part of normal operation.

    Args:
        failure: as the worker reported it; None for one that the engine found in the task's commands.
    """
    token = tokens.decode(tokens.WorkflowTaskToken, task_token)
    try:
        run = await node.runs.get(RunKey(token.namespace_id, token.workflow_id, token.run_id))
    except ServiceError:
        return None
    record = run.state.task_failure
    if record is None or record.cause in _NOT_THE_WORKFLOWS_FAULT:
        return None
    failure = failure or Failure.FromString(record.failure)
    kind = failure.application_failure_info.type
    trace = f"\n{failure.stack_trace.rstrip()}" if failure.stack_trace else ""
    error = WorkflowTaskFailedError(
        f"a workflow task of {run.state.workflow_type} {token.workflow_id!r} failed with "
        f"{_e.WorkflowTaskFailedCause.Name(record.cause).removeprefix('WORKFLOW_TASK_FAILED_CAUSE_')}: "
        f"{f'{kind}: ' if kind else ''}{failure.message}{trace}\n"
        "The workflow is blocked: an exception that is no FailureError fails the task, not the workflow. Mend the "
        "code, raise ApplicationError to fail the workflow, or switch this check off with "
        "WorkflowEnvironment.start_time_skipping(raise_task_failures=False).",
        workflow_id=token.workflow_id,
        run_id=token.run_id,
        workflow_type=run.state.workflow_type,
    )
    converter = DataConverter.default
    error.__cause__ = converter.failure_converter.from_failure(failure, converter.payload_converter)
    return error
