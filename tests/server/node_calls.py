"""Calls of a node by the names of their RPCs, as a door makes them."""

from __future__ import annotations

from typing import Any

from outlast.api.operatorservice import v1 as operator
from outlast.api.workflowservice import v1 as api
from outlast.server.context import CallContext
from outlast.server.handlers import OPERATOR_SERVICE, WORKFLOW_SERVICE
from outlast.server.node import Node
from outlast.vocab.times import duration

HOUR = 3_600_000_000_000
CONTEXT = CallContext("grpc")


async def call(node: Node, rpc: str, **fields: Any) -> Any:
    service, messages = (WORKFLOW_SERVICE, api)
    if not hasattr(api, f"{rpc}Request"):
        service, messages = (OPERATOR_SERVICE, operator)  # type: ignore[assignment]
    return await node.call(service, rpc, getattr(messages, f"{rpc}Request")(**fields), CONTEXT)


async def register(node: Node, name: str = "shop", **fields: Any) -> None:
    fields.setdefault("workflow_execution_retention_period", duration(72 * HOUR))
    await call(node, "RegisterNamespace", namespace=name, **fields)


async def start(node: Node, workflow_id: str, namespace: str = "shop", **fields: Any) -> str:
    response = await call(
        node,
        "StartWorkflowExecution",
        namespace=namespace,
        workflow_id=workflow_id,
        workflow_type={"name": "Order"},
        task_queue={"name": "orders"},
        **fields,
    )
    return str(response.run_id)
