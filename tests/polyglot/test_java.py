"""The Java SDK: worker, client and replayer."""

from __future__ import annotations

from typing import Any

import pytest
from polyglot_story import Language

JAVA = Language(
    "java",
    build=("mvn", "-q", "-B", "compile", "dependency:build-classpath", "-Dmdep.outputFile=target/classpath"),
    run=("sh", "-c", 'exec java -cp "target/classes:$(cat target/classpath)" polyglot.Main "$0"'),
    answers={"markers": {"drawn": 42, "changed": 1, "version": 2, "attempt": 2}, "replay": 13},
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return JAVA.play(tmp_path_factory.mktemp("java"))


@pytest.mark.parametrize("case", JAVA.expected)
def test_the_java_sdk_gets_its_answer(answers: dict[str, Any], case: str) -> None:
    assert answers[case] == JAVA.expected[case]


def test_the_java_program_knows_no_other_cases(answers: dict[str, Any]) -> None:
    assert answers.keys() == JAVA.expected.keys()
