"""Divisions: what is put together comes apart again, and no two kinds share an id."""

from __future__ import annotations

import pytest

from outlast.vocab.divisions import DIVISIONS, WORKFLOWS, division, kind_of, namespace_of

NAMESPACE = "7c6f4b9e-2f0d-4a8e-9d57-0c1f1c9f8a11"


@pytest.mark.parametrize("kind", [*DIVISIONS, WORKFLOWS])
def test_a_division_tells_its_namespace_and_kind(kind: str) -> None:
    divided = division(NAMESPACE, kind)
    assert namespace_of(divided) == NAMESPACE
    assert kind_of(divided) == kind


def test_workflows_are_in_the_namespace_itself_and_nothing_else_is() -> None:
    assert division(NAMESPACE, WORKFLOWS) == NAMESPACE
    assert len({NAMESPACE, *(division(NAMESPACE, kind) for kind in DIVISIONS)}) == len(DIVISIONS) + 1
