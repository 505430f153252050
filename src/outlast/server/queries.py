"""Queries on their way: who waits for which answer. Nothing of this outlives the process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from outlast.api.enums.v1 import QUERY_RESULT_TYPE_ANSWERED
from outlast.api.query.v1 import QueryRejected, WorkflowQuery, WorkflowQueryResult
from outlast.api.workflowservice.v1 import QueryWorkflowResponse, RespondQueryTaskCompletedRequest
from outlast.vocab import failures, limits
from outlast.vocab.errors import QueryFailed, ServiceError, Unavailable

if TYPE_CHECKING:
    from .runs import Run


class PendingQuery:
    """One query that waits: ``shown`` once a worker has it."""

    __slots__ = ("answer", "attached_to", "direct", "query", "query_id", "shown", "sticky")

    def __init__(self, query_id: str, query: WorkflowQuery) -> None:
        self.query_id = query_id
        self.query = query
        self.answer: asyncio.Future[QueryWorkflowResponse] = asyncio.get_running_loop().create_future()
        self.shown = False
        self.attached_to = (0, 0)
        """The workflow task that it was shown with: scheduled event id and start."""
        self.direct = False
        """Dispatched as a task of its own."""
        self.sticky = False
        """Dispatched to the sticky queue."""

    def resolve(self, result: WorkflowQueryResult | RespondQueryTaskCompletedRequest) -> None:
        """Deliver a worker's answer, in the form of a workflow task's completion or of a query task's."""
        if self.answer.done():
            return
        if isinstance(result, WorkflowQueryResult):
            answered, payloads = result.result_type == QUERY_RESULT_TYPE_ANSWERED, result.answer
        else:
            answered, payloads = result.completed_type == QUERY_RESULT_TYPE_ANSWERED, result.query_result
        if answered and payloads.ByteSize() > limits.BLOB_BYTES_MAX:
            message = (
                f"query {self.query.query_type!r}: the answer takes {payloads.ByteSize():,} bytes, more than "
                f"{limits.BLOB_BYTES_MAX:,}; answer with less, or with a reference (a key, a path, a URL)"
            )
            self.answer.set_exception(QueryFailed(message, failures.application(message)))
        elif answered:
            self.answer.set_result(QueryWorkflowResponse(query_result=payloads))
        else:
            message = result.error_message or "the query handler failed"
            self.answer.set_exception(QueryFailed(message, result.failure))

    def refuse(self, error: ServiceError) -> None:
        """End the query with an error."""
        if not self.answer.done():
            self.answer.set_exception(error)


def lose(run: Run) -> None:
    """The run as it is in memory is given up."""
    for pending in run.queries.values():
        pending.refuse(Unavailable(f"workflow {run.key.workflow_id!r} run {run.key.run_id} is reloaded; ask again"))


def reject_unseen(run: Run) -> None:
    """The run is paused: queries that no worker has are answered with that."""
    for pending in run.queries.values():
        if not pending.shown and not pending.answer.done():
            pending.answer.set_result(rejected(run.state.status))


def rejected(status: int) -> QueryWorkflowResponse:
    """The answer to a query whose reject condition holds."""
    return QueryWorkflowResponse(query_rejected=QueryRejected(status=status))
