"""The registry of search attributes, and lists as RPCs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from node_calls import call, register, start

from outlast.api.common.v1 import Payload
from outlast.api.enums import v1 as e
from outlast.server.node import Node
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab import limits
from outlast.vocab.errors import AlreadyExists, InvalidArgument, NotFound

TYPES = {"Customer": e.INDEXED_VALUE_TYPE_KEYWORD, "Amount": e.INDEXED_VALUE_TYPE_INT}


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = await Node.open(SqliteStorage.open(tmp_path / "outlast.db"))
    await register(node)
    await call(node, "AddSearchAttributes", namespace="shop", search_attributes=TYPES)
    yield node
    await node.close()


def attributes(**values: Any) -> dict[str, Any]:
    encoded = {
        name: Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())
        for name, value in values.items()
    }
    return {"indexed_fields": encoded}


async def test_attributes_are_registered_per_namespace(node: Node) -> None:
    listed = await call(node, "ListSearchAttributes", namespace="shop")
    assert dict(listed.custom_attributes) == TYPES
    assert listed.system_attributes["BuildIds"] == e.INDEXED_VALUE_TYPE_KEYWORD_LIST
    assert listed.system_attributes["WorkflowId"] == e.INDEXED_VALUE_TYPE_KEYWORD
    assert not (await call(node, "ListSearchAttributes", namespace="default")).custom_attributes
    described = await call(node, "DescribeNamespace", namespace="shop")
    assert dict(described.config.custom_search_attribute_aliases) == {"Int01": "Amount", "Keyword01": "Customer"}
    await call(node, "RemoveSearchAttributes", namespace="shop", search_attributes=["Amount"])
    assert dict((await call(node, "ListSearchAttributes", namespace="shop")).custom_attributes) == {"Customer": 2}
    keys = (await call(node, "GetSearchAttributes")).keys
    assert keys["ExecutionStatus"] == e.INDEXED_VALUE_TYPE_KEYWORD and "Customer" not in keys


@pytest.mark.parametrize(
    ("rpc", "given", "error", "message"),
    [
        ("Add", {"Customer": 2}, AlreadyExists, "'Customer' exists already, as a Keyword"),
        ("Add", {"WorkflowId": 2}, InvalidArgument, "is the system's"),
        ("Add", {"TemporalX": 2}, InvalidArgument, "does not begin with 'Temporal'"),
        ("Add", {"a b": 2}, InvalidArgument, "a name begins with a letter"),
        ("Add", {"X": 0}, InvalidArgument, "it has no type"),
        ("Add", {f"I{n}": 3 for n in range(3)}, InvalidArgument, "at most 3 of type Int"),
        ("Add", {}, InvalidArgument, "name at least one"),
        ("Remove", ["Nope"], NotFound, "'Nope' is not registered"),
        ("Remove", ["RunId"], InvalidArgument, "cannot be removed"),
        ("Remove", [], InvalidArgument, "name at least one"),
    ],
)
async def test_what_cannot_be_registered(
    node: Node, rpc: str, given: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await call(node, f"{rpc}SearchAttributes", namespace="shop", search_attributes=given)
    assert dict((await call(node, "ListSearchAttributes", namespace="shop")).custom_attributes) == TYPES


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Custmer": "x"}, "'Custmer' is not registered in this namespace; did you mean 'Customer'?"),
        ({"Customer": 1}, "'Customer' is a Keyword: 1 is no string"),
        ({"Customer": ["a", "b"]}, "it has 2 values, and Keyword has one; use a KeywordList"),
        ({"Customer": "x" * 256}, "longer than 255 characters; use a Text"),
        ({"Amount": 1.5}, "1.5 is no Int"),
        ({"Amount": 2**63}, "is no Int"),
        ({"RunId": "x"}, "'RunId' is the system's and cannot be set"),
        ({"BuildIds": ["x" * 200] * 20}, "at most 2048 may be set"),
        ({f"A{n}": 1 for n in range(101)}, "at most 100 may be set"),
    ],
)
async def test_a_start_with_bad_attributes_is_refused(node: Node, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match="start of workflow 'order-1': ") as refused:
        await start(node, "order-1", search_attributes=attributes(**given))
    assert message in str(refused.value)
    assert (await call(node, "CountWorkflowExecutions", namespace="shop")).count == 0


async def test_lists_find_what_was_started_a_moment_ago(node: Node) -> None:
    for n in range(5):
        await start(node, f"order-{n}", search_attributes=attributes(Customer="ada" if n % 2 else "bob", Amount=n))
    ended = {"workflow_id": "order-4"}
    await call(node, "TerminateWorkflowExecution", namespace="shop", workflow_execution=ended)

    async def found(query: str, rpc: str = "ListWorkflowExecutions") -> list[str]:
        ids, token = [], b""
        while True:
            page = await call(node, rpc, namespace="shop", query=query, page_size=2, next_page_token=token)
            ids += [each.execution.workflow_id for each in page.executions]
            token = page.next_page_token
            if not token:
                assert (await call(node, "CountWorkflowExecutions", namespace="shop", query=query)).count == len(ids)
                return ids

    assert sorted(await found("Customer = 'ada'")) == ["order-1", "order-3"]
    assert await found("Amount >= 3 AND ExecutionStatus = 'Running'") == ["order-3"]
    assert await found("ExecutionStatus = 'Terminated'", "ScanWorkflowExecutions") == ["order-4"]
    assert (await found(""))[-1] == "order-4"
    assert await found(" OR ".join([f"Amount = {n}" for n in range(limits.VISIBILITY_COMPARISONS_MAX)])) != []
    page = await call(node, "ListWorkflowExecutions", namespace="shop", query="Amount < 3 ORDER BY Amount DESC")
    assert [each.execution.workflow_id for each in page.executions] == ["order-2", "order-1", "order-0"]
    shown = page.executions[0].search_attributes.indexed_fields
    assert (shown["Customer"].data, shown["Customer"].metadata["type"]) == (b'"bob"', b"Keyword")
    assert (page.executions[0].type.name, page.executions[0].task_queue) == ("Order", "orders")


async def test_counts_are_grouped_by_status(node: Node) -> None:
    for n in range(3):
        await start(node, f"order-{n}")
    await call(node, "TerminateWorkflowExecution", namespace="shop", workflow_execution={"workflow_id": "order-0"})
    counted = await call(node, "CountWorkflowExecutions", namespace="shop", query="GROUP BY ExecutionStatus")
    assert counted.count == 3
    groups = {group.group_values[0].data: group.count for group in counted.groups}
    assert groups == {b'"Running"': 2, b'"Terminated"': 1}


async def test_the_older_lists(node: Node) -> None:
    for n in range(3):
        await start(node, f"order-{n}")
    await call(node, "TerminateWorkflowExecution", namespace="shop", workflow_execution={"workflow_id": "order-0"})
    now = node.clock.now() // 10**9

    async def ids(rpc: str, **fields: Any) -> list[str]:
        return [each.execution.workflow_id for each in (await call(node, rpc, namespace="shop", **fields)).executions]

    assert await ids("ListOpenWorkflowExecutions") == ["order-2", "order-1"]
    assert await ids("ListOpenWorkflowExecutions", execution_filter={"workflow_id": "order-1"}) == ["order-1"]
    assert await ids("ListOpenWorkflowExecutions", type_filter={"name": "Refund"}) == []
    later = {"earliest_time": {"seconds": now + 3600}}
    assert await ids("ListOpenWorkflowExecutions", start_time_filter=later) == []
    assert await ids("ListClosedWorkflowExecutions") == ["order-0"]
    completed = {"status": e.WORKFLOW_EXECUTION_STATUS_COMPLETED}
    assert await ids("ListClosedWorkflowExecutions", status_filter=completed) == []
    with pytest.raises(InvalidArgument, match="earliest_time is later than latest_time"):
        await ids("ListOpenWorkflowExecutions", start_time_filter={**later, "latest_time": {"seconds": now}})


@pytest.mark.parametrize(
    ("rpc", "fields", "message"),
    [
        ("ListWorkflowExecutions", {"next_page_token": b"x"}, "is none of this list"),
        ("ListWorkflowExecutions", {"query": "GROUP BY ExecutionStatus"}, "GROUP BY is for counts"),
        ("CountWorkflowExecutions", {"query": "ORDER BY StartTime"}, "a count has no order"),
        ("ListWorkflowExecutions", {"query": "Memo = 'x'"}, "character 1: 'Memo' is no search attribute"),
    ],
)
async def test_lists_refuse(node: Node, rpc: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        await call(node, rpc, namespace="shop", **fields)
