"""What clients and workers record metrics with, where those go, and what is logged.

Rule: the public names are those of ``temporalio.runtime``. There is no Core behind this SDK: what is configured for it
applies to the loggers ``outlast.service`` and ``outlast.worker``, its counterparts.
"""

from __future__ import annotations

from ._buffer import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetric,
    BufferedMetricKind,
    BufferedMetricUpdate,
    MetricBuffer,
    MetricBufferDurationFormat,
)
from ._logging import LogForwardingConfig, LoggingConfig, LoggingFormat, TelemetryFilter
from ._runtime import Runtime
from ._telemetry import OpenTelemetryConfig, OpenTelemetryMetricTemporality, PrometheusConfig, TelemetryConfig

__all__ = [
    "BUFFERED_METRIC_KIND_COUNTER",
    "BUFFERED_METRIC_KIND_GAUGE",
    "BUFFERED_METRIC_KIND_HISTOGRAM",
    "BufferedMetric",
    "BufferedMetricKind",
    "BufferedMetricUpdate",
    "LogForwardingConfig",
    "LoggingConfig",
    "LoggingFormat",
    "MetricBuffer",
    "MetricBufferDurationFormat",
    "OpenTelemetryConfig",
    "OpenTelemetryMetricTemporality",
    "PrometheusConfig",
    "Runtime",
    "TelemetryConfig",
    "TelemetryFilter",
]
