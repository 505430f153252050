"""How a workflow ended, read from its closing event.

Rule: one reader per kind of event, in ``OUTCOMES``. A reader returns the result, returns ``ContinuedBy`` when there is
a next run to follow, or raises.
"""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from outlast.converter import DataConverter
from outlast.exceptions import CancelledError, TerminatedError, TimeoutError, TimeoutType

from ._exceptions import WorkflowContinuedAsNewError, WorkflowFailureError


class ContinuedBy(NamedTuple):
    """The run that goes on where this one ended."""

    run_id: str


async def _completed(event: Any, converter: DataConverter, result_type: type | None, follow_runs: bool) -> Any:
    if follow_runs and event.new_execution_run_id:
        return ContinuedBy(event.new_execution_run_id)
    results = await converter.decode_wrapper(event.result, [result_type] if result_type else None)
    if len(results) > 1:
        warnings.warn(f"Expected single result, got {len(results)}", stacklevel=2)
    return results[0] if results else None


async def _failed(event: Any, converter: DataConverter, result_type: type | None, follow_runs: bool) -> Any:
    if follow_runs and event.new_execution_run_id:
        return ContinuedBy(event.new_execution_run_id)
    raise WorkflowFailureError(cause=await converter.decode_failure(event.failure))


async def _cancelled(event: Any, converter: DataConverter, result_type: type | None, follow_runs: bool) -> Any:
    details = await converter.decode_wrapper(event.details)
    raise WorkflowFailureError(cause=CancelledError("Workflow cancelled", *details))


async def _terminated(event: Any, converter: DataConverter, result_type: type | None, follow_runs: bool) -> Any:
    details = await converter.decode_wrapper(event.details)
    raise WorkflowFailureError(cause=TerminatedError(event.reason or "Workflow terminated", *details))


async def _timed_out(event: Any, converter: DataConverter, result_type: type | None, follow_runs: bool) -> Any:
    if follow_runs and event.new_execution_run_id:
        return ContinuedBy(event.new_execution_run_id)
    cause = TimeoutError("Workflow timed out", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[])
    raise WorkflowFailureError(cause=cause)


async def _continued(event: Any, converter: DataConverter, result_type: type | None, follow_runs: bool) -> Any:
    if not event.new_execution_run_id:
        raise RuntimeError("the server says that the workflow continued as new, but not as which run")
    if follow_runs:
        return ContinuedBy(event.new_execution_run_id)
    raise WorkflowContinuedAsNewError(event.new_execution_run_id)


OUTCOMES: Mapping[str, Callable[[Any, DataConverter, type | None, bool], Awaitable[Any]]] = {
    "workflow_execution_completed_event_attributes": _completed,
    "workflow_execution_failed_event_attributes": _failed,
    "workflow_execution_canceled_event_attributes": _cancelled,
    "workflow_execution_terminated_event_attributes": _terminated,
    "workflow_execution_timed_out_event_attributes": _timed_out,
    "workflow_execution_continued_as_new_event_attributes": _continued,
}
