"""The programs in examples/ as a reader runs them: embedded, against a server, and with the official SDK's imports."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from server_process import Program, ServerProcess

EXAMPLES = Path(__file__).parents[2] / "examples"

PRINTS = {
    "subscription.py": ["user-7 is a customer"],
    "approval.py": ["pending", "approved", "processed", "rejected: too expensive", "nobody decided"],
    "batch.py": ["['a processed', 'b processed', 'failed', 'c processed']"],
    "retry_policies.py": [
        "charge_order-1_ok, stock reserved at attempt 4",
        "order-2 failed: PaymentDeclinedError: 2500.00 is above the limit of the card",
    ],
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    (tmp_path / "server").mkdir()
    async with ServerProcess(tmp_path / "server") as server:
        yield server
        assert await server.stop() == 0


def with_sdk(sdk: str, names: list[str], folder: Path) -> Path:
    """A copy of examples that imports another package; answers where it is."""
    for name in names:
        text, count = re.subn(r"^(from) outlast\b", rf"\1 {sdk}", (EXAMPLES / name).read_text(), flags=re.MULTILINE)
        assert count
        (folder / Path(name).name).write_text(text)
    return folder


async def printed(*arguments: str, folder: Path) -> list[str]:
    """What a program prints; the first line counts as its greeting."""
    async with Program(*arguments, ready="", folder=folder) as program:
        return [line.rstrip() for line in program.greeting] + await program.end()


@pytest.mark.parametrize("name", PRINTS)
async def test_an_example_runs_without_a_server(name: str, tmp_path: Path) -> None:
    assert await printed(str(EXAMPLES / name), folder=tmp_path) == PRINTS[name]


@pytest.mark.parametrize("sdk", ["outlast", "temporalio"])
async def test_examples_run_against_a_server_under_both_sdks(sdk: str, server: ServerProcess, tmp_path: Path) -> None:
    folder = with_sdk(sdk, list(PRINTS), tmp_path)
    for name, lines in PRINTS.items():
        assert await printed(str(folder / name), server.address, folder=tmp_path) == lines


@pytest.mark.parametrize("sdk", ["outlast", "temporalio"])
async def test_the_order_pipeline_with_a_worker_and_a_starter(sdk: str, server: ServerProcess, tmp_path: Path) -> None:
    names = [f"orders/{name}.py" for name in ("activities", "workflows", "worker", "run_workflow")]
    folder = with_sdk(sdk, names, tmp_path)
    address = {"OUTLAST_ADDRESS": server.address}
    async with (
        Program(str(folder / "worker.py"), ready="Worker started", folder=folder, **address),
        Program(str(folder / "run_workflow.py"), ready="Charge ID", folder=folder, **address) as starter,
    ):
        assert starter.greeting == ["Workflow completed. Charge ID: charge_order-42_ok\n"]
        assert await starter.end() == []


async def test_the_embedded_example_resumes_after_a_kill(tmp_path: Path) -> None:
    program = Program(str(EXAMPLES / "embedded.py"), ready="packing", folder=tmp_path)
    async with program:
        assert program.greeting == ["charging order-42\n", "packing order-42\n"]
        await program.kill()
    async with program:
        assert program.greeting == ["packing order-42\n"]
        assert await program.end() == ["completed: charge_order-42_ok"]
