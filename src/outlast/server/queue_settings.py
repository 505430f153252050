"""What operators set for task queues: kept in storage, applied to the queues of the node."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from outlast.api.taskqueue.v1 import TaskQueueConfig
from outlast.storage.port import Setting, Storage

Queue: TypeAlias = tuple[str, str, str]
"""Namespace id, name, kind."""

_KIND = "task queue"


class QueueSettings:
    """The configuration of each task queue that has one.

    Args:
        limit: applies a rate in tasks per second, None for no limit.
    """

    __slots__ = ("_configs", "_limit", "_storage")

    def __init__(self, storage: Storage, limit: Callable[[Queue, float | None], None]) -> None:
        self._storage = storage
        self._limit = limit
        self._configs: dict[Queue, TaskQueueConfig] = {}

    async def load(self) -> None:
        """Read and apply what is stored."""
        for namespace_id, name, data in await self._storage.settings(_KIND):
            kind, _, queue_name = name.partition("/")
            self._apply((namespace_id, queue_name, kind), TaskQueueConfig.FromString(data))

    def get(self, queue: Queue) -> TaskQueueConfig:
        """The configuration of a queue, empty when nobody has set anything."""
        return self._configs.get(queue) or TaskQueueConfig()

    async def put(self, queue: Queue, config: TaskQueueConfig) -> None:
        """Keep a configuration, then apply it; durable on return."""
        namespace_id, name, kind = queue
        await self._storage.put_setting(_KIND, Setting(namespace_id, f"{kind}/{name}", config.SerializeToString()))
        self._apply(queue, config)

    def forget_namespace(self, namespace_id: str) -> None:
        """The namespace is gone, and with it what was set there."""
        for queue in [queue for queue in self._configs if queue[0] == namespace_id]:
            del self._configs[queue]
            self._limit(queue, None)

    def _apply(self, queue: Queue, config: TaskQueueConfig) -> None:
        self._configs[queue] = config
        limit = config.queue_rate_limit
        self._limit(queue, limit.rate_limit.requests_per_second if limit.HasField("rate_limit") else None)
