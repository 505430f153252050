"""``outlast server`` behind TLS and API keys, as a process, with the command line and a browser's kind of client."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import trustme
from server_process import ServerProcess
from test_server import refused, tree

from outlast.client import Client, TLSConfig

KEYS = {"OUTLAST_SERVER_API_KEY": "first-key second-key"}


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder with the server's certificate, its key and the root, and the server's data in a folder beside."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (tmp_path / "data").mkdir()
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return folder


def flags(papers: Path) -> tuple[str, ...]:
    return ("--tls-cert", str(papers / "cert.pem"), "--tls-key", str(papers / "key.pem"))


async def outlast(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "outlast", *words]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "OUTLAST_"))}
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, env=clean)


async def test_calls_need_the_root_and_a_key(papers: Path) -> None:
    root = papers / "ca.pem"
    server = ServerProcess(papers.parent / "data", *flags(papers), "--ui-port", "0", ui=True)
    server.environment |= KEYS
    async with server:
        url = server.greeting[1].strip().removeprefix("Web UI: ")
        assert url.startswith("https://localhost:")
        for key in KEYS["OUTLAST_SERVER_API_KEY"].split():
            tls = TLSConfig(server_root_ca_cert=root.read_bytes())
            async with await Client.connect(server.address, tls=tls, api_key=key) as client:
                assert (await client.count_workflows()).count == 0
        reach = ("--address", server.address, "--tls-ca-path", str(root))
        listed = await outlast("workflow", "count", *reach, "--api-key", "second-key")
        assert (listed.returncode, listed.stdout) == (0, "Total: 0\n"), listed.stderr
        locked_out = await outlast("workflow", "count", *reach)
        assert locked_out.returncode == 1 and "wants an API key" in locked_out.stderr
        context = ssl.create_default_context(cafile=str(root))
        async with httpx.AsyncClient(base_url=url, verify=context, trust_env=False) as http:
            assert (await http.get("/healthz")).status_code == 200
            assert (await http.get("/")).status_code == 401
            page = await http.get("/", auth=("me", "first-key"))
            assert page.headers["content-type"].startswith("text/html")
            assert (await http.get("/api/v1/namespaces", auth=("me", "first-key"))).status_code == 200
        assert await server.stop() == 0
    assert "first-key" not in server.log and "Traceback" not in server.log


async def test_keys_in_the_clear_are_warned_of_where_others_listen(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path, "--api-key", "k", "--ip", "0.0.0.0") as server:
        assert "API keys come unencrypted" in server.log
    async with ServerProcess(tmp_path, "--api-key", "k") as server:
        assert "unencrypted" not in server.log.split("API keys come unencrypted", 1)[1]


def test_what_is_no_certificate_is_refused_before_the_data_is_touched(papers: Path) -> None:
    data = papers.parent / "data"
    missing = ("--tls-cert", str(papers / "none.pem"), "--tls-key", str(papers / "key.pem"))
    assert "--tls-cert" in refused(data, *missing) and "cannot be read" in refused(data, *missing)
    swapped = ("--tls-cert", str(papers / "ca.pem"), "--tls-key", str(papers / "key.pem"))
    assert "no pair of a certificate and its key" in refused(data, *swapped)
    assert not tree(data)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tls-cert", "cert.pem"), "both --tls-cert and --tls-key"),
        (("--tls-client-ca", "ca.pem"), "both --tls-cert and --tls-key"),
        (("--api-key", ""), "printable ASCII"),
        (("--api-key", "two words"), "printable ASCII"),
        (("--namespace-rps", "-1"), "--namespace-rps"),
    ],
)
async def test_options_that_make_no_sense(options: tuple[str, ...], words: str) -> None:
    done = await outlast("server", "--headless", *options)
    assert done.returncode == 2 and words in done.stderr
