"""The gRPC door of a server process, through plain gRPC: health, reflection, and what is not a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from killed_orders import TASK_QUEUE, Order, worker
from server_process import ServerProcess

import outlast.api.workflowservice.v1 as api
from outlast.api.descriptors import SERVICES
from outlast.client import Client

WORKFLOW = "temporal.api.workflowservice.v1.WorkflowService"
OPERATOR = "temporal.api.operatorservice.v1.OperatorService"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path) as server:
        yield server


@pytest.fixture
async def channel(server: ServerProcess) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


async def call(channel: grpc.aio.Channel, rpc: str, request: bytes | Message) -> bytes:
    data = request if isinstance(request, bytes) else request.SerializeToString()
    answer: bytes = await channel.unary_unary(f"/{WORKFLOW}/{rpc}")(data, timeout=20)
    return answer


async def refusal(channel: grpc.aio.Channel, rpc: str, request: bytes | Message) -> tuple[grpc.StatusCode, str]:
    """The code and the message of a refused call; the google.rpc.Status in the trailer says the same."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(channel, rpc, request)
    error = refused.value
    trailer = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if trailer is not None:
        status = Status.FromString(trailer)
        assert (status.code, status.message) == (error.code().value[0], error.details())
    return error.code(), str(error.details())


async def test_health(channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for name in ("", WORKFLOW, OPERATOR):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await health.Check(health_pb2.HealthCheckRequest(service="bakery"))
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_health_tells_when_the_server_stops(server: ServerProcess, channel: grpc.aio.Channel) -> None:
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=WORKFLOW))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    server.process.terminate()
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    watch.cancel()  # a stream that is open counts as a call under way
    assert await server.process.wait() == 0


async def test_reflection_describes_every_service(channel: grpc.aio.Channel) -> None:
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=WORKFLOW),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="temporal.api.history.v1.HistoryEvent"),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="bakery.Bread"),
    ]
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    services, workflow_service, history, unknown = [
        answer async for answer in stub.ServerReflectionInfo(iter(requests))
    ]
    assert {service.name for service in services.list_services_response.service} == {
        WORKFLOW,
        OPERATOR,
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    files = [FileDescriptorProto.FromString(f) for f in workflow_service.file_descriptor_response.file_descriptor_proto]
    (described,) = [service for file in files for service in file.service if service.name == "WorkflowService"]
    assert {method.name for method in described.method} == set(SERVICES[WORKFLOW].methods_by_name)
    assert history.file_descriptor_response.file_descriptor_proto
    assert unknown.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


async def test_no_bad_request_stops_the_server(server: ServerProcess, channel: grpc.aio.Channel) -> None:
    start = api.StartWorkflowExecutionRequest(namespace="default", workflow_id="1", request_id="r")
    start.workflow_type.name = "Order"
    start.task_queue.name = TASK_QUEUE
    lacking = {}
    for field in ("workflow_id", "workflow_type", "task_queue", "namespace"):
        lacking[field] = api.StartWorkflowExecutionRequest()
        lacking[field].CopyFrom(start)
        lacking[field].ClearField(field)
    execution = {"workflow_id": "1"}
    invalid = [
        ("StartWorkflowExecution", b"\xff\xff\xff this is no message", "is not a temporal.api.workflowservice.v1"),
        ("StartWorkflowExecution", lacking["workflow_id"], "workflow_id"),
        ("StartWorkflowExecution", lacking["workflow_type"], "workflow_type"),
        ("StartWorkflowExecution", lacking["task_queue"], "task_queue"),
        ("StartWorkflowExecution", lacking["namespace"], "namespace is empty"),
        ("SignalWorkflowExecution", b"", "workflow_id is empty"),
        ("RespondWorkflowTaskCompleted", api.RespondWorkflowTaskCompletedRequest(task_token=b"forged"), "token"),
        ("RespondActivityTaskCompleted", api.RespondActivityTaskCompletedRequest(task_token=b"forged"), "token"),
        (
            "GetWorkflowExecutionHistory",
            api.GetWorkflowExecutionHistoryRequest(namespace="default", execution=execution, next_page_token=b"forged"),
            "next_page_token",
        ),
        ("PollWorkflowTaskQueue", api.PollWorkflowTaskQueueRequest(namespace="default"), "task_queue"),
        ("ListWorkflowExecutions", api.ListWorkflowExecutionsRequest(namespace="default", query="WHERE ("), "query"),
    ]
    for rpc, request, words in invalid:
        code, message = await refusal(channel, rpc, request)
        assert code is grpc.StatusCode.INVALID_ARGUMENT, (rpc, message)
        assert words in message.lower() or words in message, (rpc, message)
    describe = api.DescribeWorkflowExecutionRequest(namespace="default", execution=execution)
    assert await refusal(channel, "DescribeWorkflowExecution", describe) == (
        grpc.StatusCode.NOT_FOUND,
        "there is no workflow '1' in this namespace; check the id and the namespace",
    )
    assert (await refusal(channel, "BakeBread", b""))[0] is grpc.StatusCode.UNIMPLEMENTED
    start.input.payloads.add(data=b"x" * 5_000_000)
    assert (await refusal(channel, "StartWorkflowExecution", start))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED

    reader, writer = await asyncio.open_connection(*server.address.split(":"))
    writer.write(b"GET / HTTP/1.1\r\nHost: somebody\r\n\r\n")
    async with asyncio.timeout(20):
        await reader.read()
    writer.close()

    async with await Client.connect(server.address) as client, worker(client):
        handle = await client.start_workflow(Order.run, "1", id="1", task_queue=TASK_QUEUE)
        await handle.signal(Order.add, "item")
        await handle.signal(Order.close)
        assert await handle.result() == ["item"]
    assert await server.stop() == 0
    assert "Traceback" not in server.log


async def test_an_rpc_that_is_not_built_is_named(channel: grpc.aio.Channel) -> None:
    """Every RPC answers: with its work, with what is wrong with an empty request, or that it is not built."""
    codes: dict[str, grpc.StatusCode] = {}
    for rpc in SERVICES[WORKFLOW].methods_by_name:
        try:
            await call(channel, rpc, b"")
        except grpc.aio.AioRpcError as error:
            codes[rpc] = error.code()
            named = rpc in str(error.details())
        else:
            codes[rpc] = grpc.StatusCode.OK
        assert codes[rpc] not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), rpc
        assert codes[rpc] is not grpc.StatusCode.UNIMPLEMENTED or named, rpc
    assert sum(code is not grpc.StatusCode.UNIMPLEMENTED for code in codes.values()) > 30
