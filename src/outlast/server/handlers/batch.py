"""Batch operations: begun, stopped, described, listed. ``server/batch_work.py`` does them.

Source: rules 3.7.5 and 3.13.7.
"""

from __future__ import annotations

import logging

from outlast.api.common.v1 import WorkflowExecution
from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import (
    DescribeBatchOperationRequest,
    DescribeBatchOperationResponse,
    ListBatchOperationsRequest,
    ListBatchOperationsResponse,
    StartBatchOperationRequest,
    StartBatchOperationResponse,
    StopBatchOperationRequest,
    StopBatchOperationResponse,
)
from outlast.engine import batch as batches
from outlast.vocab import limits
from outlast.vocab.errors import AlreadyExists, InvalidArgument, NotFound, ResourceExhausted, Unimplemented

from .. import batch_work, blobs
from ..batches import Batch
from ..context import CallContext
from ..node import Node, required

logger = logging.getLogger("outlast.server")

_SERVICE = "temporal.api.workflowservice.v1.WorkflowService"


async def start(node: Node, request: StartBatchOperationRequest, context: CallContext) -> StartBatchOperationResponse:
    """Begin a job; durable on return, and done in the background, also across a restart."""
    namespace_id = node.namespaces.id_of(request.namespace)
    batches.check(request)
    rpc = batches.rpc(request)
    if not node.serves(_SERVICE, rpc):
        raise Unimplemented(f"StartBatchOperation: {rpc}, which it would call, is not built in this version of outlast")
    named = batches.executions(request)
    blobs.check(rpc, batches.call(request, WorkflowExecution()))
    now = node.clock.now()
    if named:
        total = len(named)
    else:
        division_id, where = batch_work.found_by(node, namespace_id, request, now)
        total = await node.storage.count_executions(division_id, where)
    _make_room(node, namespace_id, request.job_id)
    job = batches.Job(request.job_id, request.SerializeToString(), now, total)
    batch_work.begin(node, namespace_id, await node.batches.add(namespace_id, job))
    return StartBatchOperationResponse()


def _make_room(node: Node, namespace_id: str, job_id: str) -> None:
    """Refuse a job whose id is taken, or that would be one too many at a time."""
    if node.batches.find(namespace_id, job_id) is not None:
        raise AlreadyExists(f"batch operation {job_id!r} exists already; choose another job id")
    running = [batch.job.job_id for batch in node.batches.of(namespace_id) if batch.progress.running]
    if len(running) >= limits.BATCHES_RUNNING_MAX:
        raise ResourceExhausted(
            f"batch operation {running[0]!r} is running, and a namespace has {limits.BATCHES_RUNNING_MAX} at a time; "
            "wait until it is done, or stop it",
            _e.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT,
            _e.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
        )


async def stop(node: Node, request: StopBatchOperationRequest, context: CallContext) -> StopBatchOperationResponse:
    """End a job: what is done stays done, and of the rest nothing more is begun."""
    required("StopBatchOperation", job_id=request.job_id, reason=request.reason)
    namespace_id = node.namespaces.id_of(request.namespace)
    batch = node.batches.get(namespace_id, request.job_id)
    if not batch.progress.running:
        raise NotFound(f"batch operation {request.job_id!r} has ended already; there is nothing to stop")
    batch.progress = batches.closed(
        batch.progress, node.clock.now(), failed=True, reason=request.reason, identity=request.identity
    )
    await node.batches.save(namespace_id, batch)
    logger.info("batch operation %r: stopped by %s: %s", request.job_id, request.identity, request.reason)
    return StopBatchOperationResponse()


async def describe(
    node: Node, request: DescribeBatchOperationRequest, context: CallContext
) -> DescribeBatchOperationResponse:
    """What a job does and how far it is."""
    required("DescribeBatchOperation", job_id=request.job_id)
    batch = node.batches.get(node.namespaces.id_of(request.namespace), request.job_id)
    return batches.describe(batch.job, batch.progress)


async def list_all(
    node: Node, request: ListBatchOperationsRequest, context: CallContext
) -> ListBatchOperationsResponse:
    """One page of the jobs, the latest start first; the token names the last job of the page before."""
    size = request.page_size or limits.VISIBILITY_PAGE_MAX
    if not 0 < size <= limits.VISIBILITY_PAGE_MAX:
        raise InvalidArgument(
            f"ListBatchOperations: page size {size} is not between 1 and {limits.VISIBILITY_PAGE_MAX}"
        )
    found = node.batches.of(node.namespaces.id_of(request.namespace))
    if request.next_page_token:
        after = _read_token(request.next_page_token)
        found = [batch for batch in found if _place(batch) > after]
    page = found[:size]
    return ListBatchOperationsResponse(
        operation_info=[batches.info(batch.job, batch.progress) for batch in page],
        next_page_token=_token(page[-1]) if len(found) > size else b"",
    )


def _place(batch: Batch) -> tuple[int, str]:
    return -batch.job.started_at, batch.job.job_id


def _token(batch: Batch) -> bytes:
    return f"{batch.job.started_at}/{batch.job.job_id}".encode()


def _read_token(token: bytes) -> tuple[int, str]:
    started_at, slash, job_id = token.decode(errors="replace").partition("/")
    if not slash or not started_at.isdecimal():
        raise InvalidArgument("ListBatchOperations: next_page_token is none that a page came with; begin without one")
    return -int(started_at), job_id
