"""Namespaces from their registration to the end of their deletion, over a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from node_calls import HOUR, call, register, start

from outlast.api.enums import v1 as e
from outlast.server.node import Node
from outlast.storage.port import RunKey
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.errors import (
    InvalidArgument,
    NamespaceAlreadyExists,
    NamespaceInvalidState,
    NamespaceNotFound,
    NotFound,
    ServiceError,
    Unimplemented,
)
from outlast.vocab.times import duration


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = await Node.open(SqliteStorage.open(tmp_path / "outlast.db"))
    yield node
    await node.close()


async def test_a_registered_namespace_is_described_and_listed(node: Node) -> None:
    await register(node, description="the shop", owner_email="o@example.org", data={"team": "a"})
    described = await call(node, "DescribeNamespace", namespace="shop")
    info = described.namespace_info
    assert (info.description, info.owner_email, dict(info.data)) == ("the shop", "o@example.org", {"team": "a"})
    assert info.state == e.NAMESPACE_STATE_REGISTERED and described.config.workflow_execution_retention_ttl.seconds
    assert await call(node, "DescribeNamespace", id=info.id) == described
    first = await call(node, "ListNamespaces", page_size=1)
    assert [each.namespace_info.name for each in first.namespaces] == ["default"]
    second = await call(node, "ListNamespaces", page_size=1, next_page_token=first.next_page_token)
    assert [each.namespace_info.name for each in second.namespaces] == ["shop"] and not second.next_page_token
    with pytest.raises(NamespaceAlreadyExists, match="'shop' exists already"):
        await register(node)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"name": ""}, InvalidArgument, "namespace is empty"),
        ({"name": "x" * 1001}, InvalidArgument, "longer than 1000 bytes"),
        ({"workflow_execution_retention_period": duration(HOUR - 1)}, InvalidArgument, "shorter than 1 hour"),
        ({"workflow_execution_retention_period": duration(0)}, InvalidArgument, "shorter than 1 hour"),
        ({"is_global_namespace": True}, Unimplemented, "several clusters"),
        ({"history_archival_state": e.ARCHIVAL_STATE_ENABLED}, Unimplemented, "archival"),
    ],
)
async def test_what_no_namespace_can_be(
    node: Node, fields: dict[str, Any], error: type[ServiceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        await register(node, **fields)


async def test_an_update_changes_what_it_names(node: Node) -> None:
    await register(node, description="old", data={"a": "1"})
    updated = await call(
        node,
        "UpdateNamespace",
        namespace="shop",
        update_info={"owner_email": "o@example.org", "data": {"b": "2"}},
        config={"workflow_execution_retention_ttl": duration(2 * HOUR)},
    )
    assert updated.namespace_info.description == "old" and dict(updated.namespace_info.data) == {"a": "1", "b": "2"}
    assert updated.config.workflow_execution_retention_ttl.seconds == 7200
    with pytest.raises(InvalidArgument, match="shorter than 1 hour"):
        short = {"workflow_execution_retention_ttl": duration(HOUR // 2)}
        await call(node, "UpdateNamespace", namespace="shop", config=short)
    with pytest.raises(InvalidArgument, match="no slot 'Keyword11'"):
        aliases = {"custom_search_attribute_aliases": {"Keyword11": "X"}}
        await call(node, "UpdateNamespace", namespace="shop", config=aliases)
    described = await call(node, "DescribeNamespace", namespace="shop")
    assert described.namespace_info == updated.namespace_info and described.config == updated.config


async def test_a_deprecated_namespace_starts_nothing_new(node: Node) -> None:
    await register(node)
    await start(node, "order-1")
    await call(node, "DeprecateNamespace", namespace="shop")
    with pytest.raises(NamespaceInvalidState, match="'shop' is deprecated and starts no new workflows"):
        await start(node, "order-2")
    running = {"workflow_id": "order-1"}
    await call(node, "SignalWorkflowExecution", namespace="shop", workflow_execution=running, signal_name="s")
    await call(node, "UpdateNamespace", namespace="shop", update_info={"state": e.NAMESPACE_STATE_REGISTERED})
    await start(node, "order-2")


async def test_deletion_renames_at_once_and_reclaims_in_the_background(node: Node) -> None:
    await register(node)
    namespace_id = node.namespaces.id_of("shop")
    runs = [RunKey(namespace_id, f"order-{n}", await start(node, f"order-{n}")) for n in range(3)]
    deleted = (await call(node, "DeleteNamespace", namespace="shop")).deleted_namespace
    assert deleted.startswith("shop-deleted-")
    with pytest.raises(NamespaceNotFound, match="'shop' is not known"):
        await start(node, "order-3")
    with pytest.raises(NamespaceInvalidState, match="is being deleted"):
        await start(node, "order-3", deleted)
    await register(node)
    await start(node, "order-0")
    await node.idle()
    assert [await node.storage.load(run) for run in runs] == [None] * 3
    assert await node.storage.count_executions(namespace_id) == 0
    with pytest.raises(NamespaceNotFound):
        await call(node, "DescribeNamespace", namespace=deleted)
    assert (await call(node, "CountWorkflowExecutions", namespace="shop")).count == 1


async def test_starts_that_meet_the_deletion_leave_nothing_behind(node: Node) -> None:
    await register(node)
    namespace_id = node.namespaces.id_of("shop")
    starts = [asyncio.ensure_future(start(node, f"order-{n}")) for n in range(20)]
    await asyncio.sleep(0)
    await call(node, "DeleteNamespace", namespace="shop")
    outcomes = await asyncio.gather(*starts, return_exceptions=True)
    assert all(isinstance(each, str | NamespaceNotFound | NotFound) for each in outcomes), outcomes
    await node.idle()
    assert await node.storage.count_executions(namespace_id) == 0


async def test_reclaiming_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "outlast.db"
    node = await Node.open(SqliteStorage.open(path))
    await register(node)
    namespace_id = node.namespaces.id_of("shop")
    for n in range(3):
        await start(node, f"order-{n}")
    await call(node, "DeleteNamespace", namespace="shop")
    await node.close()  # takes the background work away
    node = await Node.open(SqliteStorage.open(path))
    await node.idle()
    assert await node.storage.count_executions(namespace_id) == 0
    await node.close()
    node = await Node.open(SqliteStorage.open(path))
    listed = await call(node, "ListNamespaces", namespace_filter={"include_deleted": True})
    assert [each.namespace_info.name for each in listed.namespaces] == ["default"]
    await node.close()


async def test_a_namespace_says_what_is_built_and_no_more(node: Node) -> None:
    info = (await call(node, "DescribeNamespace", namespace="default")).namespace_info
    claimed = {field.name for field, value in info.capabilities.ListFields() if value}
    assert claimed == {
        "eager_workflow_start",
        "sync_update",
        "async_update",
        "worker_heartbeats",
        "workflow_pause",
        "reported_problems_search_attribute",
        "standalone_activities",
        "standalone_activity_start_delay",
        "standalone_activity_operator_commands",
        "standalone_activity_batch_operations",
    }
    assert info.limits.blob_size_limit_error == info.limits.memo_size_limit_error == 2 * 2**20
    assert info.limits.workflow_task_completion_size_limit_error == 4 * 2**20
