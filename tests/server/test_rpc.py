"""The gRPC door over a real socket: errors with their details, bytes that are no request, health, reflection."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from outlast.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeWorkflowExecutionRequest
from outlast.server.node import Node
from outlast.server.rpc import BOUND, GrpcDoor
from outlast.storage.memory import MemoryStorage

WORKFLOW = "/temporal.api.workflowservice.v1.WorkflowService/"


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    node = await Node.open(MemoryStorage())
    door = GrpcDoor(node)
    port = await door.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    node.release()
    await door.stop(1)
    await node.close()


async def refused(channel: grpc.aio.Channel, rpc: str, data: bytes) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await channel.unary_unary(rpc)(data)
    return error.value


async def test_an_error_carries_its_details_in_the_trailer(channel: grpc.aio.Channel) -> None:
    request = DescribeWorkflowExecutionRequest(namespace="default", execution={"workflow_id": "order-42"})
    error = await refused(channel, WORKFLOW + "DescribeWorkflowExecution", request.SerializeToString())
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert "order-42" in (error.details() or "")
    trailer = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    assert isinstance(trailer, bytes)
    status = Status.FromString(trailer)
    assert status.code == grpc.StatusCode.NOT_FOUND.value[0]
    assert [detail.type_url.split(".")[-1] for detail in status.details] == ["NotFoundFailure"]


async def test_bytes_that_are_no_request_are_the_callers_fault(channel: grpc.aio.Channel) -> None:
    error = await refused(channel, WORKFLOW + "StartWorkflowExecution", b"\xff\xff\xff")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "StartWorkflowExecutionRequest" in (error.details() or "")
    # And the server goes on.
    request = DescribeNamespaceRequest(namespace="default").SerializeToString()
    assert await channel.unary_unary(WORKFLOW + "DescribeNamespace")(request)


async def test_what_is_not_built_says_its_name(channel: grpc.aio.Channel) -> None:
    error = await refused(channel, WORKFLOW + "CreateWorkflowRule", b"")
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "CreateWorkflowRule" in (error.details() or "")


@pytest.mark.parametrize("service", ["", *BOUND])
async def test_health(channel: grpc.aio.Channel, service: str) -> None:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_the_services_and_describes_them(channel: grpc.aio.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    ask = reflection_pb2.ServerReflectionRequest

    async def questions() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        yield ask(list_services="")
        yield ask(file_containing_symbol=BOUND[0])

    answers = [answer async for answer in stub.ServerReflectionInfo(questions())]
    names = {service.name for service in answers[0].list_services_response.service}
    assert set(BOUND) | {"grpc.health.v1.Health"} <= names
    assert answers[1].file_descriptor_response.file_descriptor_proto
