"""Batch operations at work: page by page through workflows or activities, each by the RPC that a caller would use.

Rule: a page's progress is kept when all of it is done, so a node that opens goes on with the page that the former one
was at (``engine.batch``). Executions are found by their start, the latest first, which no operation changes; those that
started after the job are not its business.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from outlast.api.common.v1 import WorkflowExecution
from outlast.api.workflow.v1 import ResetPoints
from outlast.api.workflowservice.v1 import StartBatchOperationRequest
from outlast.engine import batch as batches
from outlast.engine.visibility import query
from outlast.storage.errors import BadPageToken, StorageClosed, StorageError
from outlast.storage.listing import And, Column, Condition, Filter, Op, Order
from outlast.vocab import limits
from outlast.vocab.divisions import ACTIVITIES, division
from outlast.vocab.errors import Aborted, InvalidArgument, NotFound, ResourceExhausted, ServiceError, Unavailable

from .batches import Batch
from .clock import reaches
from .context import CallContext
from .node import Node

logger = logging.getLogger("outlast.server")

_T = TypeVar("_T")

_SERVICE = "temporal.api.workflowservice.v1.WorkflowService"
_CONTEXT = CallContext("batch")
_BY_START = Order((Column.START_TIME,), descending=True)
_MAY_SUCCEED_LATER = (Unavailable, ResourceExhausted, Aborted, StorageError)


def found_by(node: Node, namespace_id: str, request: StartBatchOperationRequest, started_at: int) -> tuple[str, Filter]:
    """What a job's query finds: the division to look into, and the filter.

    Raises:
        InvalidArgument: it is no list filter, or has an order or groups.
    """
    over_activities = batches.over_activities(request)
    parse = query.parse_activities if over_activities else query.parse
    asked = parse(request.visibility_query, node.namespaces.search_attributes(namespace_id))
    if asked.order is not None or asked.by_status:
        raise InvalidArgument("StartBatchOperation: the visibility_query has no ORDER BY and no GROUP BY here")
    begun = Condition(Column.START_TIME, Op.LE, started_at)
    division_id = division(namespace_id, ACTIVITIES) if over_activities else namespace_id
    return division_id, begun if asked.where is None else And((asked.where, begun))


def begin(node: Node, namespace_id: str, batch: Batch) -> None:
    """Do the job, or what is left of it, in the background."""
    work = asyncio.get_running_loop().create_task(_Work(node, namespace_id, batch).run())
    node.spawn(f"batch operation {batch.job.job_id!r}", work)


class _Work:
    """One job under way."""

    __slots__ = ("_batch", "_namespace_id", "_node", "_pace", "_request")

    def __init__(self, node: Node, namespace_id: str, batch: Batch) -> None:
        self._node = node
        self._namespace_id = namespace_id
        self._batch = batch
        self._request = StartBatchOperationRequest.FromString(batch.job.request)
        self._pace = batches.Pace(batches.rate(self._request))

    @property
    def _wanted(self) -> bool:
        known = self._node.batches.holds(self._namespace_id, self._batch)
        return known and self._batch.progress.running and not self._node.closing

    async def run(self) -> None:
        """Go through the pages until there are no more, or the job is stopped."""
        batch = self._batch
        try:
            if self._request.visibility_query:
                await self._through_found()
            else:
                await self._through_named()
        except (InvalidArgument, BadPageToken) as error:
            logger.error("batch operation %r cannot go on: %s", batch.job.job_id, error)
            batch.progress = batches.closed(batch.progress, self._node.clock.now(), failed=True, reason=str(error))
            await self._save()
            return
        if self._wanted:
            batch.progress = batches.closed(batch.progress, self._node.clock.now())
            await self._save()

    async def _through_named(self) -> None:
        named = batches.executions(self._request)
        while self._wanted and (page := named[self._batch.progress.taken :][: limits.BATCH_PAGE]):
            await self._page(page)
            await self._turn(taken=len(page))

    async def _through_found(self) -> None:
        division_id, where = found_by(self._node, self._namespace_id, self._request, self._batch.job.started_at)
        while self._wanted:
            page = await self._patiently(
                lambda: self._node.storage.list_executions(
                    division_id,
                    where=where,
                    order=_BY_START,
                    page_size=limits.BATCH_PAGE,
                    page_token=self._batch.progress.page_token,
                )
            )
            found = [WorkflowExecution(workflow_id=key.workflow_id, run_id=key.run_id) for key, _ in page.rows]
            await self._page(found)
            if not page.next_page_token:
                return
            await self._turn(page_token=page.next_page_token)

    async def _turn(self, taken: int = 0, page_token: bytes = b"") -> None:
        if self._wanted:
            self._batch.progress = batches.turned(self._batch.progress, taken=taken, page_token=page_token)
            await self._save()

    async def _page(self, page: list[WorkflowExecution]) -> None:
        waiting = deque(page)
        await asyncio.gather(*(self._take_from(waiting) for _ in range(limits.BATCH_CONCURRENCY)))

    async def _take_from(self, waiting: deque[WorkflowExecution]) -> None:
        while waiting:
            execution = waiting.popleft()
            await self._next_slot()
            if not self._wanted:
                return
            succeeded = await self._do(execution)
            self._batch.progress = batches.counted(self._batch.progress, succeeded=succeeded)

    async def _next_slot(self) -> None:
        now = self._node.wall.now()
        at = self._pace.slot(now)
        if at > now:
            await reaches(self._node.wall, at)

    async def _do(self, execution: WorkflowExecution) -> bool:
        """Do it to one execution; answers whether that is done. What is closed or gone needs nothing any more."""
        for attempt in range(1, limits.BATCH_ATTEMPTS_MAX + 1):
            try:
                base, event_id = execution, 0
                if batches.resets(self._request):
                    base, event_id = await self._reset_point(execution)
                call = batches.call(self._request, base, event_id)
                await self._node.call(_SERVICE, batches.rpc(self._request), call, _CONTEXT)
                return True
            except NotFound:
                return True
            except StorageClosed:
                raise
            except _MAY_SUCCEED_LATER as error:
                if attempt == limits.BATCH_ATTEMPTS_MAX:
                    return self._failed(execution, error)
                await reaches(self._node.wall, self._node.wall.now() + limits.BATCH_RETRY_NS)
                if not self._wanted:
                    return False
            except ServiceError as error:
                return self._failed(execution, error)
            except Exception:
                logger.exception("batch operation %r: execution %r", self._batch.job.job_id, execution.workflow_id)
                return False
        raise AssertionError("unreachable")

    def _failed(self, execution: WorkflowExecution, error: Exception) -> bool:
        logger.warning("batch operation %r: execution %r: %s", self._batch.job.job_id, execution.workflow_id, error)
        return False

    async def _reset_point(self, execution: WorkflowExecution) -> tuple[WorkflowExecution, int]:
        """The run to reset, and at which event."""
        node, operation = self._node, self._request.reset_operation
        run = await node.runs.find(self._namespace_id, execution.workflow_id, execution.run_id)
        if operation.options.build_id:
            points = ResetPoints.FromString(run.state.reset_points)
            run_id, event_id = batches.reset_point(operation, points, run.key.run_id)
            return WorkflowExecution(workflow_id=execution.workflow_id, run_id=run_id), event_id
        history = await node.runs.events(run, 1, run.state.next_event_id)
        return execution, batches.reset_event_id(operation, history)

    async def _save(self) -> None:
        await self._patiently(lambda: self._node.batches.save(self._namespace_id, self._batch))

    async def _patiently(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask storage until it answers: a job is not given up because a disk is full or busy for a while."""
        while True:
            try:
                return await ask()
            except (StorageClosed, BadPageToken):
                raise
            except StorageError as error:
                logger.warning("batch operation %r waits for the storage: %s", self._batch.job.job_id, error)
                await reaches(self._node.wall, self._node.wall.now() + limits.BATCH_RETRY_NS)
