"""What workers tell of themselves: a cache entry is gone, a worker shuts down."""

from __future__ import annotations

from outlast.api.workflowservice.v1 import (
    ResetStickyTaskQueueRequest,
    ResetStickyTaskQueueResponse,
    ShutdownWorkerRequest,
    ShutdownWorkerResponse,
)
from outlast.vocab.errors import NotFound

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
