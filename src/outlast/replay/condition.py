"""``wait_condition``: wait until a question of the workflow's own is answered with yes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from outlast.api.sdk.v1 import EventGroupMarker

from .timer import Timers

if TYPE_CHECKING:
    from .context import RunContext


async def wait_condition(
    context: RunContext,
    timers: Timers,
    condition: Callable[[], bool],
    timeout: float | None,
    summary: str | None,
    markers: Sequence[EventGroupMarker],
) -> None:
    """Return when ``condition()`` is true.

    Raises:
        TimeoutError: ``timeout`` seconds have passed first.
        CancelledError: cancellation of the workflow arrived together with the answer, and all jobs are applied at once.
    """
    context.require_writable("wait condition")
    before = context.cancel_reason is not None
    future: asyncio.Future[None] = context.loop.create_future()
    context.loop.add_condition(condition, future)

    def cancelled_meanwhile() -> bool:
        return context.mode.single_batch and not before and context.cancel_reason is not None

    try:
        await timers.wait_for(future, timeout, summary, markers)
    except TimeoutError:
        if cancelled_meanwhile():
            raise asyncio.CancelledError from None
        raise
    if cancelled_meanwhile():
        raise asyncio.CancelledError
