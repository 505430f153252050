"""Runs every benchmark, each in processes of its own, and prints the tables: medians over several rounds.

python -m benchmarks [--rounds 3] [--only embedded]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.processes import free_port, resident_mb, server


@dataclass(frozen=True, slots=True)
class Case:
    """One closed loop: who drives it against what, how many are in flight, and how many run in all."""

    name: str
    sdk: str
    door: str
    in_flight: int
    workflows: int


CASES = (
    Case("embedded", "outlast", "embedded", 1, 300),
    Case("embedded", "outlast", "embedded", 32, 3000),
    Case("embedded", "outlast", "embedded", 100, 5000),
    Case("server, our worker", "outlast", "server", 1, 200),
    Case("server, our worker", "outlast", "server", 32, 1500),
    Case("server, our worker", "outlast", "server", 100, 2000),
    Case("server, temporalio's worker", "temporalio", "server", 1, 100),
    Case("server, temporalio's worker", "temporalio", "server", 32, 800),
    Case("server, temporalio's worker", "temporalio", "server", 100, 800),
)
SLEEPERS = 10_000


def load(*arguments: str) -> dict[str, float]:
    """Run the load process and read its figures."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", *arguments], stdout=subprocess.PIPE, check=True, text=True
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def commits_in(database: Path) -> int:
    """How many transitions the database has seen: the sum of the runs' versions."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        total: int = connection.execute("SELECT coalesce(sum(version), 0) FROM executions").fetchone()[0]
    return total


def run(case: Case, folder: Path) -> dict[str, float]:
    """One round of one case."""
    database = folder / f"{time.monotonic_ns()}.db"
    arguments = ["--sdk", case.sdk, "--in-flight", str(case.in_flight), "--workflows", str(case.workflows)]
    if case.door == "embedded":
        figures = load(*arguments, "--target", f"sqlite:///{database}")
    else:
        with server(database) as (address, pid):
            figures = load(*arguments, "--target", address, "--server-pid", str(pid))
    done = case.workflows + max(case.in_flight, case.workflows // 10)
    figures["commits_per_workflow"] = commits_in(database) / done
    return figures


def closed_loops(console: Console, rounds: int, only: str, folder: Path) -> None:
    """Measure the closed loops round by round and print the medians."""
    cases = [case for case in CASES if only in case.name]
    results: dict[Case, list[dict[str, float]]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            results[case].append(run(case, folder))
    table = Table(title=f"Three-activity pipeline, closed loop, fsync on, median of {rounds}")
    for column in ("", "in flight", "workflows/s", "p50 ms", "p99 ms", "CPU ms/workflow", "commits/s"):
        table.add_column(column, justify="left" if not column else "right")
    for case, figures in results.items():
        rate = statistics.median(f["workflows"] / f["wall_s"] for f in figures)
        table.add_row(
            case.name,
            str(case.in_flight),
            f"{rate:,.0f}",
            f"{statistics.median(f['p50_ms'] for f in figures):.1f}",
            f"{statistics.median(f['p99_ms'] for f in figures):.1f}",
            f"{statistics.median((f['cpu_s'] + f['server_cpu_s']) / f['workflows'] for f in figures) * 1000:.2f}",
            f"{rate * statistics.median(f['commits_per_workflow'] for f in figures):,.0f}",
        )
    console.print(table)


def memory(console: Console, folder: Path) -> None:
    """Measure the memory of a server with sleeping workflows."""
    with server(folder / "sleepers.db") as (address, pid):
        before = resident_mb(pid)
        figures = load("--sdk", "outlast", "--target", address, "--sleepers", "--workflows", str(SLEEPERS))
        after = resident_mb(pid)
    table = Table(title="Memory of a server")
    for column in ("", "MB resident"):
        table.add_column(column, justify="right" if column else "left")
    table.add_row("empty", f"{before:.0f}")
    table.add_row(f"{SLEEPERS:,} sleeping workflows (started in {figures['wall_s']:.0f} s)", f"{after:.0f}")
    console.print(table)


def web_ui(console: Console, folder: Path) -> None:
    """Measure what a browser has to do for very long histories."""
    # Here, because only this one needs Playwright and a Chromium.
    from benchmarks.ui import ui

    port = free_port()
    with server(folder / "ui.db", "--ui-port", str(port)) as (address, _):
        ui(console, address, f"http://127.0.0.1:{port}/")


def start(console: Console) -> None:
    """Measure what a worker costs at its start, in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.start"], stdout=subprocess.PIPE, check=True, text=True)
    console.print(done.stdout.strip())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="part of a case's name, 'memory', 'ui', or 'start'")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as name:
        if options.only not in ("memory", "ui", "start"):
            closed_loops(console, options.rounds, options.only, Path(name))
        if options.only in ("", "memory"):
            memory(console, Path(name))
        if options.only in ("", "ui"):
            web_ui(console, Path(name))
    if options.only in ("", "start"):
        start(console)


if __name__ == "__main__":
    main()
