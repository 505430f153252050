"""What every test of the replay brain leaves behind is collected while it is still known who left it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    """Fuzzed programs drop tasks with exceptions, which log when they are collected.

    Python 3.11 fails with "AST constructor recursion depth mismatch" when that happens inside ``ast.parse``, which the
    tidy tests call.
    """
    yield
    gc.collect()
