"""A metric meter that records nothing while the workflow replays, so that each value counts once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, Self, TypeVar

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

_M = TypeVar("_M", bound=MetricCommon)
_IsReplaying = Callable[[], bool]


class ReplaySafeMeter(MetricMeter):
    """Wraps a meter; its metrics ask before they record."""

    def __init__(self, meter: MetricMeter, is_replaying: _IsReplaying) -> None:
        self._meter, self._is_replaying = meter, is_replaying

    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter:
        return _Counter(self._meter.create_counter(name, description, unit), self._is_replaying)

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogram:
        return _Histogram(self._meter.create_histogram(name, description, unit), self._is_replaying)

    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat:
        return _HistogramFloat(self._meter.create_histogram_float(name, description, unit), self._is_replaying)

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta:
        return _HistogramTimedelta(self._meter.create_histogram_timedelta(name, description, unit), self._is_replaying)

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge:
        return _Gauge(self._meter.create_gauge(name, description, unit), self._is_replaying)

    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat:
        return _GaugeFloat(self._meter.create_gauge_float(name, description, unit), self._is_replaying)

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        return ReplaySafeMeter(self._meter.with_additional_attributes(additional_attributes), self._is_replaying)


class _Metric(MetricCommon, Generic[_M]):
    def __init__(self, metric: _M, is_replaying: _IsReplaying) -> None:
        self._metric, self._is_replaying = metric, is_replaying

    @property
    def name(self) -> str:
        return self._metric.name

    @property
    def description(self) -> str | None:
        return self._metric.description

    @property
    def unit(self) -> str | None:
        return self._metric.unit

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        metric: Any = self._metric.with_additional_attributes(additional_attributes)
        return type(self)(metric, self._is_replaying)


class _Counter(_Metric[MetricCounter], MetricCounter):
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        if not self._is_replaying():
            self._metric.add(value, additional_attributes)


class _Histogram(_Metric[MetricHistogram], MetricHistogram):
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        if not self._is_replaying():
            self._metric.record(value, additional_attributes)


class _HistogramFloat(_Metric[MetricHistogramFloat], MetricHistogramFloat):
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        if not self._is_replaying():
            self._metric.record(value, additional_attributes)


class _HistogramTimedelta(_Metric[MetricHistogramTimedelta], MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        if not self._is_replaying():
            self._metric.record(value, additional_attributes)


class _Gauge(_Metric[MetricGauge], MetricGauge):
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        if not self._is_replaying():
            self._metric.set(value, additional_attributes)


class _GaugeFloat(_Metric[MetricGaugeFloat], MetricGaugeFloat):
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        if not self._is_replaying():
            self._metric.set(value, additional_attributes)
