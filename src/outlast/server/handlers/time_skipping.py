"""TestService: the clock of a test server, which may jump.

Source: temporal.api.testservice.v1.TestService; rules 1.3, 3.14.1.
"""

from __future__ import annotations

from google.protobuf.message import Message

from outlast.api.testservice.v1 import (
    GetCurrentTimeResponse,
    LockTimeSkippingRequest,
    LockTimeSkippingResponse,
    SleepRequest,
    SleepResponse,
    SleepUntilRequest,
    UnlockTimeSkippingRequest,
    UnlockTimeSkippingResponse,
)
from outlast.vocab.errors import InvalidArgument, Unimplemented
from outlast.vocab.times import from_duration, from_timestamp, timestamp

from ..context import CallContext
from ..node import Node
from ..skipping import SkippingClock


def _clock(node: Node) -> SkippingClock:
    if not isinstance(node.clock, SkippingClock):
        raise Unimplemented("TestService: this server's clock does not jump; start one with `outlast test-server PORT`")
    return node.clock


def _length(rpc: str, request: SleepRequest) -> int:
    length = from_duration(request.duration)
    if length < 0:
        raise InvalidArgument(f"{rpc}: duration is below zero; time does not go back")
    return length


async def lock(node: Node, request: LockTimeSkippingRequest, context: CallContext) -> LockTimeSkippingResponse:
    """Count one lock more: time passes as on the wall."""
    _clock(node).lock()
    return LockTimeSkippingResponse()


async def unlock(node: Node, request: UnlockTimeSkippingRequest, context: CallContext) -> UnlockTimeSkippingResponse:
    """Count one lock less: with none left, time may jump."""
    _clock(node).unlock()
    return UnlockTimeSkippingResponse()


async def sleep(node: Node, request: SleepRequest, context: CallContext) -> SleepResponse:
    """Return when the clock has advanced by a duration."""
    clock = _clock(node)
    await clock.sleep_until(clock.now() + _length("Sleep", request))
    return SleepResponse()


async def sleep_until(node: Node, request: SleepUntilRequest, context: CallContext) -> SleepResponse:
    """Return when the clock has reached an instant."""
    await _clock(node).sleep_until(from_timestamp(request.timestamp))
    return SleepResponse()


async def unlock_with_sleep(node: Node, request: SleepRequest, context: CallContext) -> SleepResponse:
    """Unlock, sleep, and lock again."""
    clock = _clock(node)
    until = clock.now() + _length("UnlockTimeSkippingWithSleep", request)
    clock.unlock()
    try:
        await clock.sleep_until(until)
    finally:
        clock.lock()
    return SleepResponse()


async def get_current_time(node: Node, request: Message, context: CallContext) -> GetCurrentTimeResponse:
    """The clock."""
    return GetCurrentTimeResponse(time=timestamp(_clock(node).now()))
