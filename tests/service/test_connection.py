"""The gRPC transport and what surrounds it, against a real grpc.aio server in this process."""

from __future__ import annotations

import asyncio
import logging
import socket
from datetime import timedelta
from typing import Any

import grpc
import pytest
from rpc_server import serving

import outlast.service
from outlast.api.common.v1 import Memo, Payload, Payloads
from outlast.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from outlast.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    CountWorkflowExecutionsResponse,
    GetSystemInfoRequest,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
)
from outlast.service import (
    ConnectConfig,
    GrpcCompression,
    KeepAliveConfig,
    RetryConfig,
    RPCError,
    RPCStatusCode,
    ServiceClient,
    TLSConfig,
)
from outlast.vocab import errors

pytestmark = pytest.mark.asyncio

COUNT = CountWorkflowExecutionsRequest(namespace="shop")
AT_ONCE = RetryConfig(initial_interval_millis=1, max_interval_millis=1)


def failing(error: errors.ServiceError, times: int) -> Any:
    failures = [error] * times

    def handler(_: Any) -> CountWorkflowExecutionsResponse:
        if failures:
            raise failures.pop()
        return CountWorkflowExecutionsResponse(count=7)

    return handler


async def test_headers_of_a_call() -> None:
    async with serving(CountWorkflowExecutions=lambda _: CountWorkflowExecutionsResponse(count=3)) as server:
        config = ConnectConfig(
            server.address, tls=False, api_key="secret", rpc_metadata={"X-Team": "a", "b-bin": b"\0"}
        )
        client = await ServiceClient.connect(config)
        answer = await client.workflow_service.count_workflow_executions(COUNT, metadata={"x-team": "b"})
        client.update_api_key("other")
        await client.workflow_service.count_workflow_executions(COUNT)
        await client.close()
    assert answer == CountWorkflowExecutionsResponse(count=3)
    first, second = server.received("CountWorkflowExecutions")
    assert first.request == COUNT
    wanted = {
        "client-name": "outlast-python",
        "client-version": outlast.__version__,
        "supported-features": "follows-next-run-id",
        "temporal-namespace": "shop",
        "authorization": "Bearer secret",
        "x-team": "b",
        "b-bin": b"\0",
    }
    assert wanted.items() <= first.metadata.items()
    assert second.metadata["authorization"] == "Bearer other"
    assert second.metadata["x-team"] == "a"


async def test_metadata_that_grpc_cannot_send_is_refused() -> None:
    async with serving() as server:
        client = await ServiceClient.connect(ConnectConfig(server.address))
        with pytest.raises(TypeError, match="'team-bin' must be bytes, not str"):
            client.update_rpc_metadata({"team-bin": "text"})
        with pytest.raises(TypeError, match="'team' must be str, not bytes"):
            await client.workflow_service.count_workflow_executions(COUNT, metadata={"team": b"x"})
        await client.close()


async def test_an_error_of_the_server_keeps_code_message_and_details() -> None:
    refusal = errors.WorkflowExecutionAlreadyStarted("taken", run_id="r1")
    async with serving(CountWorkflowExecutions=failing(refusal, 1)) as server:
        client = await ServiceClient.connect(ConnectConfig(server.address))
        with pytest.raises(RPCError) as caught:
            await client.workflow_service.count_workflow_executions(COUNT)
        await client.close()
    assert caught.value.status is RPCStatusCode.ALREADY_EXISTS
    assert caught.value.message == str(caught.value) == "taken"
    details = WorkflowExecutionAlreadyStartedFailure()
    assert caught.value.grpc_status.details[0].Unpack(details)
    assert details.run_id == "r1"


@pytest.mark.parametrize(
    ("error", "retry", "attempts"),
    [
        (errors.Unavailable("restarting"), True, 3),
        (errors.Internal("hiccup"), True, 3),
        (errors.Unavailable("restarting"), False, 1),
        (errors.NotFound("gone"), True, 1),
        (errors.InvalidArgument("wrong"), True, 1),
    ],
)
async def test_what_is_repeated(error: errors.ServiceError, retry: bool, attempts: int) -> None:
    async with serving(CountWorkflowExecutions=failing(error, 2)) as server:
        client = await ServiceClient.connect(ConnectConfig(server.address, retry_config=AT_ONCE))
        call = client.workflow_service.count_workflow_executions(COUNT, retry=retry)
        if attempts == 3:
            assert (await call).count == 7
        else:
            with pytest.raises(RPCError):
                await call
        await client.close()
    assert len(server.received("CountWorkflowExecutions")) == attempts


async def test_repetition_ends() -> None:
    limited = RetryConfig(initial_interval_millis=1, max_interval_millis=1, max_retries=2)
    async with serving(CountWorkflowExecutions=failing(errors.Unavailable("down"), 99)) as server:
        client = await ServiceClient.connect(ConnectConfig(server.address, retry_config=limited))
        with pytest.raises(RPCError, match="down"):
            await client.workflow_service.count_workflow_executions(COUNT, retry=True)
        await client.close()
    assert len(server.received("CountWorkflowExecutions")) == 3


async def test_a_deadline_ends_a_call() -> None:
    async def never(_: Any) -> CountWorkflowExecutionsResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(CountWorkflowExecutions=never) as server:
        client = await ServiceClient.connect(ConnectConfig(server.address))
        with pytest.raises(RPCError) as caught:
            await client.workflow_service.count_workflow_executions(
                COUNT, retry=True, timeout=timedelta(milliseconds=50)
            )
        await client.close()
    assert caught.value.status is RPCStatusCode.DEADLINE_EXCEEDED


async def test_calls_without_a_deadline_get_one() -> None:
    async with serving(CountWorkflowExecutions=lambda _: CountWorkflowExecutionsResponse()) as server:
        client = await ServiceClient.connect(ConnectConfig(server.address))
        await client.workflow_service.count_workflow_executions(COUNT)
        await client.close()
    remaining = server.received("CountWorkflowExecutions")[0].remaining
    assert remaining is not None
    assert 20 < remaining < 31


@pytest.mark.parametrize("compression", [GrpcCompression.GZIP, GrpcCompression.NONE])
async def test_large_and_small_requests_arrive_whole(compression: GrpcCompression) -> None:
    async with serving(
        StartWorkflowExecution=lambda r: StartWorkflowExecutionResponse(run_id=str(r.ByteSize()))
    ) as server:
        client = await ServiceClient.connect(ConnectConfig(server.address, grpc_compression=compression))
        for size in (10, 100_000):
            request = StartWorkflowExecutionRequest(input=Payloads(payloads=[Payload(data=b"x" * size)]))
            answer = await client.workflow_service.start_workflow_execution(request)
            assert int(answer.run_id) == request.ByteSize()
        await client.close()


async def test_nothing_at_the_address() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(RuntimeError, match=rf"no server answered at {address}.*`outlast server`"):
        await ServiceClient.connect(ConnectConfig(address))


async def test_an_address_without_a_port_is_told_which() -> None:
    with pytest.raises(RuntimeError, match=r"127.0.0.1 names no port: Outlast's is 7233"):
        await ServiceClient.connect(ConnectConfig("127.0.0.1", connect_timeout=timedelta(milliseconds=200)))


async def test_an_address_that_never_answers_is_given_up_after_the_connect_timeout() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RuntimeError, match=rf"no server answered at {address} within 0.2 s"):
            await ServiceClient.connect(ConnectConfig(address, connect_timeout=timedelta(milliseconds=200)))


async def test_a_lazy_client_connects_at_the_first_call() -> None:
    async with serving(CountWorkflowExecutions=lambda _: CountWorkflowExecutionsResponse(count=1)) as server:
        client = await ServiceClient.connect(ConnectConfig(server.address, lazy=True))
        assert server.calls == []
        assert (await client.workflow_service.count_workflow_executions(COUNT)).count == 1
        await client.close()
    assert [call.rpc for call in server.calls] == ["GetSystemInfo", "CountWorkflowExecutions"]


async def test_a_server_that_refuses_us_is_named() -> None:
    def refuse(_: GetSystemInfoRequest) -> Any:
        raise errors.PermissionDenied("wrong key")

    async with serving(GetSystemInfo=refuse) as server:
        with pytest.raises(RuntimeError, match=rf"server at {server.address} refused us: wrong key"):
            await ServiceClient.connect(ConnectConfig(server.address))


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("no_grpc_proxy", raising=False)
    async with serving() as server:
        client = await ServiceClient.connect(ConnectConfig(server.address))
        await client.close()
    assert [call.rpc for call in server.calls] == ["GetSystemInfo"]


async def test_large_payloads_are_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    request = StartWorkflowExecutionRequest(
        input=Payloads(payloads=[Payload(data=b"x" * 600_000)]), memo=Memo(fields={"note": Payload(data=b"x" * 3000)})
    )
    async with serving(StartWorkflowExecution=lambda _: StartWorkflowExecutionResponse()) as server:
        client = await ServiceClient.connect(ConnectConfig(server.address))
        with caplog.at_level(logging.WARNING, "outlast.service"):
            await client.workflow_service.start_workflow_execution(request)
        await client.close()
    assert [record.message[:11] for record in caplog.records] == ["[TMPRL1103]"] * 2
    assert "memo" in caplog.text
    assert "input" in caplog.text


async def test_every_rpc_of_the_descriptors_is_bound_by_its_snake_case_name() -> None:
    client = await ServiceClient.connect(ConnectConfig("nowhere:1", lazy=True))
    import temporalio.bridge.services_generated as theirs

    for ours, reference in (
        (client.workflow_service, theirs.WorkflowService),
        (client.operator_service, theirs.OperatorService),
        (client.test_service, theirs.TestService),
    ):
        missing = [n for n in vars(reference) if not n.startswith("_") and not hasattr(ours, n)]
        assert missing == []
    with pytest.raises(AttributeError):
        _ = client.workflow_service.start_nothing
    with pytest.raises(NotImplementedError, match=r"CloudService\.get_users"):
        client.cloud_service.get_users()


async def test_tls_settings_that_cannot_work_are_refused() -> None:
    for tls, error in (
        (TLSConfig(client_cert=b"x"), ValueError),
        (TLSConfig(server_root_ca_cert=b"x", verification_server_name="y"), NotImplementedError),
    ):
        with pytest.raises(error):
            await ServiceClient.connect(ConnectConfig("localhost:1", tls=tls))


async def test_defaults_are_temporals() -> None:
    import temporalio.service as theirs

    mine, reference = ConnectConfig("h:1"), theirs.ConnectConfig("h:1")
    assert mine.identity == reference.identity
    assert RetryConfig() == RetryConfig(**vars(theirs.RetryConfig()))
    assert KeepAliveConfig.default == KeepAliveConfig(**vars(theirs.KeepAliveConfig.default))
    assert {c.name: c.value for c in RPCStatusCode} == {c.name: c.value for c in theirs.RPCStatusCode}
    assert {c.value[0] for c in grpc.StatusCode} == set(RPCStatusCode)
