"""Timers: every ``call_later`` of a workflow is a StartTimer command.

    commanded --TimerStarted--> running --TimerFired--> closed
        |                          |
      cancel                     cancel (CancelTimer)
        v                          v
    withdrawn                  cancelling --TimerCanceled--> closed

Rule: a timer started and cancelled in one workflow task sends nothing. Code learns of its own cancel at once; the
server's events only confirm it. Timer ids are 1, 2, 3 ... of the run's timers.

Source: sdk-core ``timer_state_machine.rs``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import CancelTimerCommandAttributes, Command, StartTimerCommandAttributes
from outlast.api.protobuf import Duration
from outlast.api.sdk.v1 import EventGroupMarker, UserMetadata
from outlast.workflow._event_groups import capture_markers

from .machine import CANCEL, COMMANDED, WITHDRAWN, Machine, Table
from .nondeterminism import Nondeterminism

if TYPE_CHECKING:
    from outlast.api.history.v1 import HistoryEvent

    from .context import RunContext

_Options = tuple[UserMetadata | None, Sequence[EventGroupMarker]]


class Timer(Machine):
    """One timer."""

    __slots__ = ("handle", "id", "markers", "timers")

    def __init__(
        self, timers: Timers, timer_id: str, handle: asyncio.TimerHandle, markers: Sequence[EventGroupMarker]
    ) -> None:
        super().__init__()
        self.timers, self.id, self.handle, self.markers = timers, timer_id, handle, markers

    def described(self) -> str:
        return f"timer {self.id!r}"

    def _started(self, event: HistoryEvent) -> None:
        recorded = event.timer_started_event_attributes.timer_id
        if recorded != self.id:
            raise Nondeterminism("the code started another timer than the recorded one", event=event)

    def _fired(self, event: HistoryEvent) -> None:
        self.timers.context.call_later(self._fire)

    def _fire(self) -> None:
        # A signal of the same activation may have cancelled it.
        if self.timers.running.pop(self.handle, None) is not None:
            self.timers.context.loop.fire(self.handle)

    def _send_cancel(self, _: Any) -> None:
        attributes = CancelTimerCommandAttributes(timer_id=self.id)
        command = Command(
            command_type=e.COMMAND_TYPE_CANCEL_TIMER,
            cancel_timer_command_attributes=attributes,
            event_group_markers=self.markers,
        )
        self.timers.context.ledger.issue(command, e.EVENT_TYPE_TIMER_CANCELED, self)

    def _canceled(self, event: HistoryEvent) -> None:
        recorded = event.timer_canceled_event_attributes.timer_id
        if recorded != self.id:
            raise Nondeterminism("the code cancelled another timer than the recorded one", event=event)

    TABLE: ClassVar[Table] = {
        (COMMANDED, e.EVENT_TYPE_TIMER_STARTED): ("running", _started),
        (COMMANDED, CANCEL): (WITHDRAWN, None),
        ("running", e.EVENT_TYPE_TIMER_FIRED): ("closed", _fired),
        ("running", CANCEL): ("cancelling", _send_cancel),
        ("cancelling", e.EVENT_TYPE_TIMER_CANCELED): ("closed", _canceled),
    }


class Timers:
    """The timers of one run.

    Attributes:
        running: timers that have neither fired nor been cancelled, as far as the code knows.
        next_options: metadata and markers of the timer that the call under way is about to start.
    """

    __slots__ = ("context", "next_options", "running")

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.running: dict[asyncio.TimerHandle, Timer] = {}
        self.next_options: _Options | None = None

    def start(self, handle: asyncio.TimerHandle, delay: float) -> None:
        """Send StartTimer for a handle that the loop has made; ``delay`` in seconds.

        Raises:
            RuntimeError: the delay is negative.
        """
        self.context.require_writable("schedule timer")
        if delay < 0:
            raise RuntimeError("Attempting to schedule timer with negative delay")
        metadata, markers = self.next_options or (None, capture_markers(None))
        self.next_options = None
        timer_id = str(self.context.ledger.next_seq("timer"))
        timer = self.running[handle] = Timer(self, timer_id, handle, markers)
        nanos = int(delay * 1e9)
        command = Command(
            command_type=e.COMMAND_TYPE_START_TIMER,
            user_metadata=metadata,
            event_group_markers=markers,
            start_timer_command_attributes=StartTimerCommandAttributes(
                timer_id=timer_id,
                start_to_fire_timeout=Duration(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000),
            ),
        )
        self.context.ledger.issue(command, e.EVENT_TYPE_TIMER_STARTED, timer)

    def cancel(self, handle: asyncio.TimerHandle) -> None:
        """Workflow code cancels a handle; one that has fired, or was cancelled before, is left alone."""
        if self.context.mode.evicting:
            return
        timer = self.running.pop(handle, None)
        if timer is not None:
            timer.on_cancel()

    async def sleep(self, seconds: float, summary: str | None, markers: Sequence[EventGroupMarker]) -> None:
        """Wait for a timer of its own; cancelling the wait cancels the timer."""
        loop = self.context.loop
        future: asyncio.Future[None] = loop.create_future()
        self.next_options = self._options(summary, markers)
        try:
            handle = loop.call_later(seconds, _resolve, future)
        finally:
            self.next_options = None
        future.add_done_callback(lambda done: handle.cancel() if done.cancelled() else None)
        await future

    async def wait_for(
        self,
        future: asyncio.Future[Any],
        timeout: float | None,
        summary: str | None,
        markers: Sequence[EventGroupMarker],
    ) -> None:
        """``asyncio.wait_for`` with a summary for its timer."""
        self.next_options = self._options(summary, markers)
        try:
            await asyncio.wait_for(future, timeout)
        finally:
            # No timer was started (none was wanted, or the timeout was not positive): let no other one have these.
            self.next_options = None

    def _options(self, summary: str | None, markers: Sequence[EventGroupMarker]) -> _Options:
        metadata = UserMetadata(summary=self.context.converters.payload.to_payload(summary)) if summary else None
        return metadata, markers


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
