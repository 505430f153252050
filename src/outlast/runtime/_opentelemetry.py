"""Metrics for an OpenTelemetry collector, by OpenTelemetry's own SDK. Imported only when configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outlast.common import MetricAttributes

from ._metrics import Instrument, Kind, Record
from ._prometheus import default_buckets
from ._telemetry import OpenTelemetryConfig, OpenTelemetryMetricTemporality

try:
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpExporter
    from opentelemetry.sdk import metrics as sdk
    from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
    from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
    from opentelemetry.sdk.resources import Resource
except ImportError as error:
    raise ImportError(
        f"TelemetryConfig(metrics=OpenTelemetryConfig(...)) needs OpenTelemetry ({error}):"
        " pip install outlast[opentelemetry]"
    ) from error

_EXPORT_MILLIS = 1000


class OpenTelemetryExporter:
    """A recorder that sends to a collector, periodically and when the process ends."""

    def __init__(self, config: OpenTelemetryConfig, global_tags: Mapping[str, str]) -> None:
        self.durations_as_seconds = config.durations_as_seconds
        delta = config.metric_temporality is OpenTelemetryMetricTemporality.DELTA
        temporality = AggregationTemporality.DELTA if delta else AggregationTemporality.CUMULATIVE
        options: dict[str, Any] = {
            "endpoint": config.url,
            "headers": dict(config.headers or {}),
            "preferred_temporality": dict.fromkeys((sdk.Counter, sdk.Histogram), temporality),
        }
        if not config.http:
            options["insecure"] = not config.url.startswith("https://")
        period = config.metric_periodicity
        reader = PeriodicExportingMetricReader(
            HttpExporter(**options) if config.http else GrpcExporter(**options),
            export_interval_millis=_EXPORT_MILLIS if period is None else period.total_seconds() * 1000,
        )
        overrides = [
            View(instrument_name=f"*{part}*", aggregation=ExplicitBucketHistogramAggregation(sorted(bounds)))
            for part, bounds in (config.histogram_bucket_overrides or {}).items()
        ]
        usual = View(
            instrument_type=sdk.Histogram,
            aggregation=ExplicitBucketHistogramAggregation(default_buckets(config.durations_as_seconds)),
        )
        # Every view that fits makes a stream of its own, so with overrides the other metrics have OpenTelemetry's
        # own buckets.
        views = overrides or [usual]
        self._provider = sdk.MeterProvider(metric_readers=[reader], resource=Resource(dict(global_tags)), views=views)
        self._meter = self._provider.get_meter("outlast")

    def register(self, instrument: Instrument) -> Record:
        """See ``Recorder``."""
        make = {
            Kind.COUNTER: self._meter.create_counter,
            Kind.GAUGE: self._meter.create_gauge,
            Kind.HISTOGRAM: self._meter.create_histogram,
        }[instrument.kind]
        made: Any = make(instrument.name, unit=instrument.unit or "", description=instrument.description or "")
        put = {Kind.COUNTER: "add", Kind.GAUGE: "set", Kind.HISTOGRAM: "record"}[instrument.kind]
        call = getattr(made, put)

        def record(value: int | float, attributes: MetricAttributes) -> None:
            call(value, dict(attributes))

        return record

    def close(self) -> None:
        """Send what is left, and nothing afterwards."""
        self._provider.shutdown()
