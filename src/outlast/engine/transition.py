"""What a decision answers: events to record, effects to run, and whether the workflow has to look.

A decision reads the state and returns a ``Transition``; it never writes. Folds write: those of events by the event's
type (``tables.ON_EVENT``), those of state outside history named in ``folds``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from outlast.api.history.v1 import HistoryEvent

from .effects import Effect


class Successor(msgspec.Struct, frozen=True):
    """The next run of the chain, which the shell creates in the same commit."""

    run_id: str
    started_event: HistoryEvent


class Transition(msgspec.Struct, frozen=True):
    """One decision's outcome.

    ``events`` without ids, in the order of recording. ``folds`` are calls ``fold(state, *arguments)`` applied after the
    events, for what history does not hold: attempts, heartbeats, stickiness. ``wakes`` says that the workflow code has
    to see the events: a workflow task is scheduled unless one is pending. ``successor`` is the run that
    follows a closed one.
    """

    events: tuple[HistoryEvent, ...] = ()
    effects: tuple[Effect, ...] = ()
    folds: tuple[tuple[Callable[..., None], Any, Any], ...] = ()
    wakes: bool = False
    successor: Successor | None = None


NOTHING = Transition()
