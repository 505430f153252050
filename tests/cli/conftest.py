"""One server and one worker for all tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cli_stage import Stage

from outlast.storage.memory import MemoryStorage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with Stage(MemoryStorage) as made:
        yield made
