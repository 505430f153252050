"""docs/parity.md, written from differences.toml. Run this file to write it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
PAGE = _HERE.parents[1] / "docs" / "parity.md"
_HEAD = """\
# What differs from Temporal's Python SDK

Written from `tests/parity/differences.toml` by `python tests/parity/parity_page.py`; do not edit.

The public names of `outlast` are those of `temporalio` 1.35: modules, functions with their parameters and defaults,
dataclasses with their fields, enums with their members, classes with theirs, and the hierarchy of exceptions. A test
compares the two packages, and fails on every difference that does not stand here.

| what | why |
|---|---|
"""
_SERVER = """
# What differs from Temporal's server

Written from `tests/differential/differences.toml`. `make conformance TEMPORAL=host:port` asks both servers hundreds of
requests and completions of workflow tasks, good and bad, and compares codes, details, histories and descriptions.

| what | here |
|---|---|
"""
_TAIL = """
# The official SDKs of other languages

They work against `outlast server`. For each of these, `make polyglot` plays a worker, a client and a replayer of
that SDK against a server in a process of its own, and compares what they answer (`tests/polyglot`):

| language | version | toolchain |
|---|---|---|
| Go | go.temporal.io/sdk 1.50.0 | Go 1.25 or newer |
| TypeScript | @temporalio 1.24.0 | Node 20 or newer |
| Java | io.temporal:temporal-sdk 1.38.0 | JDK 17 or newer, Maven |

Activities with retries, heartbeats, timeouts and cancellation; completion by token and by id; local activities and
markers; timers; signals, queries, also of closed workflows, and updates, also rejected ones; signal-with-start and
update-with-start; children and external workflows; continue-as-new; workflow retries; start delays; id conflicts;
eager starts; cancellation, termination and reset; search attributes and memos, lists and counts; task queues and
namespaces; schedules; sessions and standalone activities of the Go SDK; and replay of every history by the SDK that
has written it.
"""


def listed() -> list[dict[str, Any]]:
    """The differences that are accepted: ``what``, ``names`` (patterns) and ``reason``."""
    entries: list[dict[str, Any]] = tomllib.loads((_HERE / "differences.toml").read_text())["difference"]
    return entries


def page() -> str:
    """The text of the page."""
    server = tomllib.loads((_HERE.parent / "differential" / "differences.toml").read_text())["difference"]
    return _HEAD + _table(listed()) + _SERVER + _table(server) + _TAIL


def _table(entries: list[dict[str, Any]]) -> str:
    return "".join(f"| {entry['what']} | {entry['reason']} |\n" for entry in entries)


if __name__ == "__main__":
    PAGE.write_text(page())
