"""What workers tell of themselves: heartbeats, a cache entry is gone, a worker shuts down; and who asks for them."""

from __future__ import annotations

from outlast.api.worker.v1 import WorkerInfo
from outlast.api.workflowservice.v1 import (
    CountWorkersRequest,
    CountWorkersResponse,
    DescribeWorkerRequest,
    DescribeWorkerResponse,
    ListWorkersRequest,
    ListWorkersResponse,
    RecordWorkerHeartbeatRequest,
    RecordWorkerHeartbeatResponse,
    ResetStickyTaskQueueRequest,
    ResetStickyTaskQueueResponse,
    ShutdownWorkerRequest,
    ShutdownWorkerResponse,
)
from outlast.engine import workers
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument, NotFound

from ..context import CallContext
from ..node import Node, required
from ..task_queues import QueryOffer, QueueId
from . import lookup


async def reset_sticky(
    node: Node, request: ResetStickyTaskQueueRequest, context: CallContext
) -> ResetStickyTaskQueueResponse:
    """Forget which worker has the run in its cache."""
    required("ResetStickyTaskQueue", workflow_id=request.execution.workflow_id)
    run = await lookup.run(node, request.namespace, request.execution)
    if run.state.running:
        node.unstick(run)
    return ResetStickyTaskQueueResponse()


async def shutdown(node: Node, request: ShutdownWorkerRequest, context: CallContext) -> ShutdownWorkerResponse:
    """The worker's sticky queue is gone: its tasks go to the normal queue at once (rule 3.4.12)."""
    namespace_id = node.namespaces.id_of(request.namespace)
    if request.worker_heartbeat.worker_instance_key:
        node.workers.note(namespace_id, request.worker_heartbeat)
    if request.sticky_task_queue:
        for offer in node.queues.shut(QueueId(namespace_id, request.sticky_task_queue, "workflow")):
            try:
                run = await node.runs.get(offer.key)
            except NotFound:
                continue
            if isinstance(offer, QueryOffer):
                pending = run.queries.get(offer.query_id)
                if pending is not None:
                    node.dispatch_directly(run, pending, sticky=False)
            else:
                node.unstick(run)
    return ShutdownWorkerResponse()


async def heartbeat(
    node: Node, request: RecordWorkerHeartbeatRequest, context: CallContext
) -> RecordWorkerHeartbeatResponse:
    """Keep the heartbeats of a process's workers."""
    namespace_id = node.namespaces.id_of(request.namespace)
    for worker in request.worker_heartbeat:
        required("RecordWorkerHeartbeat", worker_instance_key=worker.worker_instance_key)
    for worker in request.worker_heartbeat:
        node.workers.note(namespace_id, worker)
    return RecordWorkerHeartbeatResponse()


async def list_all(node: Node, request: ListWorkersRequest, context: CallContext) -> ListWorkersResponse:
    """One page of the workers that a filter finds, by instance key; the token is the last key of the page before.

    There are no system workers, so including them adds none.
    """
    size = request.page_size or limits.VISIBILITY_PAGE_MAX
    if not 0 < size <= limits.VISIBILITY_PAGE_MAX:
        raise InvalidArgument(f"ListWorkers: page size {size} is not between 1 and {limits.VISIBILITY_PAGE_MAX}")
    where = workers.read(request.query)
    after = request.next_page_token.decode(errors="replace")
    recent = node.workers.recent(node.namespaces.id_of(request.namespace))
    found = [worker for key, worker in recent.items() if key > after and workers.found(worker, where)]
    page = found[:size]
    return ListWorkersResponse(
        workers_info=[WorkerInfo(worker_heartbeat=worker) for worker in page],
        workers=[workers.shown(worker) for worker in page],
        next_page_token=page[-1].worker_instance_key.encode() if len(found) > size else b"",
    )


async def count(node: Node, request: CountWorkersRequest, context: CallContext) -> CountWorkersResponse:
    """How many workers a filter finds."""
    where = workers.read(request.query)
    recent = node.workers.recent(node.namespaces.id_of(request.namespace))
    return CountWorkersResponse(count=sum(workers.found(worker, where) for worker in recent.values()))


async def describe(node: Node, request: DescribeWorkerRequest, context: CallContext) -> DescribeWorkerResponse:
    """The last heartbeat of a worker."""
    required("DescribeWorker", worker_instance_key=request.worker_instance_key)
    worker = node.workers.recent(node.namespaces.id_of(request.namespace)).get(request.worker_instance_key)
    if worker is None:
        raise NotFound(
            f"worker {request.worker_instance_key!r} was not heard of in the last 5 minutes; ListWorkers shows who was"
        )
    return DescribeWorkerResponse(worker_info=WorkerInfo(worker_heartbeat=worker))
