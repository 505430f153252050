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


def listed() -> list[dict[str, Any]]:
    """The differences that are accepted: ``what``, ``names`` (patterns) and ``reason``."""
    entries: list[dict[str, Any]] = tomllib.loads((_HERE / "differences.toml").read_text())["difference"]
    return entries


def page() -> str:
    """The text of the page."""
    return _HEAD + "".join(f"| {entry['what']} | {entry['reason']} |\n" for entry in listed())


if __name__ == "__main__":
    PAGE.write_text(page())
