"""Waiting for something that only the server can end, so that cancelling the wait becomes a request, not an outcome.

Rule: the future of the operation is never cancelled. A cancel of the task that waits is turned into the operation's
own cancel, and the wait goes on until the operation has an outcome.

Source: temporalio ``_await_temporal_operation``; the number of loop turns between outcome and result is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .flags import LangFlag

if TYPE_CHECKING:
    from .context import RunContext


async def outcome(
    context: RunContext,
    future: asyncio.Future[Any],
    on_cancelled: Callable[[asyncio.CancelledError], None],
    *,
    result_flag: LangFlag | None = None,
    reraise_on_workflow_cancel: bool = False,
) -> Any:
    """The future's result.

    Args:
        on_cancelled: ask the operation to cancel.
        result_flag: under this flag, a cancel that arrives together with the outcome wins.
        reraise_on_workflow_cancel: if the whole workflow is being cancelled, ask and stop waiting.
    """
    while True:
        try:
            await _settled(context, future)
            return future.result()
        except asyncio.CancelledError as error:
            if future.done():
                if context.mode.single_batch:
                    raise
                if result_flag is not None and context.flags.lang(result_flag, context.mode.replaying):
                    raise
            on_cancelled(error)
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            if reraise_on_workflow_cancel and (context.cancel_reason is not None or context.mode.evicting):
                raise


async def _settled(context: RunContext, future: asyncio.Future[Any]) -> None:
    waiter: asyncio.Future[None] = asyncio.Future(loop=context.loop)

    def release(_: asyncio.Future[Any]) -> None:
        if not waiter.done():
            waiter.set_result(None)

    future.add_done_callback(release)
    try:
        await waiter
    finally:
        future.remove_done_callback(release)
