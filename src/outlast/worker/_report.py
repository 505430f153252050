"""Telling the server how a task ended, again and again while that can still matter.

Rule: a report that fails never fails the worker. "Not found" means that the server has moved on: the task timed out,
or its workflow is closed.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message

from outlast.service import RPCError, RPCStatusCode

from ._backoff import RESPOND

logger = logging.getLogger("outlast.worker")

_RETRYABLE = frozenset(
    {
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.OUT_OF_RANGE,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DATA_LOSS,
    }
)

Response = TypeVar("Response")


async def report(
    call: Callable[[Message], Awaitable[Response]], request: Message, pointless_at: Callable[[], int]
) -> Response:
    """Make the call until it succeeds or fails for good.

    Args:
        pointless_at: when to give up, monotonic ns; asked after each failure, because a shutdown brings it forward.

    Raises:
        RPCError: the last failure.
    """
    failures = 0
    while True:
        try:
            return await call(request)
        except RPCError as error:
            failures += 1
            wait = RESPOND.after(failures, random.uniform(-1, 1))
            if error.status not in _RETRYABLE or time.monotonic_ns() + wait > pointless_at():
                raise
        await asyncio.sleep(wait / 1e9)
