"""A workflow to call, and a client connected to a server that the test writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from rpc_server import Server, serving

import outlast.api.workflowservice.v1 as api
from outlast import workflow
from outlast.api.common.v1 import Payloads
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.client import (
    Client,
)
from outlast.converter import DataConverter

convert = DataConverter.default.payload_converter


@dataclass
class Receipt:
    number: int


@workflow.defn(name="Order")
class OrderWorkflow:
    @workflow.run
    async def run(self, customer: str, total: int) -> Receipt:
        return Receipt(total)

    @workflow.signal
    def approve(self, by: str) -> None: ...

    @workflow.query
    def receipt(self) -> Receipt:
        return Receipt(0)

    @workflow.update
    def add(self, amount: int) -> Receipt:
        return Receipt(amount)


def payloads(*values: Any) -> Payloads:
    return Payloads(payloads=convert.to_payloads(values))


@asynccontextmanager
async def connected(options: dict[str, Any] | None = None, **handlers: Any) -> AsyncIterator[tuple[Client, Server]]:
    async with serving(**handlers) as server:
        client = await Client.connect(server.address, namespace="shop", identity="me", **(options or {}))
        async with client:
            yield client, server


def started(_: Any) -> api.StartWorkflowExecutionResponse:
    return api.StartWorkflowExecutionResponse(run_id="r1", first_execution_run_id="r0", started=True)


def closing(**attributes: Any) -> api.GetWorkflowExecutionHistoryResponse:
    response = api.GetWorkflowExecutionHistoryResponse()
    response.history.events.append(HistoryEvent(event_id=9, **attributes))
    return response


def completed(*values: Any, next_run: str = "") -> api.GetWorkflowExecutionHistoryResponse:
    return closing(
        workflow_execution_completed_event_attributes={"result": payloads(*values), "new_execution_run_id": next_run}
    )


FAILURE = Failure(message="m", application_failure_info={"type": "T"})
