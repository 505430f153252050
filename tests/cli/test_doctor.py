"""The doctor on healthy databases and on ones that are damaged on purpose."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_stage import QUEUE, SqliteStorage, Stage, call
from server_process import ServerProcess

from outlast.client import Client
from outlast.engine.execution import snapshot
from outlast.storage.file_lock import FileLock


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with runs that are open, paused, completed, failed, blocked, tried again, and with children."""
    path = tmp_path_factory.mktemp("healthy") / "orders.db"
    with Stage(lambda: SqliteStorage.open(path)) as stage:
        stage.ok("operator", "search-attribute", "create", "--name", "Customer", "--type", "Keyword")
        start = ("workflow", "start", "-t", QUEUE, "--type")
        stage.ok(*start, "Order", "-w", "order", "-i", "5", "--search-attribute", 'Customer="Ada"')
        stage.ok(*start, "Declined", "-w", "declined")
        stage.ok(*start, "Blocked", "-w", "blocked")
        stage.ok(*start, "ByHand", "-w", "by-hand")
        stage.ok("workflow", "start", "-t", "nobody", "--type", "Order", "-w", "waiting", "--run-timeout", "1h")
        stage.ok("workflow", "execute", "-t", QUEUE, "--type", "Payment", "-w", "paid", "-i", "1")
        stage.until("declined", lambda d: d.pending_activities and d.pending_activities[0].attempt >= 2)
        stage.until("blocked", lambda d: d.pending_workflow_task.attempt > 1)
        stage.until("order", lambda d: d.workflow_execution_info.history_length > 10)
        stage.ok("workflow", "update", "execute", "-w", "order", "--name", "add", "-i", "1")
        stage.ok("workflow", "terminate", "-w", "by-hand")
        stage.ok("workflow", "start", "-t", "nobody", "--type", "Order", "-w", "resting")
        stage.ok("workflow", "pause", "-w", "resting", "--reason", "not yet")
        stage.ok("workflow", "reset", "-w", "paid", "--type", "LastWorkflowTask", "--reason", "again")
    return path


@pytest.fixture
def damaged(healthy: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A copy to damage."""
    path = tmp_path / "damaged.db"
    shutil.copy(healthy, path)
    with sqlite3.connect(path) as connection:
        yield connection
    connection.close()


def examine(connection: sqlite3.Connection) -> list[dict[str, str]]:
    connection.commit()
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    done = call("doctor", "--db", path, "-o", "json")
    findings = json.loads(done.stdout)["findings"]
    assert done.exit_code == (1 if findings else 0), done.output
    text = call("doctor", "--db", f"sqlite:///{path}")
    assert all(one["found"] in text.stdout for one in findings)
    return findings


def the_only(findings: list[dict[str, str]], rule: str, *words: str) -> None:
    assert findings and {one["rule"] for one in findings} == {rule}, findings
    for word in words:
        assert any(word in f"{one['subject']} {one['found']}" for one in findings), findings


def test_a_healthy_database_has_no_fault_and_is_not_changed(healthy: Path) -> None:
    before = {file.name: hashlib.sha256(file.read_bytes()).digest() for file in healthy.parent.iterdir()}
    done = call("doctor", "--db", str(healthy))
    assert done.exit_code == 0, done.output
    assert "No fault found." in done.stdout and "Runs      9" in done.stdout
    assert {file.name: hashlib.sha256(file.read_bytes()).digest() for file in healthy.parent.iterdir()} == before


def test_a_database_in_use_is_looked_at(healthy: Path) -> None:
    lock = FileLock.acquire(healthy)
    try:
        done = call("doctor", "--db", str(healthy))
    finally:
        lock.release()
    assert done.exit_code == 0, done.output
    assert "Looked at while it is in use" in done.stdout


async def test_a_server_that_runs_and_one_that_was_killed(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path, "--headless") as server:
        client = await Client.connect(server.address)
        for number in range(20):
            await client.start_workflow("Order", id=f"order-{number}", task_queue="nobody", start_signal="approve")
        running = await asyncio.to_thread(call, "doctor", "--db", str(tmp_path / "orders.db"))
        assert running.exit_code == 0 and f"process {server.process.pid}" in running.stdout, running.output
        await server.kill()
        await client.close()
    killed = await asyncio.to_thread(call, "doctor", "--db", str(tmp_path / "orders.db"))
    assert killed.exit_code == 0 and "Runs      20" in killed.stdout, killed.output


def test_a_gap_in_a_history(damaged: sqlite3.Connection) -> None:
    (run,) = damaged.execute("SELECT run_no FROM executions WHERE workflow_id = 'order'").fetchone()
    (first,) = damaged.execute(
        "SELECT first_event_id FROM history WHERE run_no = ? ORDER BY 1 LIMIT 1 OFFSET 1", (run,)
    ).fetchone()
    damaged.execute("DELETE FROM history WHERE run_no = ? AND first_event_id = ?", (run, first))
    the_only(examine(damaged), "event ids 1..n", "'order'", f"where {first} should")


def test_a_history_that_lost_its_end(damaged: sqlite3.Connection) -> None:
    (run,) = damaged.execute("SELECT run_no FROM executions WHERE workflow_id = 'order'").fetchone()
    damaged.execute(
        "DELETE FROM history WHERE run_no = ?1 AND first_event_id ="
        " (SELECT max(first_event_id) FROM history WHERE run_no = ?1)",
        (run,),
    )
    the_only(examine(damaged), "history is complete", "'order'")


def test_a_history_that_is_gone(damaged: sqlite3.Connection) -> None:
    damaged.execute("DELETE FROM history WHERE run_no = (SELECT run_no FROM executions WHERE workflow_id = 'waiting')")
    assert {"history is there", "history is complete"} == {one["rule"] for one in examine(damaged)}


def test_a_batch_that_is_no_events(damaged: sqlite3.Connection) -> None:
    damaged.execute("UPDATE history SET events = x'ff' WHERE rowid = 1")
    assert "history is readable" in {one["rule"] for one in examine(damaged)}


def test_a_snapshot_that_does_not_follow_from_the_history(damaged: sqlite3.Connection) -> None:
    run, data = damaged.execute("SELECT run_no, snapshot FROM executions WHERE workflow_id = 'order'").fetchone()
    state = snapshot.decode(data)
    state.memo = b""
    state.workflow_type = "Ordre"
    damaged.execute("UPDATE executions SET snapshot = ? WHERE run_no = ?", (snapshot.encode(state), run))
    findings = examine(damaged)
    assert {one["rule"] for one in findings} == {"rebuilt state equals snapshot", "row in the lists equals state"}
    assert any("'Ordre'" in one["found"] for one in findings)


def test_a_snapshot_that_cannot_be_read(damaged: sqlite3.Connection) -> None:
    damaged.execute("UPDATE executions SET snapshot = x'01ff' WHERE workflow_id = 'waiting'")
    the_only(examine(damaged), "snapshot is readable", "'waiting'")


def test_a_run_that_nothing_wakes(damaged: sqlite3.Connection) -> None:
    damaged.execute("UPDATE executions SET wake_at = NULL WHERE workflow_id = 'waiting'")
    the_only(examine(damaged), "open work wakes the server", "'waiting'")


def test_a_run_that_is_woken_at_the_wrong_time(damaged: sqlite3.Connection) -> None:
    damaged.execute("UPDATE executions SET wake_at = wake_at + 1 WHERE workflow_id = 'declined'")
    the_only(examine(damaged), "wake_at is the next deadline", "'declined'")


def test_rows_of_runs_that_are_not_there(damaged: sqlite3.Connection) -> None:
    damaged.execute("INSERT INTO history VALUES (999, 1, x'')")
    damaged.execute("UPDATE search_attributes SET run_no = 999")
    findings = examine(damaged)
    assert {one["rule"] for one in findings} == {"orphan rows", "search attributes are indexed"}
    assert {one["subject"] for one in findings} >= {"table history", "table search_attributes"}


def test_a_pointer_to_a_run_that_is_not_there(damaged: sqlite3.Connection) -> None:
    damaged.execute("UPDATE current_executions SET run_id = 'gone' WHERE workflow_id = 'order'")
    findings = examine(damaged)
    assert {one["rule"] for one in findings} == {"the current run is there", "an open run is the current one"}


def test_a_row_in_the_lists_that_lies(damaged: sqlite3.Connection) -> None:
    mine = "WHERE run_no = (SELECT run_no FROM executions WHERE workflow_id = 'order')"
    damaged.execute(f"UPDATE visibility SET status = 2, workflow_type = 'Odor' {mine}")
    the_only(examine(damaged), "row in the lists equals state", "status is 2", "'Odor'")
    damaged.execute(f"DELETE FROM visibility {mine}")
    the_only(examine(damaged), "a run has a row in the lists")


def test_an_index_that_does_not_fit_its_table(damaged: sqlite3.Connection) -> None:
    damaged.execute("PRAGMA writable_schema = ON")
    damaged.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, 'status, closed_at', 'closed_at, status')"
        " WHERE name = 'visibility_by_status'"
    )
    assert {one["rule"] for one in examine(damaged)} == {"integrity"}


def test_what_is_no_database_of_ours(tmp_path: Path) -> None:
    assert "there is no database" in call("doctor", "--db", str(tmp_path / "none.db")).stderr
    text = tmp_path / "text.db"
    text.write_text("not a database, and a long way from one, whatever its name may make one think of it" * 3)
    done = call("doctor", "--db", str(text))
    assert done.exit_code == 1 and "is not a sound SQLite database" in done.stderr
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    assert "another program's" in call("doctor", "--db", str(other)).stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["other.db", "text.db"]
