"""Divisions of a namespace: executions of another kind live beside its workflows.

Rule: to storage a division is a namespace of its own, named by the namespace's id and the kind. So ids of two kinds
never meet, lists never mix, and a key says of what kind it is.
"""

from __future__ import annotations

from typing import Final

WORKFLOWS: Final = ""
"""The namespace itself."""
ACTIVITIES: Final = "activity"
"""Standalone activities."""
SCHEDULES: Final = "schedule"
"""Schedules."""
DIVISIONS: Final = (ACTIVITIES, SCHEDULES)
"""All but the workflows."""

NOUNS: Final = {WORKFLOWS: "workflow", ACTIVITIES: "activity", SCHEDULES: "schedule"}
"""What an execution of each kind is called."""

_SEPARATOR: Final = "/"  # never in the id of a namespace


def division(namespace_id: str, kind: str) -> str:
    """The id under which storage keeps this kind of execution of a namespace."""
    return f"{namespace_id}{_SEPARATOR}{kind}" if kind else namespace_id


def namespace_of(division_id: str) -> str:
    """The id of the namespace that a division belongs to; a namespace's id is answered as it is."""
    return division_id.partition(_SEPARATOR)[0]


def kind_of(division_id: str) -> str:
    """One of ``DIVISIONS``, or ``WORKFLOWS``."""
    return division_id.partition(_SEPARATOR)[2]


def noun_of(division_id: str) -> str:
    """What the executions of a division are called."""
    return NOUNS[kind_of(division_id)]
