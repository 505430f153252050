"""The story of the demo, told on a console: start, kill after the charge, start again, and look at what is on disk."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from outlast.api.history.v1 import HistoryEvent
from outlast.client import Client

from . import application, history
from .pipeline import CONFIRMING, ORDER_ID, WORKFLOW_ID

_LONGEST_S: Final = 60.0
"""An application that takes longer hangs, and is ended."""


class DemoFailed(Exception):
    """The demo did not end as it has to."""


def tell(console: Console, folder: Path) -> None:
    """Run the demo with its files in an empty folder.

    Raises:
        DemoFailed: the order did not finish with exactly one charge.
    """
    console.print("[bold]Outlast demo: an order outlasts the death of its application[/bold]\n")
    console.print("The pipeline is validate -> charge -> confirm. Its application (workflow, worker,")
    console.print("engine and database) is one process, killed the moment the money has been taken.\n")
    console.print("[bold]1. The application starts[/bold]")
    killed_pid, killed_at = _run_until_charged(console, folder)
    console.print(f"   [red]kill -9 {killed_pid}[/red]  No goodbye, no clean-up. The confirmation was never sent.\n")
    console.print("[bold]2. The application starts again[/bold]")
    _run_to_the_end(console, folder)
    console.print("\n[bold]3. What the database remembers[/bold]\n")
    charge_id, events = asyncio.run(_look(folder))
    console.print(history.table(events, killed_at, killed_pid))
    charges = application.ledger(folder).read_text(encoding="utf-8").splitlines()
    console.print(f"\n[bold]4. What the ledger shows: {len(charges)} charge{'s' * (len(charges) != 1)}[/bold]")
    for line in charges:
        console.print(f"   {line}")
    if len(charges) != 1:
        raise DemoFailed(f"{ORDER_ID} was charged {len(charges)} times, and has to be charged once")
    console.print(f"\n[bold green]Workflow completed. Charge ID: {charge_id}[/bold green]")


@contextmanager
def _application(console: Console, folder: Path) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    """A process of the application, and the lines that it prints, which are shown as they come."""
    command = [sys.executable, "-m", "outlast.demo.application", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = process.stdout
    watchdog = threading.Timer(_LONGEST_S, process.kill)
    watchdog.start()

    def shown() -> Iterator[str]:
        for line in lines:
            console.print(f"   process {process.pid}: {line.rstrip()}", markup=False)
            yield line

    try:
        yield process, shown()
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        lines.close()


def _run_until_charged(console: Console, folder: Path) -> tuple[int, float]:
    """Kill the application when it turns to the confirmation; answers its process id, and when it died.

    An activity starts only after everything before it is on the disk: by then the charge is in the history.
    """
    with _application(console, folder) as (process, lines):
        for line in lines:
            if line.startswith(CONFIRMING):
                process.kill()
                process.wait()
                return process.pid, time.time()
        raise DemoFailed(f"the application ended before the confirmation, with exit status {process.wait()}")


def _run_to_the_end(console: Console, folder: Path) -> None:
    with _application(console, folder) as (process, lines):
        for _ in lines:
            continue
        status = process.wait()
    if status:
        raise DemoFailed(f"the application ended with exit status {status}")


async def _look(folder: Path) -> tuple[str, list[HistoryEvent]]:
    """The result and the history of the order, read from the database in a process that has not seen it before."""
    async with await Client.connect(f"sqlite:///{application.database(folder)}") as client:
        handle = client.get_workflow_handle(WORKFLOW_ID, result_type=str)
        return await handle.result(), list((await handle.fetch_history()).events)
