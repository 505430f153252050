"""Ids that follow from what is already known, so that deciding twice gives the same id.

Rule: uuid5 of names only. An id that must be new (a first run, a request) is drawn by the shell and given as argument.
"""

from __future__ import annotations

import uuid
from typing import Final

_OUTLAST: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:outlast")


def successor_run_id(run_id: str, event_id: int) -> str:
    """The run that follows `run_id` by continue-as-new, retry or cron, decided when `event_id` was the next event."""
    return _derived("successor", run_id, event_id)


def child_run_id(run_id: str, initiated_event_id: int) -> str:
    """The run of the child that the event with this id of `run_id` asks for."""
    return _derived("child", run_id, initiated_event_id)


def request_id(run_id: str, event_id: int) -> str:
    """The request id for what the event with this id of `run_id` asks another execution to do: equal on every try."""
    return _derived("request", run_id, event_id)


def is_run_id(text: str) -> bool:
    """Whether the text is a UUID, as every run id is."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _derived(purpose: str, run_id: str, event_id: int) -> str:
    return str(uuid.uuid5(_OUTLAST, f"{purpose}/{run_id}/{event_id}"))
