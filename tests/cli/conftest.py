"""One server and one worker for all tests of the command line; whatever they did, the database is sound afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from cli_stage import SqliteStorage, Stage, call


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    path = tmp_path_factory.mktemp("stage") / "orders.db"
    with Stage(lambda: SqliteStorage.open(path)) as made:
        yield made
    examined = call("doctor", "--db", str(path))
    assert examined.exit_code == 0, examined.output


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """A command sends the logs of its process to standard error; this process has further tests, which look at them."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
