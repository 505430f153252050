"""The rivals' servers, each in processes of its own over a fresh database.

Each yields where it answers, and its process id.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import accepts, free_port, process
from benchmarks.rivals.environment import postgres_binaries, restate_server

Running = Iterator[tuple[str, int]]


@contextlib.contextmanager
def temporal(where: str, folder: Path, *pragmas: str) -> Running:
    """Temporal's dev server with an SQLite file.

    Args:
        where: the path of Temporal's CLI, or the address of a server that runs, whose process id is yielded as 0.
    """
    if not Path(where).exists():
        yield where, 0
        return
    port = free_port()
    command = [where, "server", "start-dev", "--headless", "--log-level", "error", "--port", str(port)]
    command += ["--db-filename", str(folder / "temporal.db")]
    for pragma in pragmas:
        command += ["--sqlite-pragma", pragma]
    with process(command, lambda: accepts(port), log=folder / "temporal.log") as pid:
        yield f"127.0.0.1:{port}", pid


@contextlib.contextmanager
def postgres(folder: Path) -> Running:
    """PostgreSQL as it comes (fsync and synchronous_commit on), with room for the pools of DBOS. Never runs as root."""
    binaries, data, port = postgres_binaries(), folder / "postgres", free_port()
    if binaries is None:
        raise RuntimeError("PostgreSQL is not installed")
    # initdb refuses to be root, so root lends it the name of the user that the system's package has made.
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    data.mkdir()
    if as_user:
        shutil.chown(data, "postgres", "postgres")
        for parent in (folder, folder.parent):
            parent.chmod(0o755)
    user = "postgres" if as_user else getpass.getuser()
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    subprocess.run(
        [*as_user, binaries / "initdb", "-D", data, "-U", user, "-A", "trust", "-E", "UTF8"], **quiet, cwd=data
    )
    command = [*as_user, str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-k", str(data)]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]
    with process(command, lambda: accepts(port), log=folder / "postgres.log") as pid:
        yield f"postgresql://{user}@127.0.0.1:{port}/rivals", pid


@contextlib.contextmanager
def restate(folder: Path) -> Running:
    """Restate's server, one node; the load process serves the handlers and registers itself.

    Yields the ports of the ingress and of the administration, as "ingress,admin".
    """
    binary = restate_server()
    if binary is None:
        raise RuntimeError("there is no Restate server for this platform")
    ingress, admin, node = free_port(), free_port(), free_port()
    environment = {
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
        "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{node}",
        "RESTATE_BASE_DIR": str(folder / "restate"),
        "RESTATE_LOG_FILTER": "warn",
        "RESTATE_LISTEN_MODE": "tcp",
        "DO_NOT_TRACK": "1",
    }

    def ready() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{admin}/health", timeout=2):
            return accepts(ingress)
        return False

    with process([str(binary), "--no-logo"], ready, log=folder / "restate.log", environment=environment) as pid:
        yield f"{ingress},{admin}", pid


def register(admin: int, service_port: int) -> None:
    """Tell Restate where the handlers are."""
    body = json.dumps({"uri": f"http://127.0.0.1:{service_port}"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{admin}/deployments", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20):
        pass
