"""Runs mypy over the files of this folder: they hold what type checkers must know, and the errors they must find."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.py") if not path.name.startswith("test_")))
def test_type_checkers_agree(name: str) -> None:
    from mypy import api

    out, err, status = api.run(["--config-file", str(HERE.parents[1] / "pyproject.toml"), str(HERE / name)])
    assert status == 0, out + err
