"""What /metrics tells, after known work."""

from __future__ import annotations

import asyncio
from pathlib import Path

from http_node import Served, serving
from node_calls import call, start
from prometheus_client.parser import text_string_to_metric_families

from outlast.server.metrics import Metrics
from outlast.server.node import Node
from outlast.storage.sqlite import SqliteStorage

WORKFLOWS = "/api/v1/namespaces/default/workflows"
ORDERS = {"namespace": "default", "task_queue": "orders", "kind": "workflow"}


def samples(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(text.decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


async def metrics(served: Served) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = await served.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.content)


def named(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


async def test_calls_are_counted_by_their_outcome_and_timed() -> None:
    async with serving() as served:
        assert (await served.http.get(WORKFLOWS)).status_code == 200
        for _ in range(2):
            assert (await served.http.get(f"{WORKFLOWS}/none")).status_code == 404
        found = await metrics(served)
    describe = {"operation": "DescribeWorkflowExecution", "door": "http"}
    assert found[named("outlast_requests_total", **describe, code="NOT_FOUND")] == 2
    assert found[named("outlast_requests_total", operation="ListWorkflowExecutions", door="http", code="OK")] == 1
    assert found[named("outlast_request_seconds_count", **describe)] == 2
    assert found[named("outlast_request_seconds_bucket", **describe, le="+Inf")] == 2


async def test_a_client_that_goes_away_ends_its_call() -> None:
    async with serving() as served:
        await start(served.node, "o1", "default")
        history = f"{WORKFLOWS}/o1/history"
        token = (await served.http.get(history, params={"waitNewEvent": "true"})).json()["nextPageToken"]
        params = {"waitNewEvent": "true", "nextPageToken": token}
        waiting = asyncio.create_task(served.http.get(history, params=params))
        async with asyncio.timeout(10):
            while not served.node.runs.waiting:
                await asyncio.sleep(0.001)
            waiting.cancel()
            while served.node.runs.waiting:
                await asyncio.sleep(0.001)
        found = await metrics(served)
    gone = {"operation": "GetWorkflowExecutionHistory", "door": "http", "code": "CANCELLED"}
    assert found[named("outlast_requests_total", **gone)] == 1


async def test_the_node_is_described(tmp_path: Path) -> None:
    node = await Node.open(SqliteStorage.open(tmp_path / "orders.db"))
    try:
        before = samples(await Metrics(node).text())
        for number in range(3):
            await start(node, f"o{number}", "default")
        await call(node, "TerminateWorkflowExecution", namespace="default", workflow_execution={"workflow_id": "o0"})
        await call(
            node,
            "StartActivityExecution",
            namespace="default",
            activity_id="o0",
            activity_type={"name": "Ship"},
            task_queue={"name": "parcels"},
            start_to_close_timeout={"seconds": 60},
        )
        await call(node, "PauseActivityExecution", namespace="default", activity_id="o0")
        found = samples(await Metrics(node).text())
    finally:
        await node.close()
    assert found[named("outlast_standalone_activities", namespace="default", status="Paused")] == 1
    assert found[named("outlast_workflows", namespace="default", status="Running")] == 2
    assert found[named("outlast_workflows", namespace="default", status="Terminated")] == 1
    assert found[named("outlast_task_queue_backlog", **ORDERS)] == 3
    assert found[named("outlast_task_queue_pollers", **ORDERS)] == 0
    assert found[named("outlast_task_queue_age_seconds", **ORDERS)] > 0
    commits = named("outlast_commit_batch_size_sum")
    assert found[commits] - before[commits] == 6
    transactions = named("outlast_commit_seconds_count")
    assert found[transactions] - before[transactions] == 6
    assert found[named("outlast_commit_seconds_sum")] > before[named("outlast_commit_seconds_sum")]
