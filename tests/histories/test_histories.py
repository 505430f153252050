"""The corpus and the law: what either SDK wrote through our server, both SDKs follow, and both write the same.

The recordings are of one day and stay; ``record.py`` writes new ones.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import temporalio.client
import temporalio.worker
from google.protobuf import json_format
from history_flows import FLOWS
from record import SDKS, flows_of, record_all

import outlast.client
import outlast.worker
from outlast.api.history.v1 import History, HistoryEvent
from outlast.server.node import Node
from outlast.server.rpc import GrpcDoor
from outlast.storage.memory import MemoryStorage
from outlast.vocab.attributes import EVENT_FIELD, EVENT_NAMES

HERE = Path(__file__).parent
NAMES = [flow.__name__ for flow in FLOWS]
_IDS = ("activity_id", "timer_id", "marker_name")
_COMMANDS = {
    "ActivityTaskScheduled",
    "ActivityTaskCancelRequested",
    "TimerStarted",
    "TimerCanceled",
    "MarkerRecorded",
    "StartChildWorkflowExecutionInitiated",
    "SignalExternalWorkflowExecutionInitiated",
    "RequestCancelExternalWorkflowExecutionInitiated",
    "WorkflowExecutionUpdateAccepted",
    "WorkflowExecutionUpdateCompleted",
    "WorkflowExecutionContinuedAsNew",
    "UpsertWorkflowSearchAttributes",
    "WorkflowPropertiesModified",
    "WorkflowExecutionCompleted",
    "WorkflowExecutionFailed",
    "WorkflowExecutionCanceled",
}
"""Events that a worker's command wrote."""


def recording(name: str, sdk: str) -> str:
    return (HERE / f"{name.lower()}.{sdk}.json").read_text()


def commands(history: History) -> list[tuple[str, ...]]:
    """What the worker asked for, in order, with the ids that it chose."""
    found = []
    for event in history.events:
        name = EVENT_NAMES[event.event_type]
        if name in _COMMANDS:
            attributes = getattr(event, EVENT_FIELD[event.event_type])
            ids = [str(getattr(attributes, key)) for key in _IDS if hasattr(attributes, key)]
            details = [_said(attributes)] if name == "MarkerRecorded" else []
            found.append((name, *ids, *details))
    return found


def _said(marker: Any) -> str:
    """What a marker says, but for the times of a local activity."""
    if marker.marker_name != "core_local_activity":
        return str(marker.details["patch-data"])
    data = json.loads(marker.details["data"].payloads[0].data)
    return f"{data['activity_type']} {data['attempt']} {sorted(marker.details)} {marker.failure.message}"


def parsed(text: str) -> History:
    return json_format.Parse(text, History())


async def follows(sdk: str, name: str, history: Any) -> None:
    """Raises what the SDK's replayer raises when the flow, loaded for it, does not follow the history."""
    package = outlast if sdk == "outlast" else temporalio
    flows = flows_of(sdk)
    replayer = package.worker.Replayer(
        workflows=[getattr(flows, name)], workflow_runner=package.worker.UnsandboxedWorkflowRunner()
    )
    text = history if isinstance(history, str) else json_format.MessageToJson(history)
    # Children have ids made of their parent's.
    workflow_id = parsed(text).events[0].workflow_execution_started_event_attributes.workflow_id
    await replayer.replay_workflow(package.client.WorkflowHistory.from_json(workflow_id, text))


@pytest.mark.conformance
@pytest.mark.parametrize("by", SDKS)
@pytest.mark.parametrize("wrote", SDKS)
@pytest.mark.parametrize("name", NAMES)
async def test_both_sdks_follow_what_either_wrote(name: str, wrote: str, by: str) -> None:
    await follows(by, name, recording(name, wrote))


@pytest.mark.parametrize("name", NAMES)
def test_both_sdks_wrote_the_same(name: str) -> None:
    ours, theirs = (commands(parsed(recording(name, sdk))) for sdk in SDKS)
    assert ours == theirs


@pytest.mark.parametrize("by", SDKS)
async def test_a_changed_workflow_is_found_out(by: str) -> None:
    history = parsed(recording("Order", "temporalio"))
    scheduled = next(event for event in history.events if EVENT_NAMES[event.event_type] == "ActivityTaskScheduled")
    scheduled.activity_task_scheduled_event_attributes.activity_type.name = "something else"
    package = outlast if by == "outlast" else temporalio
    with pytest.raises(package.workflow.NondeterminismError):
        await follows(by, "Order", history)


@pytest.fixture
async def address() -> AsyncIterator[str]:
    node = await Node.open(MemoryStorage())
    door = GrpcDoor(node)
    port = await door.start("127.0.0.1:0")
    yield f"127.0.0.1:{port}"
    node.release()
    await door.stop(1)
    await node.close()


@pytest.mark.conformance
@pytest.mark.parametrize("sdk", SDKS)
async def test_today_either_sdk_writes_what_is_recorded(address: str, sdk: str) -> None:
    other = next(one for one in SDKS if one != sdk)
    for name, fetched in (await record_all(sdk, address)).items():
        events = [HistoryEvent.FromString(event.SerializeToString()) for event in fetched.events]
        history = History(events=events)
        assert commands(history) == commands(parsed(recording(name, sdk)))
        await follows(other, name, history)


@pytest.mark.parametrize("by", SDKS)
@pytest.mark.parametrize("wrote", SDKS)
async def test_random_numbers_and_ids_come_again(wrote: str, by: str) -> None:
    seen = flows_of(by).SEEN
    seen.clear()
    await follows(by, "Patched", recording("Patched", wrote))
    completed = parsed(recording("Patched", wrote)).events[-1].workflow_execution_completed_event_attributes
    assert seen == [json.loads(completed.result.payloads[0].data)]
