"""Where metrics go: the text for Prometheus is Temporal's to the byte, a collector gets OTLP, a buffer updates."""

from __future__ import annotations

import http.server
import queue
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import temporalio.runtime as theirs
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

import outlast.runtime as ours
from outlast import activity, workflow
from outlast.client import Client
from outlast.runtime import (
    MetricBuffer,
    MetricBufferDurationFormat,
    OpenTelemetryConfig,
    OpenTelemetryMetricTemporality,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
)
from outlast.service import RPCError
from outlast.worker import Worker


def record(meter: Any) -> None:
    counter = meter.create_counter("my-counter", "desc", "ops")
    counter.add(3)
    counter.add(2, {"a": 'b"\\', "n": 1, "f": 1.5, "t": True})
    meter.create_histogram("sizes", "how\nlarge", "bytes").record(7)
    meter.create_histogram_float("ratio").record(0.25)
    took = meter.create_histogram_timedelta("took", "how long", "duration")
    took.record(timedelta(milliseconds=1500))
    took.record(timedelta(milliseconds=2500), {"a": "x"})
    meter.create_gauge("depth", "d", "u").set(4)
    meter.create_gauge("depth", "d", "u").set(9)
    meter.create_gauge_float("load").set(4.5)
    meter.with_additional_attributes({"w": "x"}).create_counter("c2").with_additional_attributes({"y": "z"}).add(1)


def scraped(sdk: Any, telemetry: dict[str, Any], **options: Any) -> str:
    """What a scrape answers; the port is free because the exporter of ours says which one it took."""
    first = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig("127.0.0.1:0")))
    address = first._recorder.address  # type: ignore[union-attr]
    if sdk is theirs:
        first._recorder.close()  # type: ignore[union-attr]
    else:
        address = "127.0.0.1:0"
    runtime = sdk.Runtime(telemetry=sdk.TelemetryConfig(metrics=sdk.PrometheusConfig(address, **options), **telemetry))
    if sdk is ours:
        address = runtime._recorder.address
    record(runtime.metric_meter)
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return str(answer.read().decode()).rstrip("\n")


@pytest.mark.parametrize(
    ("telemetry", "options"),
    [
        ({}, {}),
        (
            {"global_tags": {"g": "1"}, "attach_service_name": False, "metric_prefix": "x_"},
            {"counters_total_suffix": True, "unit_suffix": True, "durations_as_seconds": True},
        ),
        ({}, {"histogram_bucket_overrides": {"size": [1, 2.5, 9]}, "unit_suffix": True}),
    ],
)
def test_prometheus_text_is_temporals(telemetry: dict[str, Any], options: dict[str, Any]) -> None:
    assert scraped(ours, telemetry, **options) == scraped(theirs, telemetry, **options)


def test_prometheus_address_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="Invalid Prometheus address 'here': write host:port"):
        Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig("here")))
    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig("127.0.0.1:0")))
    with pytest.raises(ValueError, match="cannot be bound"):
        Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(runtime._recorder.address)))  # type: ignore[union-attr]


@pytest.mark.parametrize("format", ["MILLISECONDS", "SECONDS"])
def test_buffer_as_temporals(format: str) -> None:
    def updates(sdk: Any) -> list[tuple[Any, ...]]:
        buffer = sdk.MetricBuffer(100, sdk.MetricBufferDurationFormat[format])
        with pytest.raises(RuntimeError, match="before runtime created"):
            buffer.retrieve_updates()
        record(sdk.Runtime(telemetry=sdk.TelemetryConfig(metrics=buffer, global_tags={"g": "1"})).metric_meter)
        found = buffer.retrieve_updates()
        assert not buffer.retrieve_updates()
        assert found[0].metric is found[1].metric
        return [
            (u.metric.name, u.metric.description, u.metric.unit, u.metric.kind, u.value, dict(u.attributes))
            for u in found
        ]

    assert updates(ours) == updates(theirs)


def test_a_full_buffer_drops_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    buffer = MetricBuffer(1)
    counter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter.create_counter("c")
    for number in range(3):
        counter.add(number)
    assert [update.value for update in buffer.retrieve_updates()] == [0]
    assert [record.getMessage() for record in caplog.records] == [
        "MetricBuffer of 1 updates is full: updates are dropped until retrieve_updates is called"
    ]
    counter.add(7)
    assert [update.value for update in buffer.retrieve_updates()] == [7]


def test_wrong_values_are_refused() -> None:
    meter = Runtime(telemetry=TelemetryConfig(metrics=MetricBuffer(10))).metric_meter
    calls: list[tuple[type[Exception], str, Callable[[], Any]]] = [
        (ValueError, "negative", lambda: meter.create_counter("c").add(-1)),
        (ValueError, "negative", lambda: meter.create_histogram_timedelta("h").record(timedelta(seconds=-1))),
        (TypeError, "key a", lambda: meter.create_counter("c").add(1, {"a": None})),  # type: ignore[dict-item]
        (TypeError, "key a", lambda: meter.with_additional_attributes({"a": []})),  # type: ignore[dict-item]
        (ValueError, "'c' is a counter already", lambda: meter.create_gauge("c")),
        (ValueError, "holds nothing", lambda: MetricBuffer(0)),
    ]
    for error, message, call in calls:
        with pytest.raises(error, match=message):
            call()


@contextmanager
def collector() -> Iterator[tuple[str, queue.Queue[tuple[ExportMetricsServiceRequest, str | None]]]]:
    """A collector over HTTP that keeps what it gets."""
    got: queue.Queue[tuple[ExportMetricsServiceRequest, str | None]] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            got.put((ExportMetricsServiceRequest.FromString(body), self.headers.get("x-key")))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/metrics", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("temporality", list(OpenTelemetryMetricTemporality))
def test_open_telemetry(temporality: OpenTelemetryMetricTemporality) -> None:
    with collector() as (url, got):
        config = OpenTelemetryConfig(
            url,
            headers={"x-key": "secret"},
            http=True,
            metric_periodicity=timedelta(hours=1),
            metric_temporality=temporality,
            histogram_bucket_overrides={"size": [1, 9]},
        )
        runtime = Runtime(telemetry=TelemetryConfig(metrics=config, global_tags={"g": "1"}))
        record(runtime.metric_meter)
        runtime._recorder.close()  # type: ignore[union-attr]
        request, key = got.get(timeout=20)
    assert key == "secret"
    exported = request.resource_metrics[0]
    assert ("g", "1") in [(a.key, a.value.string_value) for a in exported.resource.attributes]
    metrics = {metric.name: metric for scope in exported.scope_metrics for metric in scope.metrics}
    assert set(metrics) == {"my-counter", "sizes", "ratio", "took", "depth", "load", "c2"}
    assert metrics["my-counter"].sum.aggregation_temporality == (2 if temporality.name == "CUMULATIVE" else 1)
    assert [point.as_int for point in metrics["my-counter"].sum.data_points] == [3, 2]
    assert list(metrics["sizes"].histogram.data_points[0].explicit_bounds) == [1, 9]
    assert metrics["took"].histogram.data_points[0].sum == 1500
    assert metrics["depth"].gauge.data_points[0].as_int == 9


@activity.defn
async def count() -> None:
    activity.metric_meter().create_counter("in_activity").add(1)


@workflow.defn
class Counting:
    @workflow.run
    async def run(self) -> None:
        workflow.metric_meter().create_counter("in_workflow").add(1)
        await workflow.execute_activity(count, start_to_close_timeout=timedelta(seconds=5))


async def test_a_worker_records_with_the_runtime_of_its_client() -> None:
    buffer = MetricBuffer(10_000, MetricBufferDurationFormat.SECONDS)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer, metric_prefix="my_"))
    async with (
        await Client.connect("sqlite://:memory:", runtime=runtime) as client,
        Worker(client, task_queue="q", workflows=[Counting], activities=[count]),
    ):
        await client.execute_workflow(Counting.run, id="w", task_queue="q")
        with pytest.raises(RPCError):
            await client.get_workflow_handle("nobody").describe()
    updates = buffer.retrieve_updates()
    by_name = {update.metric.name: update for update in updates}
    assert by_name["in_activity"].attributes["activity_type"] == "count"
    assert by_name["in_workflow"].attributes["workflow_type"] == "Counting"
    started = [u for u in updates if u.attributes.get("operation") == "StartWorkflowExecution"]
    assert [(u.metric.name, u.attributes["namespace"]) for u in started] == [
        ("my_request", "default"),
        ("my_request_latency", "default"),
    ]
    assert by_name["my_request_failure"].attributes["status_code"] == "NOT_FOUND"
    assert by_name["my_long_request"].attributes["operation"].startswith("Poll")  # type: ignore[union-attr]
