"""Runs the closed loop on this engine and on its rivals, one after the other, and prints one table of medians.

python -m benchmarks.rivals [--rounds 3] [--only dbos] [--temporal-server PATH_OR_ADDRESS] [--markdown FILE]

`--temporal-server` (or OUTLAST_BENCH_TEMPORAL) is the path of Temporal's CLI, whose dev server is then started afresh
for every case, or the address of a server that runs already, whose CPU time is not seen.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.processes import server
from benchmarks.rivals.environment import postgres_binaries, python, restate_server
from benchmarks.rivals.servers import postgres, restate, temporal

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ("workflows/s", "p50 ms", "p99 ms", "CPU ms/workflow", "of it the server")
IN_FLIGHT = (1, 32, 100)
Opened = AbstractContextManager[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Peer:
    """One engine: what loads it, how its server is opened, and what is on disk when a caller has its result."""

    name: str
    load: tuple[str, ...]
    """Arguments of `benchmarks.load`, or the one name of a rival's loop and of its environment."""
    opened: Callable[[Path], Opened]
    workflows: tuple[int, int, int]
    """How many workflows run with 1, 32 and 100 in flight: some seconds' worth."""
    durability: str
    missing: Callable[[], str] = str
    """What has to be installed before it can be measured; empty when all is there."""


@contextmanager
def embedded(folder: Path) -> Iterator[tuple[str, int]]:
    yield f"sqlite:///{folder / 'outlast.db'}", 0


@contextmanager
def sqlite(folder: Path) -> Iterator[tuple[str, int]]:
    yield f"sqlite:///{folder / 'dbos.sqlite'}", 0


def no_postgres() -> str:
    return "" if postgres_binaries() else "install PostgreSQL so that `postgres` is on the PATH"


def no_restate() -> str:
    return "" if restate_server() else "install npm: Restate's server comes as an npm package"


def served(folder: Path) -> Opened:
    return server(folder / "outlast.db")


OURS, THEIRS = ("--sdk", "outlast"), ("--sdk", "temporalio")
OWN = "SQLite, WAL, synchronous=FULL: one fsync a group of commits"
POSTGRESQL = "PostgreSQL, fsync and synchronous_commit on"


def temporals(where: str) -> tuple[Peer, ...]:
    """Temporal's dev server, as it comes and with SQLite's write-ahead log; `where` as for `servers.temporal`."""

    def missing() -> str:
        found = shutil.which(where) or ":" in where
        return "" if found else "give the path of Temporal's CLI (https://docs.temporal.io/cli) to --temporal-server"

    def plain(folder: Path) -> Opened:
        return temporal(where, folder)

    def with_wal(folder: Path) -> Opened:
        return temporal(where, folder, "journal_mode=WAL", "synchronous=FULL")

    name, journal = "Temporal dev server", "SQLite file as it comes: rollback journal, synchronous=FULL"
    return (
        Peer(f"{name}, temporalio worker", THEIRS, plain, (30, 150, 150), journal, missing),
        Peer(
            f"{name} with WAL, temporalio worker",
            THEIRS,
            with_wal,
            (50, 200, 200),
            "SQLite file, WAL, synchronous=FULL",
            missing,
        ),
    )


def peers(temporal_server: str) -> tuple[Peer, ...]:
    """All that is measured, ours first."""
    journal = "SQLite as it comes: rollback journal, synchronous=FULL"
    log = "RocksDB log, fsync of the write-ahead log on (its default)"
    return (
        Peer("outlast, embedded", OURS, embedded, (300, 2000, 2000), OWN),
        Peer("outlast server, outlast worker", OURS, served, (200, 1000, 1000), OWN),
        Peer("outlast server, temporalio worker", THEIRS, served, (100, 400, 400), OWN),
        *temporals(temporal_server),
        Peer("DBOS on SQLite", ("dbos",), sqlite, (100, 400, 400), journal),
        Peer("DBOS on PostgreSQL", ("dbos",), postgres, (100, 600, 600), POSTGRESQL, no_postgres),
        Peer("dbosify on PostgreSQL", ("dbosify",), postgres, (20, 150, 150), POSTGRESQL, no_postgres),
        Peer("Restate", ("restate",), restate, (200, 1000, 1000), log, no_restate),
    )


def run(peer: Peer, in_flight: int, workflows: int) -> dict[str, float]:
    """One closed loop in processes and a folder of its own."""
    if len(peer.load) == 1:
        command = [str(python(peer.load[0])), "-m", f"benchmarks.rivals.{peer.load[0]}_loop"]
    else:
        command = [sys.executable, "-m", "benchmarks.load", *peer.load]
    with tempfile.TemporaryDirectory(prefix="outlast-rivals-") as name, peer.opened(Path(name)) as (target, pid):
        command += ["--target", target, "--server-pid", str(pid)]
        command += ["--in-flight", str(in_flight), "--workflows", str(workflows)]
        with (Path(name) / "load.log").open("w+") as errors:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT)
            errors.seek(0)
            if done.returncode:
                raise RuntimeError(f"{peer.name}: the load process failed\n{errors.read()[-4000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def row(figures: list[dict[str, float]]) -> list[str]:
    """The medians over the rounds, as COLUMNS."""

    def median(value: Callable[[dict[str, float]], float]) -> float:
        return statistics.median(value(one) for one in figures)

    server_ms = median(lambda one: one["server_cpu_s"] / one["workflows"] * 1000)
    return [
        f"{median(lambda one: one['workflows'] / one['wall_s']):,.0f}",
        f"{median(lambda one: one['p50_ms']):,.1f}",
        f"{median(lambda one: one['p99_ms']):,.1f}",
        f"{median(lambda one: (one['cpu_s'] + one['server_cpu_s']) / one['workflows'] * 1000):.1f}",
        f"{server_ms:.1f}" if server_ms else "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="part of a rival's name")
    parser.add_argument("--temporal-server", default=os.environ.get("OUTLAST_BENCH_TEMPORAL", ""))
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    console = Console()
    console = Console(width=max(console.width, 120))
    console.print(f"{os.cpu_count()} cores, load average before: {os.getloadavg()[0]:.1f}")
    present = []
    for peer in peers(options.temporal_server):
        if options.only.lower() not in peer.name.lower():
            continue
        if missing := peer.missing():
            console.print(f"{peer.name}: not measured; {missing}")
        else:
            present.append(peer)
    results: dict[tuple[Peer, int], list[dict[str, float]]] = {}
    for number in range(options.rounds):
        for peer in present:
            for in_flight, workflows in zip(IN_FLIGHT, peer.workflows, strict=True):
                figures = run(peer, in_flight, workflows)
                results.setdefault((peer, in_flight), []).append(figures)
                rate = f"{figures['workflows'] / figures['wall_s']:,.0f} workflows/s"
                console.print(f"round {number + 1}: {peer.name}, {in_flight} in flight, {rate}", style="dim")
    table = Table(title=f"Three-step pipeline, closed loop, median of {options.rounds}")
    for column in ("", "in flight", *COLUMNS):
        table.add_column(column, justify="right" if column else "left")
    lines = ["| engine | in flight | " + " | ".join(COLUMNS) + " |", "|---|" + "--:|" * (len(COLUMNS) + 1)]
    for (peer, in_flight), rounds in sorted(results.items(), key=lambda one: present.index(one[0][0])):
        table.add_row(peer.name, str(in_flight), *row(rounds))
        lines.append("| " + " | ".join((peer.name, str(in_flight), *row(rounds))) + " |")
    console.print(table)
    console.print(f"load average after: {os.getloadavg()[0]:.1f}; a machine of its own has about one per busy core")
    for peer in present:
        console.print(f"{peer.name}: {peer.durability}", highlight=False)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
