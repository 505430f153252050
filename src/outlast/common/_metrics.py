"""The metric interfaces that user code records through, and the meter that records nothing.

Rule: abstract here; ``outlast.runtime`` and the worker bring the ones that count.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Self, TypeAlias

MetricAttributes: TypeAlias = Mapping[str, str | int | float | bool]


class MetricMeter(ABC):
    """Makes metrics. Names, descriptions and units go to the exporter as given."""

    noop: ClassVar[MetricMeter]
    """The meter whose metrics record nothing."""

    @abstractmethod
    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter:
        """A sum that only grows."""

    @abstractmethod
    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogram:
        """A distribution of integers."""

    @abstractmethod
    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat:
        """A distribution of floats."""

    @abstractmethod
    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta:
        """A distribution of durations, in whole milliseconds; the unit "duration" is exported as "ms" or "s"."""

    @abstractmethod
    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge:
        """The latest of a series of integers."""

    @abstractmethod
    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat:
        """The latest of a series of floats."""

    @abstractmethod
    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        """A meter whose metrics carry these attributes too.

        Raises:
            TypeError: a value is not a str, int, float or bool.
        """


class MetricCommon(ABC):
    """What all metrics have."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name given at creation."""

    @property
    @abstractmethod
    def description(self) -> str | None:
        """Description given at creation."""

    @property
    @abstractmethod
    def unit(self) -> str | None:
        """Unit given at creation."""

    @abstractmethod
    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        """The same metric with these attributes on every record.

        Raises:
            TypeError: a value is not a str, int, float or bool.
        """


class MetricCounter(MetricCommon):
    """A sum that only grows."""

    @abstractmethod
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        """Add to the sum.

        Raises:
            ValueError: the value is negative.
            TypeError: an attribute has a value of another type.
        """


class MetricHistogram(MetricCommon):
    """A distribution of integers."""

    @abstractmethod
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        """Record one observation.

        Raises:
            ValueError: the value is negative.
            TypeError: an attribute has a value of another type.
        """


class MetricHistogramFloat(MetricCommon):
    """A distribution of floats."""

    @abstractmethod
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        """Record one observation.

        Raises:
            ValueError: the value is negative.
            TypeError: an attribute has a value of another type.
        """


class MetricHistogramTimedelta(MetricCommon):
    """A distribution of durations."""

    @abstractmethod
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        """Record one observation, rounded to milliseconds.

        Raises:
            ValueError: the value is negative.
            TypeError: an attribute has a value of another type.
        """


class MetricGauge(MetricCommon):
    """The latest of a series of integers."""

    @abstractmethod
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        """Replace the value.

        Raises:
            ValueError: the value is negative.
            TypeError: an attribute has a value of another type.
        """


class MetricGaugeFloat(MetricCommon):
    """The latest of a series of floats."""

    @abstractmethod
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        """Replace the value.

        Raises:
            ValueError: the value is negative.
            TypeError: an attribute has a value of another type.
        """


class _NoopMetricMeter(MetricMeter):
    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter:
        return _NoopMetricCounter(name, description, unit)

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogram:
        return _NoopMetricHistogram(name, description, unit)

    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat:
        return _NoopMetricHistogramFloat(name, description, unit)

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta:
        return _NoopMetricHistogramTimedelta(name, description, unit)

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge:
        return _NoopMetricGauge(name, description, unit)

    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat:
        return _NoopMetricGaugeFloat(name, description, unit)

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        return self


class _NoopMetric(MetricCommon):
    def __init__(self, name: str, description: str | None, unit: str | None) -> None:
        self._name = name
        self._description = description
        self._unit = unit

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
        return self


class _NoopMetricCounter(_NoopMetric, MetricCounter):
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopMetricHistogram(_NoopMetric, MetricHistogram):
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopMetricHistogramFloat(_NoopMetric, MetricHistogramFloat):
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopMetricHistogramTimedelta(_NoopMetric, MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopMetricGauge(_NoopMetric, MetricGauge):
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopMetricGaugeFloat(_NoopMetric, MetricGaugeFloat):
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        pass


MetricMeter.noop = _NoopMetricMeter()
