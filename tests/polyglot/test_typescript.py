"""The TypeScript SDK: worker, client and replayer."""

from __future__ import annotations

from typing import Any

import pytest
from polyglot_story import Language

TYPESCRIPT = Language(
    "typescript",
    build=("sh", "-c", "npm ci --silent --ignore-scripts && npm run --silent build"),
    run=("node", "build/main.js"),
    answers={"markers": {"patched": True, "attempt": 2}, "replay": 13},
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return TYPESCRIPT.play(tmp_path_factory.mktemp("typescript"))


@pytest.mark.parametrize("case", TYPESCRIPT.expected)
def test_the_typescript_sdk_gets_its_answer(answers: dict[str, Any], case: str) -> None:
    assert answers[case] == TYPESCRIPT.expected[case]


def test_the_typescript_program_knows_no_other_cases(answers: dict[str, Any]) -> None:
    assert answers.keys() == TYPESCRIPT.expected.keys()
