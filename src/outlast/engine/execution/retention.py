"""How long a run stays after its end: it is deleted when the namespace's retention is over, or when somebody asks.

    closed --keep--> kept until delete_at --deletable--> (deleted by the shell)

The instant is fixed when the run closes: a retention that changes later is that of runs that close later. What a closed
run still owes to others is done first.

Source: DeleteWorkflowExecution; rule 3.10.5.
"""

from __future__ import annotations

from ..transition import NOTHING, Transition
from . import due
from .state import ExecutionState


def keep(state: ExecutionState, retention_ns: int) -> Transition:
    """A run that has just closed stays for ``retention_ns``."""
    if state.running or state.delete_at:
        return NOTHING
    return Transition(folds=((on_kept, state.closed_at + retention_ns, None),))


def give_up(state: ExecutionState, now: int) -> Transition:
    """Let a closed run go at once."""
    assert not state.running
    return Transition(folds=((on_kept, now, None),))


def deletable(state: ExecutionState, now: int) -> bool:
    """Whether the run's time is over and nothing of it is left to do."""
    return 0 < state.delete_at <= now and not due.has_open_work(state)


def on_kept(state: ExecutionState, delete_at: int, _: None) -> None:
    state.delete_at = delete_at
