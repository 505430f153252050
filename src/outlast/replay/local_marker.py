"""The marker of a local activity: its keys and its data, byte for byte as Temporal's SDKs in Rust write them.

details["data"]     JSON: number, attempt, id, type, times, backoff, activation
details["result"]   what it returned; absent when it failed
failure             how it failed; absent when it returned
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from outlast.api.common.v1 import Payload
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.times import SECOND_NS, parts

from .nondeterminism import BrokenHistory

MARKER_NAME = "core_local_activity"
DATA_KEY = "data"
RESULT_KEY = "result"


class Resolution(NamedTuple):
    """How a local activity ended.

    Attributes:
        attempt: the last one; 0 when none was made.
        complete_at: in the workflow's time; None for a cancellation that nobody waited for.
        backoff_ns: when set, it has not ended: the next attempt follows after so long.
        activation: which one of its workflow task delivered it; None for what is not recorded or is older.
    """

    seq: int
    activity_id: str
    activity_type: str
    attempt: int
    original_scheduled_at: int
    complete_at: int | None = None
    backoff_ns: int | None = None
    result: Payload | None = None
    failure: Failure | None = None
    activation: int | None = None


def data_payload(found: Resolution, activation: int) -> Payload:
    """The payload under ``data``."""
    data = {
        "seq": found.seq,
        "attempt": found.attempt,
        "activity_id": found.activity_id,
        "activity_type": found.activity_type,
        "complete_time": None if found.complete_at is None else parts(found.complete_at),
        "backoff": None if found.backoff_ns is None else parts(found.backoff_ns),
        "original_schedule_time": parts(found.original_scheduled_at),
        "activation_index": activation,
    }
    encoded = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
    return Payload(metadata={"encoding": b"json/plain"}, data=encoded)


def resolution_of(event: HistoryEvent) -> Resolution:
    """What a marker says.

    Raises:
        BrokenHistory: its data cannot be read.
    """
    attributes = event.marker_recorded_event_attributes
    try:
        data: dict[str, Any] = json.loads(attributes.details[DATA_KEY].payloads[0].data)
        return Resolution(
            seq=data["seq"],
            activity_id=data["activity_id"],
            activity_type=data["activity_type"],
            attempt=data["attempt"],
            original_scheduled_at=_nanoseconds(data.get("original_schedule_time")) or 0,
            complete_at=_nanoseconds(data.get("complete_time")),
            backoff_ns=_nanoseconds(data.get("backoff")),
            result=next(iter(attributes.details[RESULT_KEY].payloads), None)
            if RESULT_KEY in attributes.details
            else None,
            failure=attributes.failure if attributes.HasField("failure") else None,
            activation=data.get("activation_index"),
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise BrokenHistory(
            f"the marker of a local activity (event {event.event_id}) cannot be read: {error!r}; it was not written by "
            "an SDK whose local activities are compatible"
        ) from error


def _nanoseconds(value: Any) -> int | None:
    return None if value is None else int(value["seconds"]) * SECOND_NS + int(value["nanos"])
