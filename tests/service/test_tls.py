"""Encryption and mutual authentication over real sockets, with certificates made for the occasion."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import grpc
import pytest
import trustme
from rpc_server import serving

from outlast.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeNamespaceResponse
from outlast.client import Client
from outlast.service import HttpConnectProxyConfig, TLSConfig


class Authority:
    """A CA, a server certificate for one name, and a client certificate."""

    def __init__(self, name: str) -> None:
        self.ca = trustme.CA()
        self.root = self.ca.cert_pem.bytes()
        self.server = self.ca.issue_cert(name)
        self.client = self.ca.issue_cert("client@example.com")

    def credentials(self, *, mutual: bool = False) -> grpc.ServerCredentials:
        chain = b"".join(part.bytes() for part in self.server.cert_chain_pems)
        return grpc.ssl_server_credentials(
            [(self.server.private_key_pem.bytes(), chain)],
            root_certificates=self.root if mutual else None,
            require_client_auth=mutual,
        )

    @property
    def client_pair(self) -> dict[str, bytes]:
        chain = b"".join(part.bytes() for part in self.client.cert_chain_pems)
        return {"client_cert": chain, "client_private_key": self.client.private_key_pem.bytes()}


def described(_: DescribeNamespaceRequest) -> DescribeNamespaceResponse:
    return DescribeNamespaceResponse(failover_version=7)


async def describe(client: Client) -> int:
    answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    return int(answer.failover_version)


SHORT = timedelta(seconds=2)


async def test_encrypted_with_a_root_of_our_own() -> None:
    here = Authority("localhost")
    async with serving(here.credentials(), DescribeNamespace=described) as server:
        address = server.address.replace("127.0.0.1", "localhost")
        async with await Client.connect(address, tls=TLSConfig(server_root_ca_cert=here.root)) as client:
            assert await describe(client) == 7
        with pytest.raises(RuntimeError, match="Failed client connect"):
            await Client.connect(address, tls=True, connect_timeout=SHORT)
        with pytest.raises(RuntimeError, match="Failed client connect"):
            await Client.connect(address, connect_timeout=SHORT)


async def test_a_name_that_is_not_the_address() -> None:
    here = Authority("temporal.internal")
    async with serving(here.credentials(), DescribeNamespace=described) as server:
        tls = TLSConfig(server_root_ca_cert=here.root, domain="temporal.internal")
        async with await Client.connect(server.address, tls=tls) as client:
            assert await describe(client) == 7
        with pytest.raises(RuntimeError, match="Failed client connect"):
            wrong = TLSConfig(server_root_ca_cert=here.root, domain="elsewhere.internal")
            await Client.connect(server.address, tls=wrong, connect_timeout=SHORT)


async def test_mutual() -> None:
    here, other = Authority("localhost"), Authority("localhost")
    async with serving(here.credentials(mutual=True), DescribeNamespace=described) as server:
        address = server.address.replace("127.0.0.1", "localhost")
        tls = TLSConfig(server_root_ca_cert=here.root, **here.client_pair)
        async with await Client.connect(address, tls=tls) as client:
            assert await describe(client) == 7
        for refused in ({}, other.client_pair):
            with pytest.raises(RuntimeError, match="Failed client connect"):
                await Client.connect(
                    address, tls=TLSConfig(server_root_ca_cert=here.root, **refused), connect_timeout=SHORT
                )


async def test_an_api_key_means_tls_and_can_be_changed_while_connected() -> None:
    here = Authority("localhost")
    async with serving(here.credentials(), DescribeNamespace=described) as server:
        address = server.address.replace("127.0.0.1", "localhost")
        with pytest.raises(RuntimeError, match="Failed client connect"):
            await Client.connect(address, api_key="first", connect_timeout=SHORT)  # TLS, with the usual roots
        tls = TLSConfig(server_root_ca_cert=here.root)
        async with await Client.connect(address, api_key="first", tls=tls) as client:
            await describe(client)
            client.api_key = "second"
            await describe(client)
            client.rpc_metadata = {"authorization": "mine", "x-more": "1"}
            await describe(client)
            client.api_key = None
            client.rpc_metadata = {}
            await describe(client)
    keys = [call.metadata.get("authorization") for call in server.received("DescribeNamespace")]
    assert keys == ["Bearer first", "Bearer second", "mine", None]
    assert server.received("DescribeNamespace")[2].metadata["x-more"] == "1"


@asynccontextmanager
async def proxy(seen: list[bytes]) -> AsyncIterator[str]:
    """An HTTP proxy that knows only CONNECT, and writes down what it was asked for."""
    pipes: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        host, _, port = head.split()[1].decode().rpartition(":")
        upstream_reader, upstream_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for pair in ((reader, upstream_writer), (upstream_reader, writer)):
            task = asyncio.create_task(pump(*pair))
            pipes.add(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for pipe in pipes:
            pipe.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)


async def test_through_a_proxy() -> None:
    seen: list[bytes] = []
    async with serving(DescribeNamespace=described) as server, proxy(seen) as address:
        through = HttpConnectProxyConfig(address, basic_auth=("ada", "secret"))
        async with await Client.connect(server.address, http_connect_proxy_config=through) as client:
            assert await describe(client) == 7
    head = seen[0].decode()
    assert head.startswith(f"CONNECT {server.address} HTTP/1.")
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'ada:secret').decode()}".lower() in head.lower()
