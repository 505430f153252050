"""``outlast demo`` as a stranger runs it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def told() -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "outlast", "demo"], capture_output=True, text=True, timeout=60, env={"COLUMNS": "100"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_it_ends_with_the_charge(told: list[str]) -> None:
    assert told[-1] == "Workflow completed. Charge ID: charge_order-42_ok"


def test_one_process_charges_and_another_confirms(told: list[str]) -> None:
    spoken = [line.split() for line in told if line.startswith("   process ")]
    said = [(words[1].rstrip(":"), words[2]) for words in spoken]
    first, second = said[0][0], said[-1][0]
    assert first != second
    assert said == [(first, "Validating"), (first, "Charging"), (first, "Sending"), (second, "Sending")]
    assert any(f"kill -9 {first}" in line for line in told)


def test_the_history_is_whole(told: list[str]) -> None:
    rows = [match for line in told if (match := re.match(r"\s*(\d+)\s+\d+\.\d\ds\s+(\w+)", line))]
    assert [int(row[1]) for row in rows] == list(range(1, 24))
    completed = [row[2] for row in rows].count("ActivityTaskCompleted")
    assert completed == 3
    assert rows[-1][2] == "WorkflowExecutionCompleted"


def test_the_ledger_shows_one_charge(told: list[str]) -> None:
    assert [line for line in told if "charged" in line] == [
        line for line in told if line.startswith("   order-42 charged 99.99 by process ")
    ]
    assert len([line for line in told if "charged" in line]) == 1
