"""Plain ``def`` activities in other processes: what is sent there, and what they see there.

Rule: the process is told of a cancellation by events, one for each reason, and interrupted by nothing.
"""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from outlast.activity import ActivityCancellationDetails, Info
from outlast.activity._context import Context, current
from outlast.activity._definition import Definition
from outlast.converter import PayloadConverter

from ._shared_state import SharedHeartbeatSender, SharedStateManager

REASONS = tuple(field.name for field in fields(ActivityCancellationDetails))


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes to the process.

    Attributes:
        reasons: events by field of ``ActivityCancellationDetails``, set before ``cancelled``.
        payload_converter: makes the converter.
    """

    fn: Callable[..., Any]
    args: Sequence[Any]
    info: Info
    sender: SharedHeartbeatSender
    cancelled: threading.Event
    reasons: Mapping[str, threading.Event]
    worker_shutdown: threading.Event
    payload_converter: type[PayloadConverter]


class ProcessSignals:
    """The worker's end of one attempt's events."""

    __slots__ = ("cancelled", "reasons")

    def __init__(self, manager: SharedStateManager) -> None:
        self.cancelled = manager.new_event()
        self.reasons = {name: manager.new_event() for name in REASONS}

    def cancel(self, details: ActivityCancellationDetails) -> None:
        """Tell the process. Blocks for a moment, so call it in a thread."""
        for name, event in self.reasons.items():
            if getattr(details, name):
                event.set()
        self.cancelled.set()


class Processes:
    """The worker's end of what all its activities in processes share.

    Attributes:
        manager: the user's.
    """

    __slots__ = ("_shutdown", "_stopping", "manager")

    def __init__(self, manager: SharedStateManager) -> None:
        self.manager = manager
        self._shutdown: threading.Event | None = None
        self._stopping = False

    async def shutdown_event(self) -> threading.Event:
        """Set when the worker is told to stop."""
        if self._shutdown is None:
            event = await asyncio.to_thread(self.manager.new_event)
            self._shutdown = self._shutdown or event
            if self._stopping:
                await asyncio.to_thread(self._shutdown.set)
        return self._shutdown

    async def stop(self) -> None:
        """The worker was told to stop."""
        self._stopping = True
        if self._shutdown is not None:
            await asyncio.to_thread(self._shutdown.set)


class SharedLatch:
    """A latch that another process sets: for threads, and without an event loop."""

    __slots__ = ("_event",)

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def set(self) -> None:
        """Let everybody know, in whatever process."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._event.is_set()

    def wait_sync(self, seconds: float | None) -> None:
        """Block this thread until it is set, or for so long; None for ever."""
        self._event.wait(seconds)


class ProcessContext(Context):
    """The running activity in its own process."""

    __slots__ = ("_reasons",)

    def __init__(self, parcel: Parcel) -> None:
        token, sender = parcel.info.task_token, parcel.sender
        super().__init__(
            info=lambda: parcel.info,
            worker_shutdown=SharedLatch(parcel.worker_shutdown),
            payload_converter=parcel.payload_converter(),
            is_async=False,
            heartbeat=lambda *details: sender.send_heartbeat(token, *details),
        )
        self.cancelled = SharedLatch(parcel.cancelled)
        self._reasons = parcel.reasons

    def cancellation_details(self) -> ActivityCancellationDetails | None:
        if not self.cancelled.is_set():
            return None
        return ActivityCancellationDetails(**{name: event.is_set() for name, event in self._reasons.items()})


def run(parcel: Parcel) -> Any:
    """Call the activity function, in its process."""
    token = current.set(ProcessContext(parcel))
    try:
        return parcel.fn(*parcel.args)
    finally:
        current.reset(token)


def require_picklable(definition: Definition) -> None:
    """Refuse an activity that cannot be sent to a process.

    Raises:
        TypeError: it cannot be pickled.
    """
    try:
        pickle.dumps(definition.fn)
    except Exception as error:
        raise TypeError(
            f"Activity {definition.name} cannot be pickled, so it cannot run in another process ({error}); define its "
            "function at the top of a module, or let it run in threads"
        ) from error
