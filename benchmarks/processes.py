"""Processes of the benchmarks: starting servers, and what they cost, from /proc. Imports only the standard library."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path


def free_port() -> int:
    """A TCP port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def accepts(port: int) -> bool:
    """Whether somebody listens to a port of this machine."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_for(port: int) -> None:
    """Return when somebody listens to a port of this machine."""
    while not accepts(port):
        time.sleep(0.05)


@contextlib.contextmanager
def process(
    command: Sequence[str],
    ready: Callable[[], bool],
    *,
    log: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run a server until the block ends: yields its process id once it is ready. `log` takes what it prints."""
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("ab")) if log else subprocess.DEVNULL
        running = subprocess.Popen(
            command, stdout=output, stderr=output if log else None, env={**os.environ, **(environment or {})}
        )
        try:
            deadline = time.monotonic() + 60
            while not ready():
                if running.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start" + (f"; see {log}" if log else ""))
                time.sleep(0.05)
            yield running.pid
        finally:
            running.terminate()
            try:
                running.wait(30)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextlib.contextmanager
def server(database: Path, *options: str) -> Iterator[tuple[str, int]]:
    """An outlast server in a process of its own, headless unless options are given: yields address and process id."""
    port = free_port()
    command = [sys.executable, "-m", "outlast", "server", "--db", str(database), "--port", str(port)]
    with process([*command, *(options or ["--headless"]), "--log-level", "warning"], lambda: accepts(port)) as pid:
        yield f"127.0.0.1:{port}", pid


def cpu_of(pid: int) -> float:
    """CPU seconds that a process and its children have used, those that have ended included."""
    ticks = 0
    children: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(folder.name))
                used[int(folder.name)] = sum(int(field) for field in fields[11:15])
    left = [pid]
    while left:
        one = left.pop()
        ticks += used.get(one, 0)
        left += children.get(one, [])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")
