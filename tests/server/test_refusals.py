"""Requests that Temporal's server refuses, refused alike: what comes first, the rules about names and priorities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from node_calls import call, register, start

from outlast.server.node import Node
from outlast.storage.memory import MemoryStorage
from outlast.vocab.errors import InvalidArgument, NamespaceNotFound

LONG = "x" * 1001


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = await Node.open(MemoryStorage())
    await register(node)
    yield node
    await node.close()


@pytest.mark.parametrize(
    "rpc",
    ["StartWorkflowExecution", "SignalWorkflowExecution", "PollActivityTaskQueue", "RespondWorkflowTaskCompleted"],
)
async def test_an_unknown_namespace_is_told_before_anything_else(node: Node, rpc: str) -> None:
    with pytest.raises(NamespaceNotFound):
        await call(node, rpc, namespace="nowhere")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"priority": {"priority_key": -1}}, "priority key is -1"),
        ({"priority": {"fairness_key": "x" * 65}}, "fairness key is longer"),
        ({"workflow_run_timeout": {"seconds": 1, "nanos": -5}}, "workflow_run_timeout is below zero"),
        ({"on_conflict_options": {"attach_completion_callbacks": True}}, "set attach_request_id"),
    ],
)
async def test_a_start_is_refused(node: Node, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        await start(node, "order", **fields)


@pytest.mark.parametrize(("name", "problem"), [("", "is empty"), (LONG, "longer than 1000"), ("/_sys/x", "reserved")])
@pytest.mark.parametrize("kind", ["Workflow", "Activity"])
async def test_a_queue_that_nobody_can_poll(node: Node, kind: str, name: str, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        await call(node, f"Poll{kind}TaskQueue", namespace="shop", task_queue={"name": name})


@pytest.mark.parametrize("field", ["signal_name", "request_id"])
async def test_the_words_of_a_signal_are_not_too_long(node: Node, field: str) -> None:
    await start(node, "order")
    fields = {"signal_name": "pay", field: LONG}
    with pytest.raises(InvalidArgument, match=f"{field} is longer"):
        await call(
            node, "SignalWorkflowExecution", namespace="shop", workflow_execution={"workflow_id": "order"}, **fields
        )


async def test_a_task_is_answered_in_its_namespace(node: Node) -> None:
    await start(node, "order")
    task = await call(node, "PollWorkflowTaskQueue", namespace="shop", task_queue={"name": "orders"})
    answer = {"task_token": task.task_token}
    with pytest.raises(InvalidArgument, match="another namespace"):
        await call(node, "RespondWorkflowTaskCompleted", namespace="default", **answer)
    await call(node, "RespondWorkflowTaskCompleted", namespace="shop", **answer)
