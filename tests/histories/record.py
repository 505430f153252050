"""Writes the corpus: each flow run by our worker and by Temporal's against our server, its history as JSON.

    PYTHONPATH=tests/conformance python tests/histories/record.py [FOLDER]

``<flow>.outlast.json`` was written by our worker, ``<flow>.temporalio.json`` by Temporal's. The files are committed:
they are what later versions of both SDKs have to follow.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import history_flows
from twins import twin

from outlast.server.node import Node
from outlast.server.rpc import GrpcDoor
from outlast.storage.memory import MemoryStorage

HERE = Path(__file__).parent
SDKS = ("outlast", "temporalio")


def flows_of(sdk: str) -> ModuleType:
    """The flows, loaded for this SDK."""
    return history_flows if sdk == "outlast" else twin(Path(history_flows.__file__))


async def run_flow(client: Any, sdk: str, name: str) -> Any:
    """Run one flow to its end; answers its history as this SDK's ``WorkflowHistory``."""
    flows = flows_of(sdk)
    failure = importlib.import_module(f"{sdk}.client").WorkflowFailureError
    kinds = importlib.import_module(f"{sdk}.client").WorkflowHistoryEventFilterType
    args = ["order-42"] if name == "Order" else []
    signal = {"start_signal": "approve", "start_signal_args": ["first"]} if name == "Approval" else {}
    handle = await client.start_workflow(
        getattr(flows, name).run, args=args, id=f"{sdk}-{name}", task_queue="histories", memo={"step": 0}, **signal
    )
    if name == "Approval":
        await _event(handle, "TimerFired")
        await handle.signal("approve", "second")
    if name == "Cancelled":
        await _event(handle, "ActivityTaskScheduled")
        await handle.cancel()
    try:
        await handle.result()
    except failure:
        async for _ in handle.fetch_history_events(event_filter_type=kinds.CLOSE_EVENT):
            pass
    return await handle.fetch_history()


async def _event(handle: Any, name: str) -> None:
    """Wait for an event of this kind."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.WhichOneof("attributes") == _field(name):
            return


def _field(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:] + "_event_attributes"


async def record_all(sdk: str, address: str) -> dict[str, Any]:
    """Run every flow with this SDK's client and worker; answers flow name -> history."""
    client = await importlib.import_module(f"{sdk}.client").Client.connect(address, identity="recorder")
    worker = importlib.import_module(f"{sdk}.worker")
    flows = flows_of(sdk)
    async with worker.Worker(
        client,
        task_queue="histories",
        workflows=flows.FLOWS,
        activities=flows.ACTIVITIES,
        workflow_runner=worker.UnsandboxedWorkflowRunner(),
        identity="recorder",
    ):
        return {flow.__name__: await run_flow(client, sdk, flow.__name__) for flow in flows.FLOWS}


async def main(folder: Path) -> None:
    node = await Node.open(MemoryStorage())
    door = GrpcDoor(node)
    port = await door.start("127.0.0.1:0")
    for sdk in SDKS:
        for name, history in (await record_all(sdk, f"127.0.0.1:{port}")).items():
            text = json.dumps(_without_places(history.to_json_dict()), indent=1, sort_keys=True)
            (folder / f"{name.lower()}.{sdk}.json").write_text(text + "\n")
    node.release()
    await door.stop(1)
    await node.close()


def _without_places(value: Any) -> Any:
    """The history without stack traces, which name the files of the machine that recorded it."""
    if isinstance(value, dict):
        return {key: _without_places(one) for key, one in value.items() if key != "stackTrace"}
    return [_without_places(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
