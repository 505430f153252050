"""The command line as a process: in a pipe, and at a real terminal."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
import termios
from pathlib import Path

import pexpect
import pytest
from cli_stage import QUEUE, Stage, call, database, piped
from pexpect import fdpexpect

from outlast.storage.file_lock import FileLock

ANSI = "\x1b["


class Terminal(fdpexpect.fdspawn):
    """The command line at a terminal. Not forked by pexpect: the threads of the server would not survive it."""

    def __init__(self, *words: str, **env: str) -> None:
        plain = {name: value for name, value in os.environ.items() if name not in _COLOR_VARIABLES}
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, 120))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "outlast", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=plain | {"TERM": "xterm-256color", "TEMPORAL_CONFIG_FILE": os.devnull} | env,
        )
        os.close(theirs)
        super().__init__(ours, encoding="utf-8", timeout=60)

    def rest(self) -> str:
        """All that it still shows until it ends."""
        self.expect(pexpect.EOF)
        self.process.wait(60)
        self.close()
        assert isinstance(self.before, str)
        return self.before


_COLOR_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")


def test_a_pipe_gets_plain_aligned_text(stage: Stage) -> None:
    stage.ok("workflow", "start", "--type", "Order", "-t", "pipe", "-w", "piped")
    words = ("workflow", "list", "--query", "TaskQueue = 'pipe'")
    done = piped(*words, TEMPORAL_ADDRESS=stage.address)
    assert done.returncode == 0 and not done.stderr
    assert ANSI not in done.stdout and done.stdout.isascii()
    assert done.stdout.splitlines()[0] == "Status   WorkflowId  Type   StartTime"


def test_a_terminal_gets_a_table_in_colour(stage: Stage) -> None:
    stage.ok("workflow", "start", "--type", "Order", "-t", "pty", "-w", "shown")
    words = ("workflow", "list", "--query", "TaskQueue = 'pty'")
    text = Terminal(*words, TEMPORAL_ADDRESS=stage.address).rest()
    assert ANSI in text and "─" in text and "shown" in text
    text = Terminal(*words, "--color", "never", TEMPORAL_ADDRESS=stage.address).rest()
    assert ANSI + "3" not in text and "shown" in text
    text = Terminal(*words, "-o", "json", TEMPORAL_ADDRESS=stage.address).rest()
    assert ANSI not in text and '"workflowId": "shown"' in text


def test_an_activity_by_itself_in_a_pipe_and_at_a_terminal(stage: Stage) -> None:
    words = ("--type", "charge", "-t", QUEUE, "--start-to-close-timeout", "10s", "-i", "5")
    done = piped("activity", "execute", "-a", "by-pipe", *words, TEMPORAL_ADDRESS=stage.address)
    assert done.returncode == 0 and not done.stderr
    assert ANSI not in done.stdout and "Status          COMPLETED" in done.stdout
    done = piped("activity", "result", "-a", "by-pipe", "-o", "jsonl", TEMPORAL_ADDRESS=stage.address)
    assert '"result":5' in done.stdout and len(done.stdout.splitlines()) == 1
    text = Terminal("activity", "execute", "-a", "by-hand", *words, TEMPORAL_ADDRESS=stage.address).rest()
    assert ANSI in text and "COMPLETED" in text
    text = Terminal("activity", "describe", "-a", "by-hand", TEMPORAL_ADDRESS=stage.address).rest()
    assert "\x1b[32m" in text and "Completed" in text


def test_activities_in_a_table_and_in_a_batch_at_a_terminal(stage: Stage) -> None:
    words = ("--type", "charge", "-t", "pty-a", "--start-to-close-timeout", "10s")
    for number in range(2):
        stage.ok("activity", "start", "-a", f"alone-{number}", *words)
    query = ("-q", "TaskQueue = 'pty-a'")
    text = Terminal("activity", "list", *query, TEMPORAL_ADDRESS=stage.address).rest()
    assert ANSI in text and "─" in text and "ActivityId" in text and "alone-1" in text
    child = Terminal("activity", "cancel", *query, TEMPORAL_ADDRESS=stage.address)
    child.expect("Cancel about 2 activities")
    child.sendline("y")
    text = child.rest()
    assert child.process.returncode == 0, text
    assert "Activities" in text and "2/2" in text and "Completed: 2 of 2 done, 0 failed" in text
    assert stage.json("activity", "describe", "-a", "alone-0")["status"] == "ACTIVITY_EXECUTION_STATUS_CANCELED"


def test_a_terminal_shows_the_tree_while_it_grows(stage: Stage) -> None:
    stage.ok("workflow", "start", "--type", "Order", "-t", QUEUE, "-w", "traced", "-i", "5")
    child = Terminal("workflow", "trace", "-w", "traced", "--no-fold", TEMPORAL_ADDRESS=stage.address)
    child.expect("Payment")
    child.expect("charge")
    stage.ok("workflow", "signal", "-w", "traced", "--name", "approve")
    text = child.rest()
    assert child.process.returncode == 0
    assert "└──" in text and "✓" in text


def test_a_terminal_is_asked_and_sees_the_progress(stage: Stage) -> None:
    for number in range(3):
        stage.ok("workflow", "start", "--type", "Order", "-t", "crowd", "-w", f"crowd-{number}")
    child = Terminal("workflow", "terminate", "-q", "TaskQueue = 'crowd'", TEMPORAL_ADDRESS=stage.address)
    child.expect("Terminate about 3 workflows")
    child.sendline("y")
    text = child.rest()
    assert child.process.returncode == 0, text
    assert "3/3" in text and "Completed: 3 of 3 done, 0 failed" in text


def test_a_blocked_workflow_is_red_at_a_terminal(stage: Stage) -> None:
    stage.ok("workflow", "start", "--type", "Blocked", "-t", QUEUE, "-w", "red")
    stage.until("red", lambda d: d.pending_workflow_task.attempt > 1)
    text = Terminal("workflow", "describe", "-w", "red", TEMPORAL_ADDRESS=stage.address).rest()
    assert "\x1b[1;31mBLOCKED" in text and "LookupError: a slip in the workflow's code" in text


def test_without_a_server_the_address_and_the_cure_are_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = piped("workflow", "list", "--address", address)
    assert done.returncode == 1 and not done.stdout
    assert f"no server answered at {address}" in done.stderr and "`outlast server` starts" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
async def db(tmp_path: Path) -> Path:
    path = tmp_path / "orders.db"
    async with database(path) as client:
        await client.start_workflow("Order", 5, id="stored", task_queue="nobody")
    return path


def test_a_database_needs_no_server(db: Path) -> None:
    done = piped("workflow", "list", "--db", "sqlite:///orders.db", cwd=db.parent)
    assert done.returncode == 0, done.stderr
    assert "stored" in done.stdout
    here = ("--db", str(db))
    assert call("workflow", "start", "--type", "Order", "-t", "nobody", "-w", "second", *here).exit_code == 0
    assert call("workflow", "signal", "-w", "second", "--name", "approve", *here).exit_code == 0
    assert "WorkflowExecutionSignaled" in call("workflow", "show", "-w", "second", *here).stdout
    assert call("operator", "cluster", "health", *here).stdout == "SERVING\n"
    many = call("workflow", "terminate", "-q", "TaskQueue = 'nobody'", "--yes", *here)
    assert many.exit_code == 0 and "Completed: 2 of 2 done, 0 failed" in many.stdout, many.output
    assert call("workflow", "count", "-q", "ExecutionStatus = 'Running'", *here).stdout == "Total: 0\n"
    assert call("doctor", *here).exit_code == 0


def test_a_database_in_use_says_by_whom(db: Path) -> None:
    lock = FileLock.acquire(db)
    try:
        done = call("workflow", "list", "--db", str(db))
    finally:
        lock.release()
    assert done.exit_code == 1 and f"({os.getpid()})" in done.stderr


def test_a_slip_of_the_pen_makes_no_database(tmp_path: Path) -> None:
    done = call("workflow", "list", "--db", str(tmp_path / "ordres.db"))
    assert done.exit_code == 1 and "there is no database" in done.stderr
    assert not list(tmp_path.iterdir())
    assert call("workflow", "list", "--db", "x.db", "--address", "y:1").exit_code == 2
    assert "exclude each other" in call("workflow", "list", "--tls-ca-path", "a", "--tls-ca-data", "b").stderr


def test_help_names_every_command() -> None:
    for words in (
        (),
        ("workflow",),
        ("activity",),
        ("task-queue",),
        ("batch",),
        ("worker",),
        ("operator",),
        ("config",),
    ):
        done = call(*words, "--help")
        assert done.exit_code == 0 and "Commands:" in done.stdout


def test_programs_on_the_path_are_commands(tmp_path: Path) -> None:
    for name in ("outlast-shop", "outlast-shop-stock", "outlast-workflow"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} got "$@"\nexit 7\n')
        program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = piped("shop", "stock", "--all", "-h", "one", PATH=path)
    assert (done.returncode, done.stdout) == (7, "outlast-shop-stock got --all -h one\n")
    assert piped("shop", "sell", "stock", PATH=path).stdout == "outlast-shop got sell stock\n"
    assert "Commands:" in piped("workflow", "--help", PATH=path).stdout
    unknown = piped("market", PATH=path)
    assert unknown.returncode == 2 and "No such command 'market'" in unknown.stderr
