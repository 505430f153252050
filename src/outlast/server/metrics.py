"""What a server process counts, as Prometheus fetches it from ``/metrics``.

Calls are counted, and logged at DEBUG, at the doors, so that an embedded engine, which has none, pays nothing. They are
counted in plain dicts, which costs a microsecond: everything here happens on the event loop's thread. All else is read
when it is fetched: the queues from the node, the commits from the store, the numbers of workflows from the lists, and
these not more often than twice a minute.

Source: https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import accumulate
from typing import Any, Final

from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from outlast.engine.visibility.values import ACTIVITY_STATUS_NAMES, STATUS_NAMES
from outlast.storage.statistics import Distribution
from outlast.vocab.divisions import ACTIVITIES, WORKFLOWS, division
from outlast.vocab.errors import ServiceError

from .context import Call, CallContext
from .node import Node

logger = logging.getLogger("outlast.server.calls")

_SECONDS_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_QUEUES_MAX: Final = 1000
"""Task queues that are told of, the longest first: every worker has a sticky queue of its own."""
_COUNTED_S: Final = 30.0
"""So long the numbers of workflows are remembered: counting them reads the lists of a namespace."""


class Metrics:
    """The counters of one server process."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._registry = CollectorRegistry()
        self._calls: dict[tuple[str, str, str], int] = {}
        """By operation, door and code."""
        self._seconds: dict[tuple[str, str], Distribution] = {}
        """By operation and door."""
        self._registry.register(_OfNode(self))
        ProcessCollector(registry=self._registry)
        self._counted_at = -_COUNTED_S
        self.workflows: list[tuple[str, str, int]] = []
        """Namespace, status, number."""
        self.activities: list[tuple[str, str, int]] = []
        """The same of standalone activities."""

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
                took = time.perf_counter() - begun
                self._count(rpc, context.door, code, took)
                if logger.isEnabledFor(logging.DEBUG):
                    fields = {"operation": rpc, "door": context.door, "code": code, "seconds": round(took, 6)}
                    logger.debug(
                        "%s by %s: %s in %.1f ms", rpc, context.door, code, took * 1000, extra={"fields": fields}
                    )

        return measured

    def _count(self, rpc: str, door: str, code: str, took: float) -> None:
        key = (rpc, door, code)
        self._calls[key] = self._calls.get(key, 0) + 1
        seconds = self._seconds.get((rpc, door))
        if seconds is None:
            seconds = self._seconds[rpc, door] = Distribution(_SECONDS_BOUNDS)
        seconds.add(took)

    async def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        now = time.monotonic()
        if now - self._counted_at >= _COUNTED_S:
            self._counted_at = now
            self.workflows = await self._counted(WORKFLOWS, STATUS_NAMES)
            self.activities = await self._counted(ACTIVITIES, ACTIVITY_STATUS_NAMES)
        return generate_latest(self._registry)

    async def _counted(self, kind: str, names: Mapping[int, str]) -> list[tuple[str, str, int]]:
        found = []
        for description in self._node.namespaces.all():
            namespace = description.namespace_info
            counts = await self._node.storage.count_executions_by_status(division(namespace.id, kind))
            found += [(namespace.name, names[status], number) for status, number in counts.items()]
        return found

    def families(self) -> Iterator[Metric]:
        """What was counted, and what is read from the node."""
        node = self._node
        labels = ["operation", "door"]
        calls = CounterMetricFamily("outlast_requests", "Calls answered, by status code.", labels=[*labels, "code"])
        for key, number in self._calls.items():
            calls.add_metric(key, number)
        yield calls
        text = "How long calls took; a long poll takes as long as it waits."
        yield _histogram("outlast_request_seconds", text, self._seconds, labels)
        for name, text, counted in (
            ("outlast_workflows", "Workflow runs that are kept, by status.", self.workflows),
            ("outlast_standalone_activities", "Standalone activities that are kept, by status.", self.activities),
        ):
            kept = GaugeMetricFamily(name, text, labels=["namespace", "status"])
            for namespace, status, number in counted:
                kept.add_metric([namespace, status], number)
            yield kept
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
        text = "Changes that one transaction makes durable."
        yield _histogram("outlast_commit_batch_size", text, {(): statistics.batches})
        text = "How long a transaction takes to be durable."
        yield _histogram("outlast_commit_seconds", text, {(): statistics.seconds})


class _OfNode(Collector):
    """Asks the node when the metrics are fetched."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return self._metrics.families()


def _histogram(name: str, text: str, distributions: Mapping[Any, Distribution], labels: Sequence[str] = ()) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, distribution in distributions.items():
        edges = (*(str(bound) for bound in distribution.bounds), "+Inf")
        family.add_metric(values, list(zip(edges, accumulate(distribution.counts), strict=True)), distribution.total)
    return family
