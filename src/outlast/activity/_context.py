"""The running activity as the functions of this package see it: one context variable.

Rule: this is the one seam between activity code and the worker (or a test environment) that runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from outlast.common import MetricMeter

from ._latch import Latch

if TYPE_CHECKING:
    from outlast.client import Client
    from outlast.converter import PayloadConverter

    from ._info import ActivityCancellationDetails, Info

current: ContextVar[Context] = ContextVar("outlast_activity")


class Signal(Protocol):
    """What an activity can look at and block for; a ``Latch`` can be awaited, too."""

    def set(self) -> None:
        """Let everybody know."""
        ...

    def is_set(self) -> bool:
        """Whether it was set."""
        ...

    def wait_sync(self, seconds: float | None) -> None:
        """Block this thread until it is set, or for so long; None for ever."""
        ...


class CompleteAsyncError(BaseException):
    """Ends an activity function whose result comes later from elsewhere."""


class Context:
    """One attempt.

    Attributes:
        info: makes or looks up the attempt's ``Info``.
        heartbeat: records a heartbeat; None while interceptors are still being made.
        shield: context manager that holds back the exception for a cancelled thread; None where none is raised.
        client: of the worker; None in plain ``def`` activities.
        is_async: whether the activity runs in the event loop.
        cancellation: why it is cancelled; None until it is.
    """

    __slots__ = (
        "_logger_details",
        "_metric_meter",
        "cancellation",
        "cancelled",
        "client",
        "heartbeat",
        "info",
        "is_async",
        "meter",
        "payload_converter",
        "shield",
        "worker_shutdown",
    )

    def __init__(
        self,
        *,
        info: Callable[[], Info],
        worker_shutdown: Signal,
        payload_converter: PayloadConverter,
        is_async: bool,
        meter: MetricMeter = MetricMeter.noop,
        client: Client | None = None,
        heartbeat: Callable[..., None] | None = None,
        shield: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> None:
        self.info = info
        self.heartbeat = heartbeat
        self.cancelled: Signal = Latch()
        self.worker_shutdown = worker_shutdown
        self.shield = shield
        self.payload_converter = payload_converter
        self.meter = meter
        self.client = client
        self.is_async = is_async
        self.cancellation: ActivityCancellationDetails | None = None
        self._logger_details: Mapping[str, Any] | None = None
        self._metric_meter: MetricMeter | None = None

    @staticmethod
    def must_current() -> Context:
        """The activity that is running.

        Raises:
            RuntimeError: none is.
        """
        context = current.get(None)
        if context is None:
            raise RuntimeError("Not in activity context")
        return context

    def cancellation_details(self) -> ActivityCancellationDetails | None:
        """Why it is cancelled; None while it is not."""
        return self.cancellation

    @property
    def logger_details(self) -> Mapping[str, Any]:
        """What the logger adds to records."""
        if self._logger_details is None:
            self._logger_details = self.info()._logger_details()
        return self._logger_details

    @property
    def metric_meter(self) -> MetricMeter:
        """The worker's meter with the attributes of this activity."""
        if self._metric_meter is None:
            info = self.info()
            self._metric_meter = self.meter.with_additional_attributes(
                {"namespace": info.namespace, "task_queue": info.task_queue, "activity_type": info.activity_type}
            )
        return self._metric_meter
