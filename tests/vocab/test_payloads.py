"""Payloads: every place is found, nothing else is, and what came in is not changed."""

from __future__ import annotations

import pytest

from outlast.api import descriptors
from outlast.api.command.v1 import Command, ScheduleActivityTaskCommandAttributes
from outlast.api.common.v1 import Header, Memo, Payload, Payloads, SearchAttributes
from outlast.api.enums.v1 import COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK
from outlast.api.failure.v1 import CanceledFailureInfo, Failure
from outlast.api.protocol.v1 import Message as ProtocolMessage
from outlast.api.update.v1 import Input, Request
from outlast.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest, StartWorkflowExecutionRequest
from outlast.vocab import payloads


def payload(text: str) -> Payload:
    return Payload(data=text.encode())


def several(*texts: str) -> Payloads:
    return Payloads(payloads=[payload(text) for text in texts])


def shouted(group: list[Payload]) -> list[Payload]:
    return [Payload(data=p.data.upper()) for p in group]


def start_request() -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        workflow_id="w",
        input=several("a", "b"),
        memo=Memo(fields={"note": payload("n")}),
        header=Header(fields={"trace": payload("t")}),
        search_attributes=SearchAttributes(indexed_fields={"Colour": payload("red")}),
        last_completion_result=Payloads(),
    )


def test_every_place_of_a_request_is_replaced_in_a_copy() -> None:
    request = start_request()
    before = request.SerializeToString(deterministic=True)
    result = payloads.visit(request, shouted)
    assert request.SerializeToString(deterministic=True) == before
    assert [p.data for p in result.input.payloads] == [b"A", b"B"]
    assert result.memo.fields["note"].data == b"N"
    assert result.header.fields["trace"].data == b"T"
    assert result.search_attributes.indexed_fields["Colour"].data == b"red"
    assert (result.workflow_id, result.HasField("last_completion_result")) == ("w", True)


def test_headers_can_be_left_alone() -> None:
    result = payloads.visit(start_request(), shouted, headers=False)
    assert result.header.fields["trace"].data == b"t"
    assert result.memo.fields["note"].data == b"N"


def test_groups_are_whole_lists_or_single_payloads() -> None:
    seen: list[list[bytes]] = []

    def note(group: list[Payload]) -> list[Payload]:
        seen.append([p.data for p in group])
        return group

    assert payloads.visit(start_request(), note) == start_request()
    assert sorted(seen) == [[b"a", b"b"], [b"n"], [b"t"]]


def test_a_list_may_change_its_length_and_a_single_place_may_not() -> None:
    assert len(payloads.visit(several("a", "b"), lambda group: group[:1]).payloads) == 1
    assert len(payloads.visit(several("a"), lambda group: group * 3).payloads) == 3
    with pytest.raises(ValueError, match=r"fields\['note'\] of temporal.api.common.v1.Memo holds one payload, but 2"):
        payloads.visit(Memo(fields={"note": payload("n")}), lambda group: group * 2)


def test_commands_and_chains_of_failures_are_reached() -> None:
    inner = Failure(encoded_attributes=payload("e"), canceled_failure_info=CanceledFailureInfo(details=several("d")))
    attributes = ScheduleActivityTaskCommandAttributes(input=several("i"))
    request = RespondWorkflowTaskCompletedRequest(
        commands=[
            Command(
                command_type=COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, schedule_activity_task_command_attributes=attributes
            ),
            Command(fail_workflow_execution_command_attributes={"failure": Failure(cause=Failure(cause=inner))}),
        ]
    )
    result = payloads.visit(request, shouted)
    assert result.commands[0].schedule_activity_task_command_attributes.input.payloads[0].data == b"I"
    deepest = result.commands[1].fail_workflow_execution_command_attributes.failure.cause.cause
    assert deepest.encoded_attributes.data == b"E"
    assert deepest.canceled_failure_info.details.payloads[0].data == b"D"


def test_what_is_packed_stays_packed() -> None:
    message = ProtocolMessage(id="1")
    message.body.Pack(Request(input=Input(args=several("a"))))
    assert payloads.visit(message, shouted) == message


def test_the_bare_payload_lists_themselves() -> None:
    assert payloads.visit(several("a"), shouted) == several("A")


async def test_the_async_twin_does_the_same() -> None:
    async def replace(group: list[Payload]) -> list[Payload]:
        return shouted(group)

    assert await payloads.avisit(start_request(), replace) == payloads.visit(start_request(), shouted)
    without = payloads.visit(start_request(), shouted, headers=False)
    assert await payloads.avisit(start_request(), replace, headers=False) == without


def test_sizes_name_the_places() -> None:
    one = payload("a").ByteSize()
    assert dict(payloads.sizes(start_request())) == {
        "input.payloads": 2 * one,
        "memo.fields['note']": one,
        "header.fields['trace']": one,
    }
    request = RespondWorkflowTaskCompletedRequest(commands=[Command(), Command()])
    request.commands[1].schedule_activity_task_command_attributes.input.CopyFrom(several("a"))
    assert list(payloads.sizes(request)) == [
        ("commands[1].schedule_activity_task_command_attributes.input.payloads", one)
    ]


def test_every_message_of_the_api_can_be_visited() -> None:
    """No type sends the plan into an endless descent, whatever its recursion."""
    for service in descriptors.SERVICES.values():
        for method in service.methods:
            for type_ in (method.input_type, method.output_type):
                empty = descriptors.message_class(type_.full_name)()
                assert payloads.visit(empty, shouted) == empty
