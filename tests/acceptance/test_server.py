"""``outlast server`` as a process: what it says, how it ends, and what it refuses to start on."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from killed_orders import TASK_QUEUE, Order, worker
from server_process import ServerProcess

from outlast.client import Client
from outlast.storage.errors import DatabaseError, DatabaseInUse


def refused(folder: Path, *options: str, headless: bool = True) -> str:
    """Start a server that ends by itself with exit status 1; answers what it said, which is one line."""
    command = [sys.executable, "-m", "outlast", "server", *(["--headless"] if headless else []), *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def test_it_says_where_it_listens_and_where_the_data_lies(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path, "--namespace", "shop", "-n", "bank", "-n", "shop") as server:
        assert server.greeting == [
            f"Outlast server listening on {server.address}\n",
            f"Data: {tmp_path / 'orders.db'}\n",
            "Namespaces: default, shop, bank. Stop with Ctrl-C.\n",
        ]
        async with await Client.connect(server.address, namespace="bank") as client:
            handle = await client.start_workflow(Order.run, "1", id="1", task_queue=TASK_QUEUE)
            assert (await handle.describe()).namespace == "bank"


async def test_in_memory_it_writes_no_file(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path, database=":memory:") as server:
        assert server.greeting[1] == "Data: in memory only, gone when the server stops\n"
        async with await Client.connect(server.address) as client:
            await client.start_workflow(Order.run, "1", id="1", task_queue=TASK_QUEUE)
        assert set(tree(tmp_path)) == {"stderr.log"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_while_calls_wait(number: signal.Signals, tmp_path: Path) -> None:
    async with (
        ServerProcess(tmp_path) as server,
        await Client.connect(server.address) as client,
        worker(client),
    ):
        handle = await client.start_workflow(Order.run, "1", id="1", task_queue=TASK_QUEUE)
        waiting = asyncio.create_task(handle.result())
        async with asyncio.timeout(20):
            assert await server.stop(number) == 0
        # One file is left, and not the lock or the log of one that was killed.
        assert set(tree(tmp_path)) == {"orders.db", "stderr.log"}
        await server.start()
        await handle.signal(Order.close)
        assert await waiting == []
    assert "Traceback" not in server.log


async def test_its_log_is_text_or_json(tmp_path: Path) -> None:
    logs = {}
    for name in ("text", "json"):
        (tmp_path / name).mkdir()
        async with ServerProcess(tmp_path / name, "--log-format", name) as server:
            await server.stop()
            logs[name] = server.log.splitlines()
    assert [json.loads(line)["message"] for line in logs["json"]][-1] == "Stopped"
    assert {json.loads(line)["logger"] for line in logs["json"]} == {"outlast.server"}
    assert logs["text"][-1].endswith("INFO    outlast.server: Stopped")
    async with ServerProcess(tmp_path, "--log-level", "warning") as server:
        await server.stop()
        assert server.log == ""


def test_a_port_in_use_is_named_before_the_database_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refused(tmp_path, "--port", str(port)) == (
            f"Error: cannot listen at 127.0.0.1:{port}: another program, perhaps an Outlast server, listens at port "
            f"{port}; stop it or choose another --port"
        )
    assert tree(tmp_path) == {}


def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
    # 192.0.2.0/24 is reserved for documentation: no machine has it.
    assert "192.0.2.1 is not an address of this machine" in refused(tmp_path, "--ip", "192.0.2.1")
    assert "'no.such.name.invalid' is no address" in refused(tmp_path, "--ip", "no.such.name.invalid")


async def test_a_database_in_use_names_its_holder(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path) as server:
        before = tree(tmp_path)
        told = refused(tmp_path, "--db", "orders.db", "--port", "0")
        assert f"{tmp_path / 'orders.db'} is held by process {server.process.pid}" in told
        with pytest.raises(
            DatabaseInUse, match=rf"is held by process {server.process.pid}; stop it, connect to its serv"
        ):
            await Client.connect(f"sqlite:///{tmp_path / 'orders.db'}")
        assert tree(tmp_path) == before
        await server.stop()
    async with await Client.connect(f"sqlite:///{tmp_path / 'orders.db'}"):
        assert "is held by process" in refused(tmp_path, "--db", "orders.db", "--port", "0")


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """A sound database with an order in it."""
    made = tmp_path / "made"
    made.mkdir()
    async with ServerProcess(made) as server:
        async with await Client.connect(server.address) as client:
            await client.start_workflow(Order.run, "1", id="1", task_queue=TASK_QUEUE)
        await server.stop()
    (tmp_path / "tried").mkdir()
    return Path(shutil.copy(made / "orders.db", tmp_path / "tried"))


def test_a_damaged_a_newer_and_a_foreign_database_are_refused_untouched(database: Path) -> None:
    sound = database.read_bytes()
    newer = database.with_name("newer.db")
    newer.write_bytes(sound)
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA user_version=1000")
    connection.close()
    foreign = database.with_name("foreign.db")
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    texts = {
        "newer.db": "has schema 1000",
        "foreign.db": "is another program's SQLite database",
        "text.db": "is not a sound SQLite database",
        "cut.db": "is not a sound SQLite database",
        "overwritten.db": "is not a sound SQLite database",
    }
    database.with_name("text.db").write_text("no database\n" * 100)
    database.with_name("cut.db").write_bytes(sound[: len(sound) // 2])
    database.with_name("overwritten.db").write_bytes(sound[:4096] + b"\xff" * 4096 + sound[8192:])
    before = tree(database.parent)
    for name, text in texts.items():
        told = refused(database.parent, "--db", name, "--port", "0")
        assert name in told
        assert text in told
        with pytest.raises(DatabaseError, match=text):
            asyncio.run(Client.connect(f"sqlite:///{database.with_name(name)}"))
        assert tree(database.parent) == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere") in refused(tmp_path, "--db", "nowhere/orders.db", "--port", "0")


@pytest.mark.parametrize("options", [("--port", "70000"), ("--namespace", ""), ("--log-level", "loud")])
def test_options_that_mean_nothing_are_refused(options: tuple[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "outlast", "server", "--headless", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert options[0] in done.stderr
    assert tree(tmp_path) == {}
