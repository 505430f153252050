"""Activities: the decorator, and what activity code can call.

Rule: the public names are those of ``temporalio.activity``. The functions find the running activity in a context
variable, so they work in every function that the activity calls, in ``asyncio`` tasks that it starts, and in threads
that get a copy of its context (``asyncio.to_thread`` does that).
"""

from __future__ import annotations

from ._calls import (
    cancellation_details,
    client,
    heartbeat,
    in_activity,
    info,
    is_cancelled,
    is_worker_shutdown,
    metric_meter,
    payload_converter,
    raise_complete_async,
    shield_thread_cancel_exception,
    wait_for_cancelled,
    wait_for_cancelled_sync,
    wait_for_worker_shutdown,
    wait_for_worker_shutdown_sync,
)
from ._definition import defn
from ._info import ActivityCancellationDetails, Info
from ._logger import LoggerAdapter, logger

__all__ = [
    "ActivityCancellationDetails",
    "Info",
    "LoggerAdapter",
    "cancellation_details",
    "client",
    "defn",
    "heartbeat",
    "in_activity",
    "info",
    "is_cancelled",
    "is_worker_shutdown",
    "logger",
    "metric_meter",
    "payload_converter",
    "raise_complete_async",
    "shield_thread_cancel_exception",
    "wait_for_cancelled",
    "wait_for_cancelled_sync",
    "wait_for_worker_shutdown",
    "wait_for_worker_shutdown_sync",
]
