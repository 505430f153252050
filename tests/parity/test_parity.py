"""The public surface is Temporal's, except for what differences.toml lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

import pytest
import temporalio.types  # noqa: F401
from parity_page import PAGE, listed, page
from public_surface import MODULES, compare, differences

import outlast.types  # noqa: F401 - dataclasses look the module of their class up


@pytest.mark.parametrize("module", MODULES)
def test_differences_are_listed(module: str) -> None:
    patterns = [pattern for entry in listed() for pattern in entry["names"]]
    unknown = [line for line in differences(module) if not any(fnmatchcase(line, pattern) for pattern in patterns)]
    assert not unknown, "outlast differs from temporalio; build it, or list it in differences.toml with a reason"


def test_the_list_has_nothing_that_was_built() -> None:
    lines = [line for module in MODULES for line in differences(module)]
    unused = [
        pattern
        for entry in listed()
        for pattern in entry["names"]
        if not any(fnmatchcase(line, pattern) for line in lines)
    ]
    assert not unused, "no such difference any more: take it out of differences.toml"


def test_the_page_is_in_step_with_the_list() -> None:
    assert PAGE.read_text() == page(), "run: python tests/parity/parity_page.py"


def test_a_difference_is_seen() -> None:
    """The comparison itself: a lost parameter, another default, a lost field, a lost member and a lost base."""
    found = [line for name in vars(_Theirs) if name[0] != "_" for line in _compare(name)]
    assert found == [
        "call(b=): default 2 instead of 1",
        "call(c=): missing",
        "Data.b: missing",
        "Data.__init__(b=): missing",
        "Kind.TWO: missing",
        "Error: is no ValueError",
        "Error.say: missing",
    ]


def _compare(name: str) -> Iterator[str]:
    return compare(name, getattr(_Theirs, name), getattr(_Ours, name))


class _Theirs:
    def call(a, b=1, *, c): ...

    @dataclass
    class Data:
        __module__ = "temporalio.types"
        a: int
        b: int = 1

    class Kind(Enum):
        ONE = 1
        TWO = 2

    class Error(ValueError):
        __module__ = "temporalio.types"

        def say(self) -> None: ...


class _Ours:
    def call(a, b=2): ...

    @dataclass
    class Data:
        __module__ = "outlast.types"
        a: int

    class Kind(Enum):
        ONE = 1

    class Error(Exception):
        __module__ = "outlast.types"
