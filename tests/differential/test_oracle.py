"""Our server and Temporal's, asked the same: refusals, completions of workflow tasks, and whole workflows.

It is collected where ``OUTLAST_TEMPORAL_ADDRESS`` names a server of Temporal's (``make conformance
TEMPORAL=host:port``), with the real ``temporalio`` on both sides. What may differ stands in ``differences.toml`` with
its reason, and nothing else: a difference that is not there fails, and so does one that is there no longer.
"""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from bad_commands import TURNS, Turn
from bad_requests import ASKS, Ask
from normal import events, normal
from record import record_all
from scene import Scene
from temporalio.api.history.v1 import History
from temporalio.client import Client

from outlast.server.node import Node
from outlast.server.rpc import GrpcDoor
from outlast.storage.memory import MemoryStorage

TEMPORAL_ADDRESS = os.environ["OUTLAST_TEMPORAL_ADDRESS"]
DIFFERENCES = tomllib.loads((Path(__file__).parent / "differences.toml").read_text())["difference"]
MAY_DIFFER = {row for difference in DIFFERENCES for row in difference["rows"]}
_SERVER_INFO = ("autoResetPoints", "searchAttributes", "stateTransitionCount", "historyLength")
_EXTENDED_INFO = ("requestIdInfos", "executionExpirationTime", "runExpirationTime", "lastResetTime")
_PATIENCE_S = 60


def rows(table: list[Any]) -> Any:
    """The rows of a catalogue as parameters."""
    return pytest.mark.parametrize("row", table, ids=lambda row: row.name)


pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients() -> AsyncIterator[tuple[Client, Client]]:
    """Temporal's real client of our server, and of theirs."""
    node = await Node.open(MemoryStorage())
    door = GrpcDoor(node)
    port = await door.start("127.0.0.1:0")
    yield await Client.connect(f"127.0.0.1:{port}"), await Client.connect(TEMPORAL_ADDRESS)
    node.release()
    await door.stop(1)
    await node.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scenes(clients: tuple[Client, Client]) -> tuple[Scene, Scene]:
    ours, theirs = clients
    return await Scene(ours).set(), await Scene(theirs).set()


def compare(name: str, ours: Any, theirs: Any) -> None:
    """Raise AssertionError for a difference that is not listed, or for one that is and is none."""
    if name in MAY_DIFFER:
        assert ours != theirs, f"{name} is listed in differences.toml, and does not differ"
    else:
        assert ours == theirs


@rows(ASKS)
async def test_requests(scenes: tuple[Scene, Scene], row: Ask) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        ours, theirs = [await scene.ask(row.rpc, **row.fields(scene)) for scene in scenes]
    compare(row.name, ours[:2], theirs[:2])


@rows(TURNS)
async def test_completions(clients: tuple[Client, Client], row: Turn) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        ours, theirs = [await _completed(Scene(client), row) for client in clients]
    compare(row.name, ours, theirs)


async def _completed(scene: Scene, turn: Turn) -> dict[str, Any]:
    """What a completion leads to: the answer, the history of the next moment, and the description."""
    run = await scene.start()
    task = await scene.poll()
    answer = await scene.ask(
        "RespondWorkflowTaskCompleted",
        task_token=task.task_token,
        commands=turn.commands(scene),
        identity="scene",
        **turn.fields,
    )
    execution = {"workflow_id": run.workflow_id, "run_id": run.run_id}
    history = await scene.must("GetWorkflowExecutionHistory", execution=execution)
    described = normal(await scene.must("DescribeWorkflowExecution", execution=execution), scene.queue)
    await scene.ask("TerminateWorkflowExecution", workflow_execution={"workflow_id": run.workflow_id})
    for part, left_out in (("workflowExecutionInfo", _SERVER_INFO), ("workflowExtendedInfo", _EXTENDED_INFO)):
        for key in left_out:
            described[part].pop(key, None)
    # What follows from the server's own doing comes when it comes.
    described.pop("pendingWorkflowTask", None)
    found = events(history.history, scene.queue)
    while found[-1]["eventType"].endswith(_FOLLOWS):
        found.pop()
    return {"answer": answer[:2], "history": found, "described": described}


_FOLLOWS = (
    "WORKFLOW_TASK_SCHEDULED",
    "TIMER_FIRED",
    "CHILD_WORKFLOW_EXECUTION_STARTED",
    "START_CHILD_WORKFLOW_EXECUTION_FAILED",
    "EXTERNAL_WORKFLOW_EXECUTION_FAILED",
)


async def test_histories(clients: tuple[Client, Client]) -> None:
    """Flows of the corpus, run by Temporal's worker, leave the same histories on both servers."""
    addresses = [client.service_client.config.target_host for client in clients]
    ours, theirs = [await record_all("temporalio", address) for address in addresses]
    for name in IN_ORDER:
        assert events(History(events=ours[name].events)) == events(History(events=theirs[name].events)), name


IN_ORDER = ("Order", "Refused", "Cancelled", "Reset", "Deprecated")
"""Flows whose events have one possible order, and no times in their payloads."""
