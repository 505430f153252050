"""What a server process counts, as Prometheus fetches it from ``/metrics``.

Calls are counted at the doors, so that an embedded engine, which has none, pays nothing. All else is read when it is
fetched: the queues from the node, the commits from the store, the numbers of workflows from the lists, and these not
more often than every ten seconds.

Source: https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from heapq import nlargest
from typing import Final

from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from outlast.engine.visibility.values import STATUS_NAMES
from outlast.storage.statistics import Distribution
from outlast.vocab.errors import ServiceError

from .context import Call, CallContext
from .node import Node

_SECONDS_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_QUEUES_MAX: Final = 1000
"""Task queues that are told of, the longest first: every worker has a sticky queue of its own."""
_COUNTED_S: Final = 10.0
"""So long the numbers of workflows are remembered: counting them reads the lists of a namespace."""


class Metrics:
    """The counters of one server process."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._registry = CollectorRegistry()
        labels = ["operation", "door"]
        self._requests = Counter(
            "outlast_requests", "Calls answered, by their status code.", [*labels, "code"], registry=self._registry
        )
        self._seconds = Histogram(
            "outlast_request_seconds",
            "How long calls took; a long poll takes as long as it waits.",
            labels,
            buckets=_SECONDS_BOUNDS,
            registry=self._registry,
        )
        self._registry.register(_OfNode(self))
        ProcessCollector(registry=self._registry)
        self._counted_at = -_COUNTED_S
        self.workflows: list[tuple[str, str, int]] = []
        """Namespace, status, number."""

    def counted(self, call: Call) -> Call:
        """The same call, counted and timed."""

        async def measured(service: str, rpc: str, request: Message, context: CallContext) -> Message:
            begun = time.perf_counter()
            code = "OK"
            try:
                return await call(service, rpc, request, context)
            except ServiceError as error:
                code = error.code_name
                raise
            except asyncio.CancelledError:
                code = "CANCELLED"
                raise
            except Exception:
                code = "INTERNAL"
                raise
            finally:
                self._requests.labels(rpc, context.door, code).inc()
                self._seconds.labels(rpc, context.door).observe(time.perf_counter() - begun)

        return measured

    async def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        now = time.monotonic()
        if now - self._counted_at >= _COUNTED_S:
            self._counted_at = now
            self.workflows = await self._workflows()
        return generate_latest(self._registry)

    async def _workflows(self) -> list[tuple[str, str, int]]:
        found = []
        for description in self._node.namespaces.all():
            namespace = description.namespace_info
            counts = await self._node.storage.count_executions_by_status(namespace.id)
            found += [(namespace.name, STATUS_NAMES[status], number) for status, number in counts.items()]
        return found

    def families(self) -> Iterator[Metric]:
        """What is read from the node."""
        node = self._node
        workflows = GaugeMetricFamily(
            "outlast_workflows", "Workflow runs that are kept, by status.", labels=["namespace", "status"]
        )
        for namespace, status, number in self.workflows:
            workflows.add_metric([namespace, status], number)
        yield workflows
        labels = ["namespace", "task_queue", "kind"]
        backlog = GaugeMetricFamily("outlast_task_queue_backlog", "Tasks that wait for a poller.", labels=labels)
        pollers = GaugeMetricFamily("outlast_task_queue_pollers", "Polls that wait for a task.", labels=labels)
        age = GaugeMetricFamily("outlast_task_queue_age_seconds", "How long the oldest task has waited.", labels=labels)
        now = node.wall.now()
        names = {info.id: info.name for info in (each.namespace_info for each in node.namespaces.all())}
        for queue_id, queue in nlargest(_QUEUES_MAX, node.queues.all(), key=lambda entry: entry[1].waiting):
            values = [names.get(queue_id.namespace_id, ""), queue_id.name, queue_id.kind]
            backlog.add_metric(values, queue.waiting)
            pollers.add_metric(values, queue.pollers)
            age.add_metric(values, max((level.age_ns for level in queue.backlogs(now).values()), default=0) / 1e9)
        yield from (backlog, pollers, age)
        statistics = node.storage.statistics
        yield _histogram("outlast_commit_batch_size", "Changes that one transaction makes durable.", statistics.batches)
        yield _histogram("outlast_commit_seconds", "How long a transaction takes to be durable.", statistics.seconds)


class _OfNode(Collector):
    """Asks the node when the metrics are fetched."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return self._metrics.families()


def _histogram(name: str, help_: str, distribution: Distribution) -> Metric:
    seen, buckets = 0, []
    for bound, count in zip((*distribution.bounds, "+Inf"), distribution.counts, strict=True):
        seen += count
        buckets.append((str(bound), seen))
    family = HistogramMetricFamily(name, help_)
    family.add_metric([], buckets, distribution.total)
    return family
