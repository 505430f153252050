"""The telemetry runtime. Only the default one exists: it records no metrics and exports nothing.

Rule: the public names are those of ``temporalio.runtime``.
"""

from __future__ import annotations

from typing import Any

from outlast.common import MetricMeter


class Runtime:
    """What clients and workers record their metrics with."""

    @staticmethod
    def default() -> Runtime:
        """The runtime of clients and workers that were given none."""
        return _default

    def __init__(self, *, telemetry: Any = None) -> None:
        """Make a runtime.

        Raises:
            NotImplementedError: ``telemetry`` is given; exporters of metrics are not built.
        """
        if telemetry is not None:
            raise NotImplementedError("Runtime(telemetry=...) is not built in outlast: metrics are not exported yet")

    @property
    def metric_meter(self) -> MetricMeter:
        """The meter that user code records through; it records nothing."""
        return MetricMeter.noop


_default = Runtime()

__all__ = ["Runtime"]
