"""How the command line reaches a server: encryption, keys, headers, identities; flags over environment over profile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
import trustme
from cli_stage import call
from rpc_server import Server, serving

from outlast.api.workflowservice.v1 import CountWorkflowExecutionsResponse, SignalWorkflowExecutionResponse

NAME = "temporal.internal"


async def at(server: Server, *words: str, **env: str) -> str:
    """What the command prints; it has to succeed."""
    done = await asyncio.to_thread(call, *words, "--address", server.address, env=env)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def papers(tmp_path: Path) -> tuple[grpc.ServerCredentials, list[str]]:
    """A server that wants to know who calls, and the flags that tell it."""
    authority = trustme.CA()
    ours, theirs = authority.issue_cert("cli@example.com"), authority.issue_cert(NAME)
    credentials = grpc.ssl_server_credentials(
        [(theirs.private_key_pem.bytes(), b"".join(part.bytes() for part in theirs.cert_chain_pems))],
        root_certificates=authority.cert_pem.bytes(),
        require_client_auth=True,
    )
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ours.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    flags = ["--tls-ca-path", str(tmp_path / "ca.pem"), "--tls-key-path", str(tmp_path / "key.pem")]
    return credentials, [*flags, "--tls-cert-data", ours.cert_chain_pems[0].bytes().decode(), "--tls-server-name", NAME]


async def test_certificates(papers: tuple[grpc.ServerCredentials, list[str]]) -> None:
    credentials, flags = papers
    counted = CountWorkflowExecutionsResponse(count=7)
    async with serving(credentials, CountWorkflowExecutions=lambda _: counted) as server:
        assert await at(server, "workflow", "count", *flags) == "Total: 7\n"
        ca, key = flags[1], flags[3]
        variables = {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": ca, "TEMPORAL_TLS_CLIENT_KEY_PATH": key}
        rest = flags[4:]
        assert await at(server, "workflow", "count", *rest, **variables) == "Total: 7\n"
        plain = await asyncio.to_thread(
            call, "workflow", "count", "--address", server.address, "--client-connect-timeout", "2s"
        )
        assert plain.exit_code == 1 and "Check the address and TLS settings" in plain.stderr


async def test_keys_headers_and_identities() -> None:
    async with serving(SignalWorkflowExecution=lambda _: SignalWorkflowExecutionResponse()) as server:
        signal = ("workflow", "signal", "-w", "order", "--name", "approve", "--no-tls")
        await at(server, *signal, "--api-key", "secret", "--grpc-meta", "team=blue", "--identity", "me", "-n", "shop")
        await at(server, *signal, TEMPORAL_API_KEY="other", TEMPORAL_NAMESPACE="shop", TEMPORAL_GRPC_META_TEAM="red")
        first, second = server.received("SignalWorkflowExecution")
        assert first.metadata["authorization"] == "Bearer secret" and second.metadata["authorization"] == "Bearer other"
        assert (first.metadata["team"], second.metadata["team"]) == ("blue", "red")
        assert first.request.identity == "me" and second.request.identity.startswith("cli:")
        assert {one.request.namespace for one in (first, second)} == {"shop"}
