"""Writes the corpus: each flow run by our worker and by Temporal's against our server, its history as JSON.

    PYTHONPATH=tests/conformance python tests/histories/record.py [FOLDER [FLOW ...]]

``<flow>.outlast.json`` was written by our worker, ``<flow>.temporalio.json`` by Temporal's. The files are committed:
they are what later versions of both SDKs have to follow.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import history_flows
from twins import twin

from outlast.api.enums.v1 import INDEXED_VALUE_TYPE_INT, INDEXED_VALUE_TYPE_KEYWORD
from outlast.server.node import Node
from outlast.server.rpc import GrpcDoor
from outlast.storage.memory import MemoryStorage

HERE = Path(__file__).parent
SDKS = ("outlast", "temporalio")


def flows_of(sdk: str) -> ModuleType:
    """The flows, loaded for this SDK."""
    return history_flows if sdk == "outlast" else twin(Path(history_flows.__file__))


ARGS = {"Order": ["order-42"], "Continued": [1], "First": [1]}
OPTIONS: dict[str, dict[str, Any]] = {
    "Approval": {"start_signal": "approve", "start_signal_args": ["first"]},
    "Periodic": {"cron_schedule": "@every 1s"},
}


async def run_flow(client: Any, sdk: str, name: str) -> Any:
    """Run one flow to its end; answers its history as this SDK's ``WorkflowHistory``."""
    flow, workflow_id = getattr(flows_of(sdk), name), f"{sdk}-{name}"
    options = {"id": workflow_id, "task_queue": "histories", "memo": {"step": 0}, **OPTIONS.get(name, {})}
    handle = await client.start_workflow(flow.run, args=ARGS.get(name, []), **options)
    if name in _MEANWHILE:
        handle = await _MEANWHILE[name](client, sdk, handle) or handle
    await _end(handle, sdk)
    return await handle.fetch_history()


async def _approve(client: Any, sdk: str, handle: Any) -> None:
    await _event(handle, "TimerFired")
    await handle.signal("approve", "second")


async def _cancel(client: Any, sdk: str, handle: Any) -> None:
    await _event(handle, "ActivityTaskScheduled")
    await handle.cancel()


async def _update(client: Any, sdk: str, handle: Any) -> None:
    refused = importlib.import_module(f"{sdk}.client").WorkflowUpdateFailedError
    assert await handle.execute_update("change", "one", id="one") == "one"
    with contextlib.suppress(refused):
        await handle.execute_update("check", "", id="refused")
    assert await handle.execute_update("check", "two", id="two") is True


async def _second_run(client: Any, sdk: str, handle: Any) -> Any:
    """A handle of the run after the first."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        kind = event.WhichOneof("attributes") or ""
        following = getattr(getattr(event, kind), "new_execution_run_id", "")
        if following:
            return client.get_workflow_handle(handle.id, run_id=following)
    raise AssertionError(f"{handle.id} has one run")


async def _first_run(client: Any, sdk: str, handle: Any) -> Any:
    await handle.result()
    return client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)


async def _second_cron_run(client: Any, sdk: str, handle: Any) -> Any:
    second = await _second_run(client, sdk, client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id))
    await _end(second, sdk)
    await handle.terminate()
    return second


async def _reset(client: Any, sdk: str, handle: Any) -> Any:
    await handle.result()
    api = importlib.import_module(f"{sdk}.api.workflowservice.v1")
    common = importlib.import_module(f"{sdk}.api.common.v1")
    answer = await client.workflow_service.reset_workflow_execution(
        api.ResetWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=common.WorkflowExecution(workflow_id=handle.id, run_id=handle.first_execution_run_id),
            reason="recorded",
            request_id="reset",
            workflow_task_finish_event_id=10,
        )
    )
    return client.get_workflow_handle(handle.id, run_id=answer.run_id)


_MEANWHILE: dict[str, Callable[[Any, str, Any], Awaitable[Any]]] = {
    "Approval": _approve,
    "Cancelled": _cancel,
    "Updated": _update,
    "Continued": _second_run,
    "First": _first_run,
    "Periodic": _second_cron_run,
    "Reset": _reset,
}
"""What happens to a flow while it runs; answers a handle of the run that is to be recorded, if it is another."""


async def _end(handle: Any, sdk: str) -> None:
    kinds = importlib.import_module(f"{sdk}.client").WorkflowHistoryEventFilterType
    async for _ in handle.fetch_history_events(wait_new_event=True, event_filter_type=kinds.CLOSE_EVENT):
        return


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
    operator = importlib.import_module(f"{sdk}.api.operatorservice.v1")
    request = operator.AddSearchAttributesRequest(
        namespace="default",
        search_attributes={"RecordedNote": INDEXED_VALUE_TYPE_KEYWORD, "RecordedCount": INDEXED_VALUE_TYPE_INT},
    )
    with contextlib.suppress(importlib.import_module(f"{sdk}.service").RPCError):  # the other SDK was here
        await client.operator_service.add_search_attributes(request)
    flows = flows_of(sdk)
    async with worker.Worker(
        client,
        task_queue="histories",
        workflows=[*flows.FLOWS, *flows.CHILDREN],
        activities=flows.ACTIVITIES,
        workflow_runner=worker.UnsandboxedWorkflowRunner(),
        identity="recorder",
    ):
        return {flow.__name__: await run_flow(client, sdk, flow.__name__) for flow in flows.FLOWS}


async def main(folder: Path) -> None:
    node = await Node.open(MemoryStorage())
    door = GrpcDoor(node)
    port = await door.start("127.0.0.1:0")
    only = sys.argv[2:]
    for sdk in SDKS:
        for name, history in (await record_all(sdk, f"127.0.0.1:{port}")).items():
            if only and name not in only:
                continue
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
