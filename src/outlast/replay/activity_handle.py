"""The task that workflow code holds for an activity, remote or local.

Rule: cancelling it asks the activity to cancel; the activity decides how the task ends, unless it was cancelled before
its first step. A local activity's backoff is slept here, where a cancel ends it like any other sleep.

Source: temporalio ``_ActivityHandle``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from outlast.api.common.v1 import Payloads
from outlast.api.failure.v1 import Failure
from outlast.workflow import ActivityHandle
from outlast.workflow._calls import StartActivityInput, StartLocalActivityInput

from .flags import LangFlag
from .operation import outcome

if TYPE_CHECKING:
    from .context import RunContext


class _BackOffError(BaseException):
    """Ends one round of waiting: sleep, then start the next one."""

    def __init__(self, seconds: float, again: Callable[[], None]) -> None:
        super().__init__(seconds)
        self.seconds, self.again = seconds, again


def _nothing() -> None:
    """What cancelling an activity does that has ended; the machine that did it before is let go."""


class Handle(ActivityHandle[Any]):
    """The task that waits for an activity.

    Attributes:
        on_cancel: asks the activity to cancel.
        running: the task has taken its first step; before that, a cancel does not reach its coroutine.
        resolution_due: the outcome is decided.
    """

    def __init__(
        self, context: RunContext, call: StartActivityInput | StartLocalActivityInput, on_cancel: Callable[[], None]
    ) -> None:
        self.on_cancel = on_cancel
        self._call = call
        self._order = next(context.loop.order)
        self.running = self.resolution_due = False
        self._cancel_asked = False
        self._run = context
        self._ended: asyncio.Future[Any] = asyncio.Future(loop=context.loop)
        super().__init__(self._wait(), loop=context.loop, name=f"activity: {call.activity}")
        context.loop.keep(self)

    def __hash__(self) -> int:
        return self._order

    async def _wait(self) -> Any:
        while True:
            self.running = True
            try:
                return await outcome(
                    self._run, self._ended, self._on_cancelled, result_flag=LangFlag.CANCEL_BEATS_RESULT
                )
            except _BackOffError as backoff:
                await asyncio.sleep(backoff.seconds)
                self._ended = asyncio.Future(loop=self._run.loop)
                self.resolution_due = self._cancel_asked = False
                backoff.again()

    def _on_cancelled(self, error: asyncio.CancelledError) -> None:
        self._ask_to_cancel()

    def _ask_to_cancel(self) -> None:
        self._run.require_writable("cancel activity")
        if not self._cancel_asked:
            self._cancel_asked = True
            self.on_cancel()

    def cancel(self, msg: Any | None = None) -> bool:
        if not self._run.mode.evicting:
            self._run.require_writable("cancel activity handle")
            if not self.running and not self.done():
                self._ask_to_cancel()
        return super().cancel(msg)

    def complete(self, result: Payloads) -> None:
        """The activity returned; what it returned is decoded by the hint of its definition."""
        payloads = result.payloads
        value = None
        if payloads:
            converter, _ = self._run.converters.for_activity(self._run, self._call)
            hint = self._call.ret_type
            value = self._run.decode(payloads, None if hint is None else [hint], converter)[0]
        self._ended.set_result(value)
        self.on_cancel = _nothing

    def fail(self, failure: Failure) -> None:
        """The activity ended in any other way."""
        converter, failures = self._run.converters.for_activity(self._run, self._call)
        error = failures.from_failure(failure, converter)
        self.on_cancel = _nothing
        # Nobody would ever look at it, and asyncio would say so, if the task was cancelled before it began.
        if self.running:
            self._ended.set_exception(error)

    def back_off(self, seconds: float, again: Callable[[], None]) -> None:
        """Not ended: call ``again`` after a timer of so many seconds."""
        if self.running:
            self._ended.set_exception(_BackOffError(seconds, again))
