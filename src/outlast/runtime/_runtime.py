"""The runtime: the meter of a configuration, and which runtime is the default one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from outlast.common import MetricCounter, MetricGauge, MetricHistogramTimedelta, MetricMeter

from . import _logging
from ._buffer import MetricBuffer
from ._metrics import Recorder, RecordingMeter
from ._prometheus import PrometheusExporter
from ._telemetry import OpenTelemetryConfig, PrometheusConfig, TelemetryConfig

_HEARTBEAT_MIN, _HEARTBEAT_MAX = timedelta(seconds=1), timedelta(seconds=60)
_SERVICE_NAME = {"service_name": "temporal-core-sdk"}


@dataclass
class _Default:
    runtime: Runtime | None = None
    prevented: bool = False


_default = _Default()


class Runtime:
    """What clients and workers record their metrics with. Give it to ``Client.connect``, or make it the default."""

    @classmethod
    def default(cls) -> Runtime:
        """The runtime of clients that were given none; made when first asked for.

        Raises:
            RuntimeError: ``prevent_default`` was called, and no default set.
        """
        if _default.runtime is None:
            if _default.prevented:
                raise RuntimeError("Cannot create default Runtime after Runtime.prevent_default has been called")
            _default.runtime = Runtime(telemetry=TelemetryConfig())
        return _default.runtime

    @classmethod
    def prevent_default(cls) -> None:
        """Never make a default runtime by itself.

        Raises:
            RuntimeError: there is one already.
        """
        if _default.runtime is not None:
            raise RuntimeError("Runtime.prevent_default called after default runtime has been created or set")
        _default.prevented = True

    @staticmethod
    def set_default(runtime: Runtime, *, error_if_already_set: bool = True) -> None:
        """Make a runtime the default one. Clients that exist keep theirs.

        Raises:
            RuntimeError: there is one already, and that is an error.
        """
        if _default.runtime is not None and error_if_already_set:
            raise RuntimeError("Runtime default already set")
        _default.runtime = runtime

    def __init__(
        self,
        *,
        telemetry: TelemetryConfig,
        worker_heartbeat_interval: timedelta | None = timedelta(seconds=60),
        disable_environment_info: bool = False,
    ) -> None:
        """Make a runtime.

        Args:
            telemetry: logging and metrics.
            worker_heartbeat_interval: between heartbeats, by which a worker shows itself to operators; None for none.
            disable_environment_info: leave out of those heartbeats where the worker runs; ours never tell it.

        Raises:
            ValueError: an address, a filter or an interval is impossible.
            ImportError: OpenTelemetry is asked for and not installed.
        """
        if worker_heartbeat_interval is not None:
            if worker_heartbeat_interval <= timedelta(0):
                raise ValueError("worker_heartbeat_interval must be positive")
            if not _HEARTBEAT_MIN <= worker_heartbeat_interval <= _HEARTBEAT_MAX:
                seconds = worker_heartbeat_interval.total_seconds()
                raise ValueError(
                    f"Invalid runtime options: heartbeat_interval ({seconds:g}s) must be between 1s and 60s"
                )
        self._worker_heartbeat_interval = worker_heartbeat_interval
        self._environment_info = not disable_environment_info
        _logging.apply(telemetry.logging)
        self._recorder = _recorder(telemetry)
        prefix = telemetry.metric_prefix
        self._metric_prefix = "temporal_" if prefix is None else prefix
        self._metric_meter = MetricMeter.noop
        if self._recorder is not None:
            self._metric_meter = RecordingMeter(self._recorder, _SERVICE_NAME if telemetry.attach_service_name else {})

    @property
    def worker_heartbeat_interval(self) -> timedelta | None:
        """The time between the heartbeats of a worker; None for none. Beyond Temporal's interface."""
        return self._worker_heartbeat_interval

    @property
    def metric_meter(self) -> MetricMeter:
        """The meter that user code records through; records nothing without ``metrics`` in the configuration."""
        return self._metric_meter

    def sdk_meter(self) -> SdkMeter | None:
        """The meter of the SDK's own metrics; None when nothing is recorded, so that callers need not try."""
        if self._recorder is None:
            return None
        return SdkMeter(self._metric_meter, self._metric_prefix)


class SdkMeter:
    """Makes the SDK's own metrics: each name once, with the prefix of the runtime."""

    def __init__(self, meter: MetricMeter, prefix: str) -> None:
        self._meter = meter
        self._prefix = prefix

    @cache  # noqa: B019 - as many names as the SDK has, and the meter lives as long as its connection
    def counter(self, name: str) -> MetricCounter:
        """The counter of this name."""
        return self._meter.create_counter(self._prefix + name)

    @cache  # noqa: B019
    def gauge(self, name: str) -> MetricGauge:
        """The gauge of this name."""
        return self._meter.create_gauge(self._prefix + name)

    @cache  # noqa: B019
    def latency(self, name: str) -> MetricHistogramTimedelta:
        """The histogram of durations of this name."""
        return self._meter.create_histogram_timedelta(self._prefix + name, unit="duration")


def _recorder(telemetry: TelemetryConfig) -> Recorder | None:
    metrics = telemetry.metrics
    if metrics is None:
        return None
    if isinstance(metrics, MetricBuffer):
        metrics._used = True
        return metrics
    if isinstance(metrics, PrometheusConfig):
        return PrometheusExporter(
            metrics.bind_address,
            counters_total_suffix=metrics.counters_total_suffix,
            unit_suffix=metrics.unit_suffix,
            durations_as_seconds=metrics.durations_as_seconds,
            bucket_overrides=metrics.histogram_bucket_overrides or {},
            global_tags=telemetry.global_tags,
        )
    assert isinstance(metrics, OpenTelemetryConfig)
    from ._opentelemetry import OpenTelemetryExporter

    return OpenTelemetryExporter(metrics, telemetry.global_tags)
