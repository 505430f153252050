"""A buffer of metric updates that the program empties itself.

Rule: bounded; updates that find it full are dropped, and the first of them is logged as an error.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NewType, Protocol

from outlast.common import MetricAttributes

from ._metrics import Instrument, Kind, Record

logger = logging.getLogger("outlast.runtime")

BufferedMetricKind = NewType("BufferedMetricKind", int)
"""What the values of a metric are."""

BUFFERED_METRIC_KIND_COUNTER = BufferedMetricKind(0)
"""Values are added to what was before."""
BUFFERED_METRIC_KIND_GAUGE = BufferedMetricKind(1)
"""Values replace what was before."""
BUFFERED_METRIC_KIND_HISTOGRAM = BufferedMetricKind(2)
"""Values are observations."""


class MetricBufferDurationFormat(Enum):
    """How durations are given."""

    MILLISECONDS = 1
    """As whole milliseconds."""
    SECONDS = 2
    """As seconds with a fraction."""


class BufferedMetric(Protocol):
    """A metric; one object per name and runtime."""

    @property
    def name(self) -> str:
        """Name given at creation."""
        ...

    @property
    def description(self) -> str | None:
        """Description given at creation."""
        ...

    @property
    def unit(self) -> str | None:
        """Unit; durations say "ms" or "s"."""
        ...

    @property
    def kind(self) -> BufferedMetricKind:
        """What the values are."""
        ...


class BufferedMetricUpdate(Protocol):
    """One recorded value."""

    @property
    def metric(self) -> BufferedMetric:
        """Of which metric."""
        ...

    @property
    def value(self) -> int | float:
        """For counters what was added, else the value."""
        ...

    @property
    def attributes(self) -> MetricAttributes:
        """Do not change them: updates may share them."""
        ...


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    description: str | None
    unit: str | None
    kind: BufferedMetricKind


@dataclass(frozen=True, slots=True)
class _Update:
    metric: _Metric
    value: int | float
    attributes: MetricAttributes


class MetricBuffer:
    """For the ``metrics`` of a ``TelemetryConfig``. Empty it regularly."""

    def __init__(
        self,
        buffer_size: int,
        duration_format: MetricBufferDurationFormat = MetricBufferDurationFormat.MILLISECONDS,
    ) -> None:
        """Make a buffer.

        Args:
            buffer_size: updates that fit in; tens of thousands are reasonable.
            duration_format: how durations are given.

        Raises:
            ValueError: nothing fits in.
        """
        if buffer_size < 1:
            raise ValueError(f"MetricBuffer(buffer_size={buffer_size}) holds nothing; give a large number")
        self._buffer_size = buffer_size
        self.durations_as_seconds = duration_format == MetricBufferDurationFormat.SECONDS
        self._lock = threading.Lock()
        self._updates: list[_Update] = []
        self._dropped = False
        self._used = False

    def register(self, instrument: Instrument) -> Record:
        """See ``Recorder``."""
        kind = BufferedMetricKind(Kind(instrument.kind).value)
        metric = _Metric(instrument.name, instrument.description, instrument.unit, kind)
        return lambda value, attributes: self._put(_Update(metric, value, attributes))

    def _put(self, update: _Update) -> None:
        with self._lock:
            if len(self._updates) < self._buffer_size:
                self._updates.append(update)
                return
            first, self._dropped = not self._dropped, True
        if first:
            logger.error(
                "MetricBuffer of %d updates is full: updates are dropped until retrieve_updates is called",
                self._buffer_size,
            )

    def retrieve_updates(self) -> Sequence[BufferedMetricUpdate]:
        """All updates since the last call, in order.

        Raises:
            RuntimeError: no runtime was made with this buffer.
        """
        if not self._used:
            raise RuntimeError("Attempting to retrieve updates before runtime created")
        with self._lock:
            updates, self._updates = self._updates, []
            self._dropped = False
        return updates
