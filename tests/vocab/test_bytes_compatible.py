"""Our messages and temporalio's: two sets of classes in one process, the same bytes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import temporalio.api.common.v1 as their_common
import temporalio.api.history.v1 as their_history
import temporalio.api.workflowservice.v1 as their_service
from google.protobuf import json_format

import outlast.api.common.v1 as our_common
import outlast.api.history.v1 as our_history
import outlast.api.workflowservice.v1 as our_service
from outlast.api import descriptors
from outlast.api.enums.v1 import EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
from outlast.vocab.times import duration, timestamp


def test_the_classes_are_different_objects_of_the_same_name() -> None:
    assert our_common.Payload is not their_common.Payload
    assert our_common.Payload.DESCRIPTOR.full_name == their_common.Payload.DESCRIPTOR.full_name


def test_an_event_has_the_same_bytes_and_the_same_json() -> None:
    ours = our_history.HistoryEvent(
        event_id=5, event_time=timestamp(1_700_000_000_123_456_789), event_type=EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    )
    attributes = ours.activity_task_scheduled_event_attributes
    attributes.activity_id = "1"
    attributes.input.payloads.add(data=b"\x00\xff", metadata={"encoding": b"binary/plain"})
    attributes.start_to_close_timeout.CopyFrom(duration(1_500_000_000))
    attributes.retry_policy.backoff_coefficient = 2.0
    theirs = their_history.HistoryEvent.FromString(ours.SerializeToString())
    assert theirs.SerializeToString(deterministic=True) == ours.SerializeToString(deterministic=True)
    assert json_format.MessageToJson(theirs) == json_format.MessageToJson(ours)
    assert theirs.activity_task_scheduled_event_attributes.start_to_close_timeout.ToMilliseconds() == 1500


def test_a_request_of_theirs_is_read_by_ours() -> None:
    theirs = their_service.StartWorkflowExecutionRequest(workflow_id="w", namespace="n")
    theirs.memo.fields["a"].data = b"1"
    theirs.workflow_execution_timeout.FromSeconds(7)
    ours = our_service.StartWorkflowExecutionRequest.FromString(theirs.SerializeToString())
    assert (ours.workflow_id, ours.memo.fields["a"].data) == ("w", b"1")
    assert ours.workflow_execution_timeout.seconds == 7
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


@pytest.mark.parametrize("service", sorted(descriptors.SERVICES))
def test_every_message_of_a_service_has_their_fields(service: str) -> None:
    package = service.removeprefix("temporal.api.").rpartition(".")[0]
    theirs = importlib.import_module(f"temporalio.api.{package}")
    methods = descriptors.SERVICES[service].methods
    ours = {m.name: m for method in methods for m in (method.input_type, method.output_type)}
    checked = [message for name, message in ours.items() if hasattr(theirs, name)]
    assert len(checked) > 5
    for message in checked:
        assert _fields(message) == _fields(getattr(theirs, message.name).DESCRIPTOR)


def _fields(message: Any) -> list[tuple[int, str, int]]:
    return [(field.number, field.name, field.type) for field in message.fields]
