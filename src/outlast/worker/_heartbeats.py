"""The heartbeats of one attempt: throttled, sent one at a time, and their answers read.

Rule: the newest details are what counts; older ones that were not sent yet are dropped. What is left over is sent
before the attempt ends. Everything here runs in the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from outlast.activity import ActivityCancellationDetails
from outlast.api.common.v1 import Payload, Payloads
from outlast.api.workflowservice.v1 import RecordActivityTaskHeartbeatRequest, RecordActivityTaskHeartbeatResponse
from outlast.converter import PayloadCodec
from outlast.service import RPCError, RPCStatusCode

from ._config import Link
from ._heartbeat_throttle import Throttle

logger = logging.getLogger("outlast.worker")


class Heartbeats:
    """Sends the heartbeats of one attempt.

    Args:
        cancel: called with the reason when an answer asks the attempt to stop.
    """

    __slots__ = (
        "_cancel",
        "_closed",
        "_codec",
        "_link",
        "_pending",
        "_request",
        "_sending",
        "_throttle",
        "_timer",
        "last",
    )

    def __init__(
        self,
        link: Link,
        request: RecordActivityTaskHeartbeatRequest,
        throttle: Throttle,
        codec: PayloadCodec | None,
        cancel: Callable[[ActivityCancellationDetails], None],
    ) -> None:
        self._link = link
        self._request = request
        self._throttle = throttle
        self._codec = codec
        self._cancel = cancel
        self._pending: Sequence[Payload] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.last: Sequence[Payload] | None = None
        """The newest details, sent or not; None before the first heartbeat."""

    def record(self, details: Sequence[Payload]) -> None:
        """Take a heartbeat; sends it now or later."""
        if self._closed:
            return
        self.last = self._pending = details
        if self._timer is None and self._sending is None:
            self._send_when_due()

    def _send_when_due(self) -> None:
        wait = self._throttle.wait(time.monotonic_ns())
        if wait:
            self._timer = asyncio.get_running_loop().call_later(wait / 1e9, self._on_timer)
        else:
            self._on_timer()

    def _on_timer(self) -> None:
        self._timer = None
        self._sending = asyncio.get_running_loop().create_task(self._send())

    async def stop(self) -> None:
        """Take no more heartbeats, and wait for the one that is being sent."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is not None:
            await asyncio.wait((self._sending,))

    async def flush(self) -> None:
        """``stop``, and send what was not sent yet."""
        await self.stop()
        if self._pending is not None:
            await self._send()

    async def encoded_last(self) -> Payloads | None:
        """The newest details for a failure report; None when there were none."""
        return None if self.last is None else Payloads(payloads=await self._encoded(self.last))

    async def _encoded(self, details: Sequence[Payload]) -> Sequence[Payload]:
        return await self._codec.encode(details) if self._codec is not None and details else details

    async def _send(self) -> None:
        details, self._pending = self._pending, None
        assert details is not None
        self._throttle.sent(time.monotonic_ns())
        reason = None
        try:
            request = RecordActivityTaskHeartbeatRequest()
            request.CopyFrom(self._request)
            request.details.payloads.extend(await self._encoded(details))
            reason = _reason(await self._link.service.record_activity_task_heartbeat(request, retry=True))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                reason = ActivityCancellationDetails(not_found=True)
            else:
                logger.warning("A heartbeat was not taken: %s: %s", error.status.name, error.message)
                if self._pending is None:
                    self._pending = details
        except Exception:
            logger.exception("A heartbeat could not be encoded, and was not sent")
        self._sending = None
        if reason is not None:
            self._cancel(reason)
        elif self._pending is not None and not self._closed:
            self._send_when_due()


def _reason(answer: RecordActivityTaskHeartbeatResponse) -> ActivityCancellationDetails | None:
    """Why the attempt is to stop; None when it is not."""
    if not (answer.cancel_requested or answer.activity_paused or answer.activity_reset):
        return None
    return ActivityCancellationDetails(
        cancel_requested=answer.cancel_requested, paused=answer.activity_paused, reset=answer.activity_reset
    )
