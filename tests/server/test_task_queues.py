"""Task queues and workers as operators see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from node_calls import call, start

from outlast.api.enums import v1 as e
from outlast.api.worker.v1 import WorkerHeartbeat
from outlast.server.clock import WallClock
from outlast.server.node import Node
from outlast.server.task_queues import QueueId, TaskOffer
from outlast.storage.memory import MemoryStorage
from outlast.storage.port import RunKey
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument, NotFound, Unimplemented

QUEUE = {"name": "orders"}


class ShiftedClock(WallClock):
    """The wall's time, and as much later as a test wants."""

    ahead_ns = 0

    def now(self) -> int:
        return super().now() + self.ahead_ns


@pytest.fixture
async def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def node(clock: ShiftedClock) -> AsyncIterator[Node]:
    node = await Node.open(MemoryStorage(), clock=clock, namespaces=("shop",))
    yield node
    await node.close()


async def describe(node: Node, **fields: Any) -> Any:
    return await call(node, "DescribeTaskQueue", namespace="shop", task_queue=QUEUE, **fields)


async def test_a_backlog_shows_until_a_poller_takes_it(node: Node) -> None:
    empty = await describe(node, report_stats=True)
    assert not empty.pollers and empty.stats.approximate_backlog_count == 0
    for n in range(3):
        await start(node, f"order-{n}")
    waiting = await describe(node, report_stats=True, include_task_queue_status=True)
    assert waiting.stats.approximate_backlog_count == 3 and waiting.stats.tasks_add_rate > 0
    assert waiting.stats_by_priority_key[3].approximate_backlog_count == 3
    assert waiting.task_queue_status.backlog_count_hint == 3
    assert not (await describe(node)).HasField("stats")
    polled = await call(node, "PollWorkflowTaskQueue", namespace="shop", task_queue=QUEUE, identity="me")
    assert polled.workflow_execution.workflow_id == "order-0"
    taken = await describe(node, report_stats=True)
    assert taken.stats.approximate_backlog_count == 2 and taken.stats.tasks_dispatch_rate > 0
    (poller,) = taken.pollers
    assert poller.identity == "me" and poller.last_access_time.seconds > 0


async def test_pollers_are_shown_by_kind_and_forgotten(node: Node, clock: ShiftedClock) -> None:
    metadata = {"max_tasks_per_second": {"value": 7.5}}
    poll = asyncio.ensure_future(
        call(
            node,
            "PollActivityTaskQueue",
            namespace="shop",
            task_queue=QUEUE,
            identity="me",
            task_queue_metadata=metadata,
        )
    )
    await asyncio.sleep(0)
    assert not (await describe(node)).pollers
    described = await describe(node, task_queue_type=e.TASK_QUEUE_TYPE_ACTIVITY)
    assert (described.pollers[0].identity, described.pollers[0].rate_per_second) == ("me", 7.5)
    limit = described.effective_rate_limit
    assert (limit.requests_per_second, limit.rate_limit_source) == (7.5, e.RATE_LIMIT_SOURCE_WORKER)
    clock.ahead_ns = limits.WORKER_REGISTRY_NS
    assert not (await describe(node, task_queue_type=e.TASK_QUEUE_TYPE_ACTIVITY)).pollers
    poll.cancel()


async def test_the_enhanced_mode_answers_by_build_id(node: Node) -> None:
    await start(node, "order-0")
    await start(node, "order-1")
    versioned = {
        "deployment_name": "d",
        "build_id": "b1",
        "worker_versioning_mode": e.WORKER_VERSIONING_MODE_VERSIONED,
    }
    for identity, options in (("old", {}), ("new", {"deployment_options": versioned})):
        await call(node, "PollWorkflowTaskQueue", namespace="shop", task_queue=QUEUE, identity=identity, **options)
    enhanced = e.DESCRIBE_TASK_QUEUE_MODE_ENHANCED
    described = await describe(node, api_mode=enhanced, report_pollers=True, report_stats=True)
    workflow, activity = e.TASK_QUEUE_TYPE_WORKFLOW, e.TASK_QUEUE_TYPE_ACTIVITY
    versions = described.versions_info
    assert {build: [p.identity for p in info.types_info[workflow].pollers] for build, info in versions.items()} == {
        "": ["old"],
        "b1": ["new"],
    }
    assert versions[""].types_info[workflow].stats.tasks_dispatch_rate > 0
    assert activity in versions[""].types_info
    chosen = await describe(node, api_mode=enhanced, versions={"build_ids": ["b1"]}, task_queue_types=[workflow])
    assert list(chosen.versions_info) == ["b1"] and not chosen.versions_info["b1"].types_info[workflow].pollers
    with pytest.raises(Unimplemented, match="report_task_reachability"):
        await describe(node, api_mode=enhanced, report_task_reachability=True)


async def test_a_queue_has_one_partition(node: Node) -> None:
    partitions = await call(node, "ListTaskQueuePartitions", namespace="shop", task_queue=QUEUE)
    assert [each.key for each in partitions.workflow_task_queue_partitions] == ["orders"]
    assert [each.owner_host_name for each in partitions.activity_task_queue_partitions] == [node.process]
    with pytest.raises(InvalidArgument, match="task_queue is empty"):
        await call(node, "DescribeTaskQueue", namespace="shop")


ACTIVITY = e.TASK_QUEUE_TYPE_ACTIVITY


async def limit(node: Node, rate: float | None, **fields: Any) -> Any:
    update = (
        {"reason": "too hot"} if rate is None else {"reason": "too hot", "rate_limit": {"requests_per_second": rate}}
    )
    fields = {"task_queue_type": ACTIVITY, "update_queue_rate_limit": update} | fields
    return await call(node, "UpdateTaskQueueConfig", namespace="shop", task_queue="orders", identity="me", **fields)


async def test_an_operators_rate_limit_holds_tasks_back_and_survives_a_restart(tmp_path: Path) -> None:
    node = await Node.open(SqliteStorage.open(tmp_path / "outlast.db"), namespaces=("shop",))
    config = (await limit(node, 0)).config.queue_rate_limit
    assert (config.metadata.reason, config.metadata.update_identity) == ("too hot", "me")
    await node.close()
    node = await Node.open(SqliteStorage.open(tmp_path / "outlast.db"), namespaces=("shop",))
    described = await describe(node, task_queue_type=ACTIVITY, report_config=True)
    assert described.config.queue_rate_limit == config
    limited = described.effective_rate_limit
    assert (limited.requests_per_second, limited.rate_limit_source) == (0, e.RATE_LIMIT_SOURCE_API)
    queue_id = QueueId(node.namespaces.id_of("shop"), "orders", "activity")
    offer = TaskOffer(RunKey(queue_id.namespace_id, "order-1", "run-1"), 5, 1)
    node.queues.offer(queue_id, offer)
    now = node.clock.now()
    assert await node.queues.poll(queue_id, now + 1_000_000) is None, "0 lets nothing out"
    waiting = asyncio.ensure_future(node.queues.poll(queue_id, now + 60_000_000_000))
    await asyncio.sleep(0)
    await limit(node, None)
    assert await waiting == offer, "who waits is served when the limit is lifted"
    described = await describe(node, task_queue_type=ACTIVITY, report_config=True)
    assert not described.HasField("effective_rate_limit")
    assert not described.config.queue_rate_limit.HasField("rate_limit")
    await node.close()


@pytest.mark.parametrize(
    ("rate", "fields", "error", "message"),
    [
        (-1, {}, InvalidArgument, "is not 0 or more tasks per second"),
        (float("nan"), {}, InvalidArgument, "is not 0 or more tasks per second"),
        (1, {"task_queue_type": e.TASK_QUEUE_TYPE_WORKFLOW}, InvalidArgument, "only activity task queues"),
        (1, {"update_queue_rate_limit": {"reason": "x" * 1001}}, InvalidArgument, "longer than 1000 characters"),
        (1, {"unset_fairness_weight_overrides": ["k"]}, Unimplemented, "fairness keys"),
    ],
)
async def test_what_no_queue_can_be_limited_to(
    node: Node, rate: float, fields: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await limit(node, rate, **fields)
    assert not (await describe(node, task_queue_type=ACTIVITY, report_config=True)).config.ByteSize()


# -- workers -----------------------------------------------------------------------------------------------------------


def worker(key: str, **fields: Any) -> WorkerHeartbeat:
    fields.setdefault("status", e.WORKER_STATUS_RUNNING)
    return WorkerHeartbeat(
        worker_instance_key=key,
        worker_identity=f"{key}@host",
        task_queue=fields.pop("task_queue", "orders"),
        host_info={"host_name": "host-" + key, "process_id": "1"},
        sdk_name="temporal-python",
        sdk_version="1.35.0",
        start_time={"seconds": 1_769_860_800},
        **fields,
    )


async def beat(node: Node, *workers: WorkerHeartbeat) -> None:
    await call(node, "RecordWorkerHeartbeat", namespace="shop", identity="me", worker_heartbeat=workers)


async def test_workers_are_listed_by_their_heartbeats(node: Node, clock: ShiftedClock) -> None:
    await beat(node, worker("b"), worker("a"), worker("c", task_queue="refunds"))
    first = await call(node, "ListWorkers", namespace="shop", page_size=2)
    assert [each.worker_instance_key for each in first.workers] == ["a", "b"]
    rest = await call(node, "ListWorkers", namespace="shop", page_size=2, next_page_token=first.next_page_token)
    assert [each.worker_heartbeat.worker_instance_key for each in rest.workers_info] == ["c"]
    assert not rest.next_page_token and rest.workers[0].host_name == "host-c"
    assert not (await call(node, "ListWorkers", namespace="shop", query="SdkName = 'x'")).workers
    described = await call(node, "DescribeWorker", namespace="shop", worker_instance_key="a")
    assert described.worker_info.worker_heartbeat == worker("a")
    clock.ahead_ns = limits.WORKER_REGISTRY_NS - 1_000_000_000
    await beat(node, worker("a"))
    clock.ahead_ns = limits.WORKER_REGISTRY_NS + 1_000_000_000
    assert (await call(node, "CountWorkers", namespace="shop")).count == 1
    with pytest.raises(NotFound, match="worker 'b' was not heard of in the last 5 minutes"):
        await call(node, "DescribeWorker", namespace="shop", worker_instance_key="b")


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("TaskQueue = 'orders'", "ab"),
        ("HostName STARTS_WITH 'host-' AND WorkerIdentity != 'a@host'", "bc"),
        ("Status = 'ShuttingDown'", "b"),
        ("BuildId IS NULL", "ab"),
        ("DeploymentName = 'd' OR WorkerInstanceKey = 'a'", "ac"),
        ("StartTime < '2026-01-31T12:00:01Z' AND SdkVersion = '1.35.0'", "abc"),
        ("NOT WorkerInstanceKey IN ('a', 'b')", "c"),
    ],
)
async def test_workers_are_found_by_a_filter(node: Node, query: str, keys: str) -> None:
    deployed = {"deployment_name": "d", "build_id": "b1"}
    await beat(
        node,
        worker("a"),
        worker("b", status=e.WORKER_STATUS_SHUTTING_DOWN),
        worker("c", task_queue="refunds", deployment_version=deployed),
    )
    listed = await call(node, "ListWorkers", namespace="shop", query=query)
    assert "".join(each.worker_instance_key for each in listed.workers) == keys
    assert (await call(node, "CountWorkers", namespace="shop", query=query)).count == len(keys)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("WorkflowId = 'x'", "'WorkflowId' is no search attribute here; there are WorkerInstanceKey, "),
        ("TaskQueue = 'x' ORDER BY TaskQueue", "it has no ORDER BY and no GROUP BY here"),
        ("TaskQueue LIKE 'x'", "character 11"),
    ],
)
async def test_bad_filters_over_workers(node: Node, query: str, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        await call(node, "ListWorkers", namespace="shop", query=query)


async def test_a_worker_says_that_it_shuts_down(node: Node) -> None:
    await beat(node, worker("a"))
    last = worker("a", status=e.WORKER_STATUS_SHUTDOWN)
    await call(node, "ShutdownWorker", namespace="shop", worker_heartbeat=last)
    assert (await call(node, "CountWorkers", namespace="shop", query="Status = 'Shutdown'")).count == 1
    with pytest.raises(InvalidArgument, match="worker_instance_key is empty"):
        await beat(node, WorkerHeartbeat())
