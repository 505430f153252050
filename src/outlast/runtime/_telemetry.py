"""Configuration of telemetry.

Rule: names and defaults are those of ``temporalio.runtime``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from ._buffer import MetricBuffer
from ._logging import LoggingConfig


class OpenTelemetryMetricTemporality(Enum):
    """What an exported sum counts from."""

    CUMULATIVE = 1
    """The start of the process."""
    DELTA = 2
    """The export before."""


@dataclass(frozen=True)
class OpenTelemetryConfig:
    """Send metrics to an OpenTelemetry collector; needs ``pip install outlast[opentelemetry]``."""

    url: str
    """``http://localhost:4317`` for gRPC, ``http://localhost:4318/v1/metrics`` for HTTP."""
    headers: Mapping[str, str] | None = None
    """Headers of every export."""
    metric_periodicity: timedelta | None = None
    """Between exports; a second when None."""
    metric_temporality: OpenTelemetryMetricTemporality = OpenTelemetryMetricTemporality.CUMULATIVE
    durations_as_seconds: bool = False
    """Durations as seconds with a fraction instead of whole milliseconds."""
    http: bool = False
    """HTTP with protobuf instead of gRPC."""
    histogram_bucket_overrides: Mapping[str, Sequence[float]] | None = None
    """Upper bounds of buckets for the metrics whose names contain the key."""


@dataclass(frozen=True)
class PrometheusConfig:
    """Serve metrics for Prometheus at ``http://<bind_address>/metrics``."""

    bind_address: str
    """``host:port``; port 0 takes a free one."""
    counters_total_suffix: bool = False
    """End the names of counters with ``_total``."""
    unit_suffix: bool = False
    """End names with their unit, such as ``_seconds``."""
    durations_as_seconds: bool = False
    """Durations as seconds with a fraction instead of whole milliseconds."""
    histogram_bucket_overrides: Mapping[str, Sequence[float]] | None = None
    """Upper bounds of buckets for the metrics whose names contain the key."""


@dataclass(frozen=True)
class TelemetryConfig:
    """What is logged, and where metrics go."""

    logging: LoggingConfig | None = LoggingConfig.default
    """None leaves logging as the program has set it up; so does the default."""
    metrics: OpenTelemetryConfig | PrometheusConfig | MetricBuffer | None = None
    """None records nothing."""
    global_tags: Mapping[str, str] = field(default_factory=dict)
    """On every exported metric."""
    attach_service_name: bool = True
    """Whether metrics say ``service_name="temporal-core-sdk"``, as those of all Temporal SDKs do."""
    metric_prefix: str | None = None
    """Before the names of the SDK's own metrics; ``temporal_`` when None."""
