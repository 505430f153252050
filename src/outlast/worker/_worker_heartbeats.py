"""What a worker tells of itself now and then, so that operators see it: who it is, where it runs, how full it is.

Rule: telling is never worth an error: what fails is told again after the interval. A server that does not offer it is
not told at all.

Source: RecordWorkerHeartbeat, WorkerHeartbeat.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from outlast.api.enums.v1 import WORKER_STATUS_RUNNING
from outlast.api.worker.v1 import PluginInfo, WorkerHeartbeat, WorkerHostInfo, WorkerSlotsInfo
from outlast.api.workflowservice.v1 import RecordWorkerHeartbeatRequest
from outlast.service import RPCError
from outlast.vocab.times import duration, timestamp

from ._config import Link, Settings
from ._slot_suppliers import Pool

logger = logging.getLogger("outlast.worker")

_PROCESS: Final = str(uuid.uuid4())
"""Groups the workers of this process."""
_CALL: Final = timedelta(seconds=10)


class WorkerHeartbeats:
    """The heartbeats of one worker.

    Attributes:
        offered: whether the server takes them; known when the worker has asked for its namespace.
    """

    def __init__(
        self,
        settings: Settings,
        link: Link,
        *,
        interval: timedelta | None,
        sdk: tuple[str, str],
        slots: Mapping[str, Pool],
        cached: Callable[[], int],
        plugins: list[str],
    ) -> None:
        """Make them.

        Args:
            interval: between two of them; None for none.
            sdk: name and version.
            slots: field of WorkerHeartbeat -> the slots that it shows.
            cached: counts the runs in the cache.
            plugins: the names of the worker's plugins.
        """
        self.offered = False
        self._settings = settings
        self._link = link
        self._interval = interval
        self._sdk = sdk
        self._slots = slots
        self._cached = cached
        self._plugins = plugins
        self._started_at = time.time_ns()
        self._told_at = 0

    async def run(self) -> None:
        """Tell at once, and then again and again until it is cancelled."""
        if not self.offered or self._interval is None:
            return
        while True:
            await self._tell()
            await asyncio.sleep(self._interval.total_seconds())

    async def _tell(self) -> None:
        settings = self._settings
        request = RecordWorkerHeartbeatRequest(
            namespace=settings.namespace,
            identity=settings.identity,
            worker_heartbeat=[self.message(WORKER_STATUS_RUNNING)],
        )
        try:
            await self._link.service.record_worker_heartbeat(request, timeout=_CALL)
        except (RPCError, RuntimeError) as error:
            logger.debug("The server was not told of the worker: %s", error)

    def message(self, status: int) -> WorkerHeartbeat:
        """The worker as it is now, with a WORKER_STATUS_*."""
        settings, now = self._settings, time.time_ns()
        heartbeat = WorkerHeartbeat(
            worker_instance_key=settings.instance_key,
            worker_identity=settings.identity,
            host_info=WorkerHostInfo(
                host_name=socket.gethostname(), worker_grouping_key=_PROCESS, process_id=str(os.getpid())
            ),
            task_queue=settings.task_queue,
            sdk_name=self._sdk[0],
            sdk_version=self._sdk[1],
            start_time=timestamp(self._started_at),
            heartbeat_time=timestamp(now),
            current_sticky_cache_size=self._cached(),
            plugins=[PluginInfo(name=name) for name in self._plugins],
        )
        heartbeat.status = status
        if self._told_at:
            heartbeat.elapsed_since_last_heartbeat.CopyFrom(duration(now - self._told_at))
        self._told_at = now
        for field, slots in self._slots.items():
            getattr(heartbeat, field).CopyFrom(
                WorkerSlotsInfo(
                    current_available_slots=slots.total - slots.used,
                    current_used_slots=slots.used,
                    slot_supplier_kind=slots.kind,
                )
            )
        return heartbeat
