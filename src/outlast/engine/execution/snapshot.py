"""A run's state to bytes and back, and the comparison of a rebuilt state with a live one.

The format is MessagePack arrays in field order with a leading format number: fields are only ever added at the end,
with defaults, so that an older snapshot still reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from outlast.api.history.v1 import HistoryEvent

from . import activity_options, pause_info, problems
from .draft import fork
from .state import ExecutionState
from .tables import ON_EVENT

FORMAT = 1
"""Written in front of every snapshot; a higher number than this was written by a newer version."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ExecutionState)


def encode(state: ExecutionState) -> bytes:
    """The snapshot of a state."""
    return bytes((FORMAT,)) + _encoder.encode(state)


def decode(data: bytes) -> ExecutionState:
    """The state of a snapshot.

    Raises:
        ValueError: the snapshot is of a newer format.
    """
    if data[0] > FORMAT:
        raise ValueError(f"the snapshot has format {data[0]}, this version of outlast reads up to {FORMAT}")
    return _decoder.decode(memoryview(data)[1:])


def rebuild(namespace_id: str, workflow_id: str, run_id: str, events: Iterable[HistoryEvent]) -> ExecutionState:
    """Fold a history into the state that follows from it alone."""
    state = ExecutionState(namespace_id, workflow_id, run_id)
    for event in events:
        state.next_event_id = event.event_id + 1
        fold = ON_EVENT.get(event.event_type)
        if fold is not None:
            fold(state, event)
    return state


def historic(state: ExecutionState) -> dict[str, Any]:
    """What of a state follows from history, for comparing a rebuilt state with a live one.

    The buffer must be empty: waiting events are folded but not yet in history. A transient or started workflow task is
    compared as history has it.
    """
    view = fork(state)
    task = view.task
    if task is not None:
        view.task = (
            msgspec.structs.replace(
                task,
                started_at=0,
                started_event_id=0,
                identity="",
                request_id="",
                queue="",
                schedule_to_start_at=0,
                suggest_continue_as_new=False,
                suggest_reasons=(),
                history_size=0,
                original_scheduled_at=0,
            )
            if task.written
            else None
        )
    outside = {
        "attempt": 1,
        "attempt_scheduled_at": 0,
        "backing_off": False,
        "started_at": 0,
        "identity": "",
        "request_id": "",
        "process": "",
        "last_heartbeat_at": 0,
        "heartbeat_details": b"",
        "last_failure": b"",
        "last_attempt_completed_at": 0,
        "last_started_at": 0,
        "operations": None,
        "alone": False,
    }
    view.activities = {
        key: msgspec.structs.replace(activity_options.restored(value), **outside)
        for key, value in view.activities.items()
    }
    # A rejection leaves no event, so what is admitted and no more may have been rejected since.
    view.updates = {key: update for key, update in view.updates.items() if update.accepted_event_id}
    view.search_attributes = pause_info.without(problems.without(view.search_attributes))
    fields = msgspec.structs.asdict(view)
    for name in OUTSIDE_HISTORY:
        del fields[name]
    return fields


OUTSIDE_HISTORY = (
    "start_request_id",
    "history_size",
    "transitions",
    "request_ids",
    "sticky_queue",
    "sticky_timeout_ns",
    "task_attempt",
    "task_failure",
    "buffered",
    "first_task_pending",
    "delete_at",
    "task_failures",
    "reset_run_id",
    "owed_children",
    "owes_report",
    "standalone",
)
"""Fields of the state that the snapshot alone keeps."""
