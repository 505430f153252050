"""Messages as JSON and back: the shorthand of payloads, and that nothing is lost by it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlast.api.common.v1 import Memo, Payload, Payloads
from outlast.api.errordetails.v1 import QueryFailedFailure
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.api.rpc import Status
from outlast.server.json_form import to_json
from outlast.server.json_request import decoded, read

NULL = Payload(metadata={"encoding": b"binary/null"})


def plain(data: bytes, **metadata: bytes) -> Payload:
    return Payload(metadata={"encoding": b"json/plain", **metadata}, data=data)


def tree(message: Any, **options: bool) -> Any:
    return json.loads(to_json(message, **options))


def back(message: Any, **options: bool) -> Any:
    again = type(message)()
    read(decoded(to_json(message), "test"), again, "test", **options)
    return again


@pytest.mark.parametrize(
    ("payload", "short"),
    [
        (plain(b'"Ada"'), "Ada"),
        (plain(b'{"a": [1, 2.5, null]}'), {"a": [1, 2.5, None]}),
        (NULL, None),
        (
            Payload(metadata={"encoding": b"json/protobuf", "messageType": b"shop.Order"}, data=b'{"id":"1"}'),
            {"_protoMessageType": "shop.Order", "id": "1"},
        ),
    ],
)
def test_a_payload_that_is_json_is_that_json(payload: Payload, short: Any) -> None:
    message = Payloads(payloads=[payload])
    assert tree(message) == [short]
    assert tree(Memo(fields={"a": payload})) == {"fields": {"a": short}}
    assert [json.loads(p.data) if p.data else None for p in back(message).payloads] == [
        json.loads(payload.data) if payload.data else None
    ]
    assert back(message).payloads[0].metadata == payload.metadata
    assert "metadata" in tree(message, shorthand=False)["payloads"][0]


@pytest.mark.parametrize(
    "payload",
    [
        Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff"),
        plain(b'"red"', type=b"Keyword"),
        plain(b"no json"),
        plain(b""),
        plain(b"NaN"),
        # Would be read as something else.
        plain(b'{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}'),
        plain(b'{"_protoMessageType": "shop.Order"}'),
        Payload(metadata={"encoding": b"json/protobuf"}, data=b"{}"),
        Payload(metadata={"encoding": b"json/protobuf", "messageType": b"x"}, data=b"[]"),
        Payload(),
    ],
)
def test_any_other_payload_is_written_at_length(payload: Payload) -> None:
    message = Payloads(payloads=[plain(b"1"), payload])
    written = tree(message)["payloads"]
    assert written[0] == 1
    assert isinstance(written[1], dict) and set(written[1]) <= {"metadata", "data"}
    if payload.metadata and payload.data:
        assert back(message) == message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(json_values, max_size=4))
def test_values_go_there_and_back(values: list[Any]) -> None:
    message = Payloads(payloads=[plain(json.dumps(value).encode()) for value in values])
    assert tree(message) == values
    assert [json.loads(p.data) if p.data else None for p in back(message).payloads] == values


def test_digits_are_kept() -> None:
    assert (
        to_json(Payloads(payloads=[plain(b"1.10"), plain(b"123456789012345678901")])) == b"[1.10,123456789012345678901]"
    )


def test_shorthand_reaches_into_failures_and_details() -> None:
    failure = Failure(message="no", cause=Failure(application_failure_info={"details": {"payloads": [plain(b"5")]}}))
    event = HistoryEvent(workflow_execution_failed_event_attributes={"failure": failure})
    found = tree(event)["workflowExecutionFailedEventAttributes"]["failure"]
    assert found["cause"]["applicationFailureInfo"]["details"] == [5]
    assert back(event) == event
    status = Status(code=3, message="no")
    status.details.add().Pack(QueryFailedFailure(failure=failure))
    assert tree(status)["details"][0]["failure"]["cause"]["applicationFailureInfo"]["details"] == [5]
    assert back(status) == status


def test_what_is_at_length_is_read_without_shorthand() -> None:
    message = Payloads()
    read({"payloads": [{"metadata": {"encoding": "eA=="}, "data": "AAE"}]}, message, "test", shorthand=False)
    assert message == Payloads(payloads=[Payload(metadata={"encoding": b"x"}, data=b"\x00\x01")])


def test_enum_values_have_their_short_names_too() -> None:
    event = HistoryEvent()
    read({"event_type": "WorkflowExecutionSignaled", "eventId": "7"}, event, "test")
    assert (event.event_type, event.event_id) == (26, 7)
    status = HistoryEvent()
    read({"eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED", "eventId": 7, "taskId": None}, status, "test")
    assert event == status


def test_pretty_has_lines() -> None:
    assert to_json(Memo(fields={"a": plain(b"[1]")}), pretty=True).count(b"\n") > 3
