"""The Go SDK: worker, client and replayer."""

from __future__ import annotations

from typing import Any

import pytest
from polyglot_story import Language

GO = Language(
    "go",
    build=("go", "build", "-o", "build/polyglot", "."),
    run=("build/polyglot",),
    answers={
        "markers": {"drawn": 42, "changed": 1, "version": 2, "attempt": 2},
        "session": "on one host",
        "standalone": {"number": 3, "heartbeat": 2},
        "replay": 14,
    },
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return GO.play(tmp_path_factory.mktemp("go"))


@pytest.mark.parametrize("case", GO.expected)
def test_the_go_sdk_gets_its_answer(answers: dict[str, Any], case: str) -> None:
    assert answers[case] == GO.expected[case]


def test_the_go_program_knows_no_other_cases(answers: dict[str, Any]) -> None:
    assert answers.keys() == GO.expected.keys()
