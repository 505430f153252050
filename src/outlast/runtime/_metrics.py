"""Metrics as users see them, over a recorder that keeps or sends what they record.

Rule: everything is checked here, so a recorder never sees a wrong value. Recording may happen in any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Protocol, Self

from outlast.common import (
    MetricAttributes,
    MetricCommon,
    MetricCounter,
    MetricGauge,
    MetricGaugeFloat,
    MetricHistogram,
    MetricHistogramFloat,
    MetricHistogramTimedelta,
    MetricMeter,
)


class Kind(IntEnum):
    """What is done with the values of a metric."""

    COUNTER = 0
    GAUGE = 1
    HISTOGRAM = 2


@dataclass(frozen=True)
class Instrument:
    """One metric of a runtime, whatever attributes its values have."""

    name: str
    description: str | None
    unit: str | None
    kind: Kind


Record = Callable[[int | float, MetricAttributes], None]


class Recorder(Protocol):
    """Where values go."""

    durations_as_seconds: bool

    def register(self, instrument: Instrument) -> Record:
        """The function that takes the values of a metric; asked for once per runtime and name."""
        ...


class RecordingMeter(MetricMeter):
    """A meter whose metrics record."""

    def __init__(
        self,
        recorder: Recorder,
        attributes: MetricAttributes,
        known: dict[str, tuple[Instrument, Record]] | None = None,
    ) -> None:
        """``known`` is shared by all meters of a runtime."""
        self._recorder = recorder
        self._attributes = attributes
        self._known = {} if known is None else known

    def _record(self, name: str, description: str | None, unit: str | None, kind: Kind) -> Record:
        found = self._known.get(name)
        if found is None:
            instrument = Instrument(name, description, unit, kind)
            # Two threads may register at once; the first to be kept wins for both.
            found = self._known.setdefault(name, (instrument, self._recorder.register(instrument)))
        if found[0].kind is not kind:
            raise ValueError(
                f"metric {name!r} is a {found[0].kind.name.lower()} already and cannot be a {kind.name.lower()} too:"
                " give one of them another name"
            )
        return found[1]

    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter:
        record = self._record(name, description, unit, Kind.COUNTER)
        return _Counter(name, description, unit, record, self._attributes)

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogram:
        record = self._record(name, description, unit, Kind.HISTOGRAM)
        return _Histogram(name, description, unit, record, self._attributes)

    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat:
        record = self._record(name, description, unit, Kind.HISTOGRAM)
        return _HistogramFloat(name, description, unit, record, self._attributes)

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta:
        seconds = self._recorder.durations_as_seconds
        exported = ("s" if seconds else "ms") if unit == "duration" else unit
        record = self._record(name, description, exported, Kind.HISTOGRAM)
        kind = _HistogramSeconds if seconds else _HistogramMilliseconds
        return kind(name, description, unit, record, self._attributes)

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge:
        record = self._record(name, description, unit, Kind.GAUGE)
        return _Gauge(name, description, unit, record, self._attributes)

    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat:
        record = self._record(name, description, unit, Kind.GAUGE)
        return _GaugeFloat(name, description, unit, record, self._attributes)

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        return RecordingMeter(self._recorder, merged(self._attributes, additional_attributes), self._known)


def merged(attributes: MetricAttributes, additional: MetricAttributes | None) -> MetricAttributes:
    """Both, the second over the first; the first itself when there is no second.

    Raises:
        TypeError: a name is not a str, or a value not a str, int, float or bool.
    """
    if not additional:
        return attributes
    for name, value in additional.items():
        if not isinstance(name, str):
            raise TypeError(f"Invalid attribute name {name!r}, must be str")
        if not isinstance(value, (str, int, float)):
            raise TypeError(f"Invalid value type for key {name}, must be str, int, float, or bool")
    return {**attributes, **additional}


class _Metric(MetricCommon):
    def __init__(
        self, name: str, description: str | None, unit: str | None, record: Record, attributes: MetricAttributes
    ) -> None:
        self._name = name
        self._description = description
        self._unit = unit
        self._record = record
        self._attributes: Mapping[str, str | int | float | bool] = attributes

    @property
    def name(self) -> str:
        return self._name

    @property
    def description(self) -> str | None:
        return self._description

    @property
    def unit(self) -> str | None:
        return self._unit

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        attributes = merged(self._attributes, additional_attributes)
        return type(self)(self._name, self._description, self._unit, self._record, attributes)

    def _put(self, value: int | float, additional: MetricAttributes | None) -> None:
        if value < 0:
            raise ValueError("Metric value cannot be negative")
        self._record(value, merged(self._attributes, additional))


class _Counter(_Metric, MetricCounter):
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._put(value, additional_attributes)


class _Histogram(_Metric, MetricHistogram):
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._put(value, additional_attributes)


class _HistogramFloat(_Metric, MetricHistogramFloat):
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._put(value, additional_attributes)


class _HistogramMilliseconds(_Metric, MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        self._put(value // timedelta(milliseconds=1), additional_attributes)


class _HistogramSeconds(_Metric, MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        self._put(value.total_seconds(), additional_attributes)


class _Gauge(_Metric, MetricGauge):
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._put(value, additional_attributes)


class _GaugeFloat(_Metric, MetricGaugeFloat):
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._put(value, additional_attributes)
