"""Task queues as operators see and set them: who polls, what waits, how fast it goes and may go.

One partition, which is the queue itself.

Source: DescribeTaskQueue, ListTaskQueuePartitions, UpdateTaskQueueConfig; rule 3.10.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from outlast.api.common.v1 import WorkerVersionCapabilities
from outlast.api.deployment.v1 import WorkerDeploymentOptions
from outlast.api.enums import v1 as _e
from outlast.api.taskqueue.v1 import (
    ConfigMetadata,
    PollerInfo,
    TaskQueueConfig,
    TaskQueuePartitionMetadata,
    TaskQueueStats,
    TaskQueueStatus,
    TaskQueueTypeInfo,
    TaskQueueVersionInfo,
)
from outlast.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    ListTaskQueuePartitionsRequest,
    ListTaskQueuePartitionsResponse,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    UpdateTaskQueueConfigRequest,
    UpdateTaskQueueConfigResponse,
)
from outlast.engine.matching.pollers import PollerSeen
from outlast.engine.matching.queue import Backlog
from outlast.vocab import limits, queues
from outlast.vocab.errors import InvalidArgument, Unimplemented
from outlast.vocab.times import duration, timestamp

from ..context import CallContext
from ..node import Node, required
from ..task_queues import QueueId

_KINDS: Mapping[int, str] = {
    _e.TASK_QUEUE_TYPE_UNSPECIFIED: "workflow",
    _e.TASK_QUEUE_TYPE_WORKFLOW: "workflow",
    _e.TASK_QUEUE_TYPE_ACTIVITY: "activity",
    _e.TASK_QUEUE_TYPE_NEXUS: "nexus",
}
_UNVERSIONED = ""
"""The build id under which workers without one are shown."""


def seen(request: PollWorkflowTaskQueueRequest | PollActivityTaskQueueRequest) -> PollerSeen | None:
    """What a poll tells of its worker; None when it does not name itself."""
    if not request.identity:
        return None
    rate = 0.0
    if isinstance(request, PollActivityTaskQueueRequest):
        rate = request.task_queue_metadata.max_tasks_per_second.value
    return PollerSeen(
        identity=request.identity,
        rate_per_second=rate,
        version_capabilities=request.worker_version_capabilities.SerializeToString(),
        deployment_options=request.deployment_options.SerializeToString(),
    )


def check(subject: str, name: str) -> None:
    """Raise InvalidArgument for a task queue that nobody can poll."""
    required(subject, task_queue=name)
    if problem := queues.problem(name):
        raise InvalidArgument(f"{subject}: {problem}")


async def describe(node: Node, request: DescribeTaskQueueRequest, context: CallContext) -> DescribeTaskQueueResponse:
    """Pollers of the last minutes and, where asked for, what waits; enhanced mode answers by build id."""
    required("DescribeTaskQueue", task_queue=request.task_queue.name)
    namespace_id = node.namespaces.id_of(request.namespace)
    if request.api_mode == _e.DESCRIBE_TASK_QUEUE_MODE_ENHANCED:
        return _enhanced(node, namespace_id, request)
    queue_id = _queue_id(namespace_id, request.task_queue.name, request.task_queue_type)
    queue, pollers = node.queues.describe(queue_id)
    response = DescribeTaskQueueResponse(pollers=_pollers(pollers))
    backlogs = queue.backlogs(node.wall.now())
    limited = queue.operator_rate is not None or queue.worker_rate is not None
    if request.report_stats:
        response.stats.CopyFrom(_stats(backlogs.values(), limited))
        for key, backlog in backlogs.items():
            response.stats_by_priority_key[key].CopyFrom(_stats((backlog,), limited))
    if request.include_task_queue_status:
        response.task_queue_status.CopyFrom(
            TaskQueueStatus(backlog_count_hint=queue.waiting, rate_per_second=queue.worker_rate or 0.0)
        )
    if request.report_config:
        response.config.CopyFrom(node.queues.settings.get(queue_id))
    if queue.operator_rate is not None:
        response.effective_rate_limit.requests_per_second = queue.operator_rate
        response.effective_rate_limit.rate_limit_source = _e.RATE_LIMIT_SOURCE_API
    elif queue.worker_rate is not None:
        response.effective_rate_limit.requests_per_second = queue.worker_rate
        response.effective_rate_limit.rate_limit_source = _e.RATE_LIMIT_SOURCE_WORKER
    return response


def _enhanced(node: Node, namespace_id: str, request: DescribeTaskQueueRequest) -> DescribeTaskQueueResponse:
    if request.report_task_reachability:
        raise Unimplemented("DescribeTaskQueue: report_task_reachability is not built in this version of outlast")
    wanted = None
    if request.HasField("versions") and not request.versions.all_active:
        wanted = {*request.versions.build_ids, *([_UNVERSIONED] if request.versions.unversioned else [])}
    types = request.task_queue_types or [_e.TASK_QUEUE_TYPE_WORKFLOW, _e.TASK_QUEUE_TYPE_ACTIVITY]
    versions: dict[str, TaskQueueVersionInfo] = {_UNVERSIONED: TaskQueueVersionInfo()}
    for type_ in types:
        queue, pollers = node.queues.describe(_queue_id(namespace_id, request.task_queue.name, type_))
        by_build: dict[str, list[tuple[int, PollerSeen]]] = {_UNVERSIONED: []}
        for at, poller in pollers:
            by_build.setdefault(_build_id(poller), []).append((at, poller))
        for build_id, its in by_build.items():
            info = TaskQueueTypeInfo(pollers=_pollers(its) if request.report_pollers else [])
            # Tasks wait for any worker of the queue, so what waits is shown where no version is named.
            if request.report_stats and build_id == _UNVERSIONED:
                limited = queue.operator_rate is not None or queue.worker_rate is not None
                info.stats.CopyFrom(_stats(queue.backlogs(node.wall.now()).values(), limited))
            versions.setdefault(build_id, TaskQueueVersionInfo()).types_info[type_].CopyFrom(info)
    shown = {build: info for build, info in versions.items() if wanted is None or build in wanted}
    return DescribeTaskQueueResponse(versions_info=shown)


async def update_config(
    node: Node, request: UpdateTaskQueueConfigRequest, context: CallContext
) -> UpdateTaskQueueConfigResponse:
    """Limit the rate of an activity task queue, or lift the limit; the limit wins over the workers'."""
    required("UpdateTaskQueueConfig", task_queue=request.task_queue)
    subject = f"task queue {request.task_queue!r}"
    queue_id = _queue_id(node.namespaces.id_of(request.namespace), request.task_queue, request.task_queue_type)
    if (
        request.HasField("update_fairness_key_rate_limit_default")
        or request.set_fairness_weight_overrides
        or request.unset_fairness_weight_overrides
    ):
        raise Unimplemented(f"{subject}: limits and weights of fairness keys are not built in this version of outlast")
    config = TaskQueueConfig()
    config.CopyFrom(node.queues.settings.get(queue_id))
    if request.HasField("update_queue_rate_limit"):
        if queue_id.kind != "activity":
            raise InvalidArgument(f"{subject}: only activity task queues have a rate limit; give the type activity")
        _limit(subject, request, config, node.clock.now())
        await node.queues.settings.put(queue_id, config)
    return UpdateTaskQueueConfigResponse(config=config)


def _limit(subject: str, request: UpdateTaskQueueConfigRequest, config: TaskQueueConfig, now: int) -> None:
    update = request.update_queue_rate_limit
    rate = update.rate_limit.requests_per_second
    if not 0 <= rate < float("inf"):
        raise InvalidArgument(
            f"{subject}: the rate limit {rate} is not 0 or more tasks per second; leave it out for none"
        )
    if len(update.reason) > limits.REASON_CHARACTERS_MAX:
        raise InvalidArgument(f"{subject}: the reason is longer than {limits.REASON_CHARACTERS_MAX} characters")
    limit = config.queue_rate_limit
    limit.ClearField("rate_limit")
    if update.HasField("rate_limit"):
        limit.rate_limit.CopyFrom(update.rate_limit)
    limit.metadata.CopyFrom(
        ConfigMetadata(reason=update.reason, update_identity=request.identity, update_time=timestamp(now))
    )


async def list_partitions(
    node: Node, request: ListTaskQueuePartitionsRequest, context: CallContext
) -> ListTaskQueuePartitionsResponse:
    """One partition, on this node."""
    required("ListTaskQueuePartitions", task_queue=request.task_queue.name)
    node.namespaces.id_of(request.namespace)
    partition = TaskQueuePartitionMetadata(key=request.task_queue.name, owner_host_name=node.process)
    return ListTaskQueuePartitionsResponse(
        activity_task_queue_partitions=[partition], workflow_task_queue_partitions=[partition]
    )


def _queue_id(namespace_id: str, name: str, type_: int) -> QueueId:
    kind = _KINDS.get(type_)
    if kind is None:
        raise InvalidArgument(f"task queue {name!r}: there is no type {type_}; give workflow or activity")
    return QueueId(namespace_id, name, kind)


def _build_id(poller: PollerSeen) -> str:
    options = WorkerDeploymentOptions.FromString(poller.deployment_options)
    if options.worker_versioning_mode == _e.WORKER_VERSIONING_MODE_VERSIONED:
        return options.build_id
    capabilities = WorkerVersionCapabilities.FromString(poller.version_capabilities)
    return capabilities.build_id if capabilities.use_versioning else _UNVERSIONED


def _pollers(pollers: Iterable[tuple[int, PollerSeen]]) -> list[PollerInfo]:
    infos = []
    for at, poller in pollers:
        info = PollerInfo(
            last_access_time=timestamp(at), identity=poller.identity, rate_per_second=poller.rate_per_second
        )
        if poller.version_capabilities:
            info.worker_version_capabilities.MergeFromString(poller.version_capabilities)
        if poller.deployment_options:
            info.deployment_options.MergeFromString(poller.deployment_options)
        infos.append(info)
    return infos


def _stats(backlogs: Iterable[Backlog], limited: bool) -> TaskQueueStats:
    each = list(backlogs)
    count = sum(backlog.tasks for backlog in each)
    return TaskQueueStats(
        approximate_backlog_count=count,
        approximate_backlog_age=duration(max((backlog.age_ns for backlog in each), default=0)),
        tasks_add_rate=sum(backlog.add_rate for backlog in each),
        tasks_dispatch_rate=sum(backlog.dispatch_rate for backlog in each),
        rate_limiting_active=limited and count > 0,
    )
