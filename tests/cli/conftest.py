"""One server and one worker for all tests of the command line; whatever they did, the database is sound afterwards."""

from __future__ import annotations

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
