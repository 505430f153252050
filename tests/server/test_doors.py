"""Who is let in at the doors: certificates, API keys, a rate for each namespace; and doors that close at once."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import httpx
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from outlast.api.enums import v1 as e
from outlast.api.errordetails.v1 import ResourceExhaustedFailure
from outlast.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest, RegisterNamespaceRequest
from outlast.client import Client, TLSConfig
from outlast.server import http_server, request_rate, tls
from outlast.server.api_keys import ApiKeys, KeyInterceptor
from outlast.server.node import Node
from outlast.server.origin import Hosts
from outlast.server.rpc import GrpcDoor
from outlast.server.tls import Tls
from outlast.service import RPCError, RPCStatusCode
from outlast.storage.memory import MemoryStorage
from outlast.vocab.errors import ServiceError

WORKFLOW = "/temporal.api.workflowservice.v1.WorkflowService/"
KEY = "a-key-of-the-server"


class Doors(NamedTuple):
    address: str
    url: str


@asynccontextmanager
async def open_doors(
    *keys: str, papers: Tls | None = None, rps: float = 0, node: Node | None = None
) -> AsyncIterator[Doors]:
    """A node with both doors, put together as the server does it."""
    node = node or await Node.open(MemoryStorage())
    call = request_rate.limited(node, node.call, rps) if rps else node.call
    held = ApiKeys(keys) if keys else None
    http, call = http_server.before(node, Hosts("127.0.0.1"), 1, call=call, keys=held, tls=papers)
    door = GrpcDoor(node, call, () if held is None else (KeyInterceptor(held),))
    port = await door.start("127.0.0.1:0", None if papers is None else tls.for_grpc(papers))
    ui_port = await http.start("127.0.0.1", 0, "--ui-port")
    try:
        yield Doors(f"127.0.0.1:{port}", f"http{'s' if papers else ''}://127.0.0.1:{ui_port}")
    finally:
        node.release()
        await door.stop(1)
        await http.stop()
        await node.close()


async def ask(channel: grpc.aio.Channel, rpc: str, request: Any, *metadata: tuple[str, str]) -> bytes:
    return await channel.unary_unary(WORKFLOW + rpc)(request.SerializeToString(), metadata=metadata)


# -- certificates --------------------------------------------------------------------------------------------------


class Papers(NamedTuple):
    authority: trustme.CA
    tls: Tls
    mutual: Tls
    folder: Path

    def client(self, *, with_own: bool) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.authority.cert_pem.bytes().decode())
        if with_own:
            self.authority.issue_cert("client@example.com").configure_cert(context)
        return context


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    for part in issued.cert_chain_pems:
        part.write_to_path(str(folder / "cert.pem"), append=True)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    own = Tls(folder / "cert.pem", folder / "key.pem")
    return Papers(authority, own, Tls(own.certificate, own.key, folder / "ca.pem"), folder)


async def test_both_doors_speak_tls_and_no_longer_in_the_clear(papers: Papers) -> None:
    root = papers.authority.cert_pem.bytes()
    async with open_doors(papers=papers.tls) as doors:
        client = await Client.connect(doors.address, tls=TLSConfig(server_root_ca_cert=root))
        assert await client.service_client.check_health()
        await client.service_client.close()
        async with httpx.AsyncClient(verify=papers.client(with_own=False), trust_env=False) as http:
            assert (await http.get(f"{doors.url}/healthz")).status_code == 200
        async with grpc.aio.insecure_channel(doors.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(channel, "GetSystemInfo", GetSystemInfoRequest())
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        async with httpx.AsyncClient(trust_env=False) as http:
            with pytest.raises(httpx.HTTPError):
                await http.get(doors.url.replace("https", "http"))


async def test_callers_need_a_certificate_where_the_server_asks_for_one(papers: Papers) -> None:
    root = papers.authority.cert_pem.bytes()
    ours = papers.authority.issue_cert("worker@example.com")
    pair = TLSConfig(
        server_root_ca_cert=root,
        client_cert=ours.cert_chain_pems[0].bytes(),
        client_private_key=ours.private_key_pem.bytes(),
    )
    stranger = trustme.CA().issue_cert("stranger@example.com")
    unknown = grpc.ssl_channel_credentials(root, stranger.private_key_pem.bytes(), stranger.cert_chain_pems[0].bytes())
    async with open_doors(papers=papers.mutual) as doors:
        client = await Client.connect(doors.address, tls=pair)
        assert await client.service_client.check_health()
        await client.service_client.close()
        for credentials in (grpc.ssl_channel_credentials(root), unknown):
            async with grpc.aio.secure_channel(doors.address, credentials) as channel:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await ask(channel, "GetSystemInfo", GetSystemInfoRequest())
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        async with httpx.AsyncClient(verify=papers.client(with_own=True), trust_env=False) as http:
            assert (await http.get(f"{doors.url}/healthz")).status_code == 200
        async with httpx.AsyncClient(verify=papers.client(with_own=False), trust_env=False) as http:
            with pytest.raises(httpx.HTTPError):
                await http.get(f"{doors.url}/healthz")


async def test_nothing_older_than_tls_1_2_is_spoken(papers: Papers) -> None:
    async with open_doors(papers=papers.tls) as doors:
        for address in (doors.address, doors.url.removeprefix("https://")):
            host, port = address.split(":")
            context = papers.client(with_own=False)
            context.set_ciphers("ALL:@SECLEVEL=0")
            with pytest.warns(DeprecationWarning, match="TLSv1"):
                context.minimum_version = ssl.TLSVersion.TLSv1
            with pytest.warns(DeprecationWarning, match="TLSv1"):
                context.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection(host, int(port), ssl=context)


def test_files_that_are_no_certificates_are_refused_by_name(papers: Papers, tmp_path: Path) -> None:
    other = trustme.CA().issue_cert("other")
    other.private_key_pem.write_to_path(str(tmp_path / "other.pem"))
    (tmp_path / "words.pem").write_text("no certificate")
    own = papers.tls
    tls.check(papers.mutual)
    for files, words in (
        (Tls(tmp_path / "none.pem", own.key), "--tls-cert .*none.pem cannot be read: No such file"),
        (Tls(own.certificate, tmp_path / "other.pem"), "no pair of a certificate and its key"),
        (Tls(tmp_path / "words.pem", own.key), "no pair of a certificate and its key"),
        (Tls(own.certificate, own.key, tmp_path / "words.pem"), "--tls-client-ca .*words.pem has no certificate"),
    ):
        with pytest.raises(OSError, match=words):
            tls.check(files)


def test_a_key_with_a_password_is_refused(papers: Papers, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(papers.tls.key.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
    )
    (tmp_path / "locked.pem").write_bytes(locked)
    with pytest.raises(OSError, match=r"locked\.pem is encrypted; give a key without a password"):
        tls.check(Tls(papers.tls.certificate, tmp_path / "locked.pem"))


# -- keys ----------------------------------------------------------------------------------------------------------


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("value", [f"Bearer {KEY}", f"bearer   {KEY} ", basic("me", KEY), basic("", KEY), "Bearer old"])
def test_a_key_comes_as_a_bearer_or_as_a_password(value: str) -> None:
    assert ApiKeys([KEY, "old"]).fault(value) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "wants an API key"),
        ("Bearer", "wants an API key"),
        (f"Digest {KEY}", "wants an API key"),
        ("Basic %%%", "wants an API key"),
        ("Basic /w==", "wants an API key"),
        (basic(KEY, ""), "wants an API key"),
        (f"Bearer {KEY}x", "none of this server's"),
        (f"Bearer {KEY[:-1]}", "none of this server's"),
        (basic(KEY, "guess"), "none of this server's"),
    ],
)
def test_nothing_else_lets_in(value: str, words: str) -> None:
    fault = ApiKeys([KEY]).fault(value)
    assert fault is not None and words in fault.message and KEY not in fault.message


async def test_grpc_wants_a_key_before_it_reads_the_request() -> None:
    async with open_doors(KEY) as doors, grpc.aio.insecure_channel(doors.address) as channel:
        right, wrong = ("authorization", f"Bearer {KEY}"), ("authorization", "Bearer guess")
        assert await ask(channel, "GetSystemInfo", GetSystemInfoRequest(), right)
        for metadata in ((), (wrong,)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await channel.unary_unary(WORKFLOW + "StartWorkflowExecution")(b"\xff\xff", metadata=metadata)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            async for _ in stub.ServerReflectionInfo(iter([question])):
                raise AssertionError("answered without a key")
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        answers = [answer async for answer in stub.ServerReflectionInfo(iter([question]), metadata=(right,))]
        assert answers[0].list_services_response.service


async def test_clients_of_both_sdks_bring_their_key() -> None:
    from temporalio.client import Client as TemporalClient
    from temporalio.service import RPCError as TemporalError

    async with open_doors(KEY) as doors:
        ours = await Client.connect(doors.address, api_key=KEY, tls=False)
        assert (await ours.count_workflows()).count == 0
        await ours.service_client.close()
        theirs = await TemporalClient.connect(doors.address, api_key=KEY, tls=False)
        assert (await theirs.count_workflows()).count == 0
        with pytest.raises(RuntimeError, match="refused us: the API key is none") as refused:
            await Client.connect(doors.address, api_key="guess", tls=False)
        assert isinstance(refused.value.__cause__, RPCError)
        assert refused.value.__cause__.status == RPCStatusCode.UNAUTHENTICATED
        with pytest.raises((RuntimeError, TemporalError), match="API key"):
            await TemporalClient.connect(doors.address, api_key="guess", tls=False)


async def test_every_path_of_http_but_health_wants_a_key() -> None:
    async with open_doors(KEY) as doors, httpx.AsyncClient(base_url=doors.url, trust_env=False) as http:
        assert (await http.get("/healthz")).status_code == 200
        for path in (
            "/",
            "/app.js",
            "/metrics",
            "/api/v1/openapi.json",
            "/api/v1/namespaces",
            "//healthz",
            "/healthz/x",
        ):
            refused = await http.get(path)
            assert refused.status_code == 401, path
            assert refused.headers["www-authenticate"].startswith("Basic realm=")
            assert refused.json()["code"] == 16 and "API key" in refused.json()["message"]
            for authorization in (f"Bearer {KEY}", basic("anybody", KEY)):
                answer = await http.get(path, headers={"authorization": authorization})
                assert answer.status_code in (200, 404), path
        large = await http.post("/api/v1/namespaces", content=b"x" * 100, headers={"authorization": "Bearer guess"})
        assert large.status_code == 401


# -- the rate of a namespace ---------------------------------------------------------------------------------------


async def test_a_namespace_that_calls_too_often_is_held_back_and_others_are_not() -> None:
    node = await Node.open(MemoryStorage())
    async with open_doors(rps=0.5, node=node) as doors, grpc.aio.insecure_channel(doors.address) as channel:
        describe = DescribeNamespaceRequest(namespace="default")
        await ask(channel, "DescribeNamespace", describe)
        with pytest.raises(grpc.aio.AioRpcError) as held:
            for _ in range(3):
                await ask(channel, "DescribeNamespace", describe)
        assert held.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "'default' makes more than 0.5 calls per second" in (held.value.details() or "")
        await ask(channel, "GetSystemInfo", GetSystemInfoRequest())
        await ask(channel, "RegisterNamespace", RegisterNamespaceRequest(namespace="shop", **_retention()))
        await ask(channel, "DescribeNamespace", DescribeNamespaceRequest(namespace="shop"))
        async with httpx.AsyncClient(base_url=doors.url, trust_env=False) as http:
            answer = await http.get("/api/v1/namespaces/default")
            assert answer.status_code == 429 and "rate limit exceeded" in answer.json()["message"]


def _retention() -> dict[str, Any]:
    return {"workflow_execution_retention_period": {"seconds": 86400}}


async def test_the_bucket_holds_two_seconds_and_fills_with_the_rate() -> None:
    from hand_driven import HandClock

    from outlast.server.context import CallContext

    clock = HandClock()
    node = await Node.open(MemoryStorage(), clock=clock)
    call = request_rate.limited(node, node.call, 10)

    async def taken() -> int:
        """How many calls in a row are taken now."""
        for number in range(100):
            try:
                await call(
                    WORKFLOW.strip("/"), "DescribeNamespace", DescribeNamespaceRequest(namespace="default"),
                    CallContext("grpc"),
                )  # fmt: skip
            except ServiceError as error:
                detail = error.to_status().details[0]
                exhausted = ResourceExhaustedFailure.FromString(detail.value)
                assert exhausted.cause == e.RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT
                assert exhausted.scope == e.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE
                return number
        raise AssertionError("nothing is held back")

    assert await taken() == 20
    await clock.advance(500_000_000)
    assert await taken() == 5
    await clock.advance(3600 * 10**9)
    assert await taken() == 20
    unknown = DescribeNamespaceRequest(namespace="nowhere")
    for _ in range(50):
        with pytest.raises(ServiceError, match="nowhere"):
            await call(WORKFLOW.strip("/"), "DescribeNamespace", unknown, CallContext("grpc"))
    await node.close()


# -- the end -------------------------------------------------------------------------------------------------------


async def test_who_watches_the_health_is_told_of_the_end_and_delays_it_by_nothing() -> None:
    node = await Node.open(MemoryStorage())
    door = GrpcDoor(node)
    port = await door.start("127.0.0.1:0")
    status = health_pb2.HealthCheckResponse
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest(service=name)) for name in ("", "elsewhere")]
        first = [(await watch.read()).status for watch in watches]
        assert first == [status.SERVING, status.SERVICE_UNKNOWN]
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await stub.Check(health_pb2.HealthCheckRequest(service="elsewhere"))
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
        async with asyncio.timeout(60):
            await door.stop(3600)
            assert (await watches[0].read()).status == status.NOT_SERVING
            assert await watches[0].read() is grpc.aio.EOF
            assert await watches[0].code() is grpc.StatusCode.OK
    await node.close()
