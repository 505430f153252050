"""Metrics for Prometheus to fetch: aggregated here, written as text, served over HTTP in a thread.

Rule: the text is what Temporal's SDKs write: counters have no ``_total`` unless asked for, which is why the usual
library, that always adds it, is not used. Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from outlast.common import MetricAttributes

from ._metrics import Instrument, Kind, Record

_CONTENT = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_MS = (50.0, 100.0, 500.0, 1000.0, 2500.0, 10000.0)
"""Source: the default of Temporal's SDKs, in milliseconds."""
_UNITS = {"s": "seconds", "ms": "milliseconds", "bytes": "bytes"}
_TYPES = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.HISTOGRAM: "histogram"}
_Labels = tuple[tuple[str, str], ...]


def default_buckets(seconds: bool) -> Sequence[float]:
    """Upper bounds for metrics that nobody gave any."""
    return [bound / 1000 for bound in _BUCKETS_MS] if seconds else _BUCKETS_MS


class _Family:
    """One metric with its values by labels; a histogram keeps counts per bucket and the sum."""

    def __init__(self, name: str, instrument: Instrument, bounds: Sequence[float]) -> None:
        self.name = name
        self.instrument = instrument
        self.bounds = bounds
        self.values: dict[_Labels, int | float] = {}
        self.counts: dict[_Labels, list[int]] = {}

    def put(self, value: int | float, labels: _Labels) -> None:
        if self.instrument.kind is Kind.GAUGE:
            self.values[labels] = value
            return
        self.values[labels] = self.values.get(labels, 0) + value
        if self.instrument.kind is Kind.HISTOGRAM:
            counts = self.counts.setdefault(labels, [0] * (len(self.bounds) + 1))
            counts[bisect_left(self.bounds, value)] += 1

    def lines(self) -> list[str]:
        name = self.name
        text = (self.instrument.description or name).replace("\\", "\\\\").replace("\n", "\\n")
        lines = [f"# HELP {name} {text}", f"# TYPE {name} {_TYPES[self.instrument.kind]}"]
        for labels, value in self.values.items():
            if self.instrument.kind is not Kind.HISTOGRAM:
                lines.append(f"{name}{_written(labels)} {value}")
                continue
            seen = 0
            for bound, count in zip((*self.bounds, "+Inf"), self.counts[labels], strict=True):
                seen += count
                edge = bound if isinstance(bound, str) else f"{bound:g}"
                lines.append(f"{name}_bucket{_written((*labels, ('le', edge)))} {seen}")
            lines += [f"{name}_sum{_written(labels)} {value}", f"{name}_count{_written(labels)} {seen}"]
        return lines


class PrometheusExporter:
    """A recorder that answers ``GET /metrics``. Parameters as in ``PrometheusConfig``."""

    def __init__(
        self,
        bind_address: str,
        *,
        counters_total_suffix: bool,
        unit_suffix: bool,
        durations_as_seconds: bool,
        bucket_overrides: Mapping[str, Sequence[float]],
        global_tags: Mapping[str, str],
    ) -> None:
        self.durations_as_seconds = durations_as_seconds
        self._total = counters_total_suffix
        self._unit = unit_suffix
        self._overrides = bucket_overrides
        self._tags = tuple((_name(key), value) for key, value in global_tags.items())
        self._families: dict[str, _Family] = {}
        self._lock = threading.Lock()
        self._server = _serve(bind_address, self)
        self.address = f"{bind_address.rpartition(':')[0]}:{self._server.server_port}"
        """Where it listens, with the port that was free when 0 was given."""

    def register(self, instrument: Instrument) -> Record:
        """See ``Recorder``."""
        name = _name(instrument.name)
        if self._unit and instrument.unit in _UNITS:
            name = f"{name}_{_UNITS[instrument.unit]}"
        if self._total and instrument.kind is Kind.COUNTER:
            name = f"{name}_total"
        with self._lock:
            family = self._families.setdefault(name, _Family(name, instrument, self._bounds(instrument)))

        def record(value: int | float, attributes: MetricAttributes) -> None:
            labels = tuple(sorted((_name(key), _label(item)) for key, item in attributes.items())) + self._tags
            with self._lock:
                family.put(value, labels)

        return record

    def _bounds(self, instrument: Instrument) -> Sequence[float]:
        for part, bounds in self._overrides.items():
            if part in instrument.name:
                return sorted(bounds)
        return default_buckets(self.durations_as_seconds)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def text(self) -> str:
        """All metrics that have a value."""
        with self._lock:
            used = sorted(name for name, family in self._families.items() if family.values)
            lines = [line for name in used for line in self._families[name].lines()]
        return "".join(f"{line}\n" for line in lines)


def _serve(bind_address: str, exporter: PrometheusExporter) -> ThreadingHTTPServer:
    """Serve until the process ends or the server is shut down."""
    host, _, port = bind_address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(
            f"Invalid Prometheus address {bind_address!r}: write host:port, such as 127.0.0.1:9090 or 0.0.0.0:9090"
        )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.partition("?")[0] == "/metrics"
            body = exporter.text().encode() if found else b"Not Found"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", _CONTENT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a scrape every few seconds is no news."""

    try:
        server = ThreadingHTTPServer((host.strip("[]"), int(port)), Handler)
    except OSError as error:
        raise ValueError(f"Prometheus address {bind_address!r} cannot be bound: {error}") from error
    threading.Thread(target=server.serve_forever, name="outlast-prometheus", daemon=True).start()
    return server


def _name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_:]", "_", name)


def _label(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written(labels: _Labels) -> str:
    if not labels:
        return ""
    escaped = ((key, text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for key, text in labels)
    return "{" + ",".join(f'{key}="{text}"' for key, text in escaped) + "}"
