"""History events: building one, and writing several down as one batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from outlast.api.history.v1 import History, HistoryEvent
from outlast.vocab.attributes import EVENT_FIELD
from outlast.vocab.times import parts

_LENGTH_DELIMITED = 2
_TAG = bytes((History.DESCRIPTOR.fields_by_name["events"].number << 3 | _LENGTH_DELIMITED,))


def new_event(event_type: int, now: int, attributes: Mapping[str, Any], **event_fields: Any) -> HistoryEvent:
    """Build an event without an id.

    Args:
        event_type: one of ``EVENT_TYPE_*``.
        now: the event's time, ns since the epoch.
        attributes: fields of the event type's attributes message; a message may be given as a mapping of its fields.
        event_fields: further fields of HistoryEvent itself, such as ``user_metadata``.
    """
    event_fields["event_type"] = event_type
    event_fields["event_time"] = parts(now)
    event_fields[EVENT_FIELD[event_type]] = attributes
    return HistoryEvent(**event_fields)


def batch(events: Iterable[HistoryEvent]) -> bytes:
    """The serialized History of the events, as ``History(events=events)`` gives it, without copying each of them."""
    pieces: list[bytes] = []
    for event in events:
        data = event.SerializeToString()
        pieces += (_TAG, _length(len(data)), data)
    return b"".join(pieces)


def _length(value: int) -> bytes:
    """A length as protobuf's base-128 number."""
    if value < 0x80:
        return bytes((value,))
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
