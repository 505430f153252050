"""A schedule's state to bytes and back: MessagePack arrays in field order with a leading format number."""

from __future__ import annotations

from typing import Final

import msgspec

from .state import ScheduleState

FORMAT: Final = 1
"""Written in front of every snapshot; a higher number than this was written by a newer version."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ScheduleState)


def encode(state: ScheduleState) -> bytes:
    """The snapshot of a state."""
    return bytes((FORMAT,)) + _encoder.encode(state)


def decode(data: bytes) -> ScheduleState:
    """The state of a snapshot.

    Raises:
        ValueError: the snapshot is of a newer format.
    """
    if data[0] > FORMAT:
        raise ValueError(f"the snapshot has format {data[0]}, this version of outlast reads up to {FORMAT}")
    return _decoder.decode(memoryview(data)[1:])
