"""The loop that workflow code runs on: a timer is a command, and waiting conditions are asked when all is at rest.

Rule: every path by which code could change something passes ``require_writable``, so that queries and validators
cannot. An error that must fail the workflow task stops the loop right after the callback that found it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any

from outlast.loop import DeterministicLoop

if TYPE_CHECKING:
    from outlast.workflow._runtime import Runtime

    from .context import RunContext
    from .timer import Timers

# Callbacks to run while unwinding: a task that loops over swallowed cancels must not hold the worker.
_UNWIND_MAX = 100_000


class WorkflowLoop(DeterministicLoop):
    """The event loop of one run.

    Attributes:
        workflow_runtime: where ``outlast.workflow`` finds its runtime; None until the run is set up.
        guard: where the worker's determinism guard finds what to enforce; None for code that runs free.
    """

    def __init__(self) -> None:
        super().__init__()
        self.workflow_runtime: Runtime | None = None
        self.guard: object | None = None
        self.context: RunContext
        self.timers: Timers
        self._conditions: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def add_condition(self, condition: Callable[[], bool], future: asyncio.Future[None]) -> None:
        """Resolve ``future`` once ``condition()`` is true."""
        self._conditions.append((condition, future))

    def run_turn(self, ask_conditions: Callable[[], bool]) -> None:
        """Run until nothing is ready and no condition lets anything through.

        Args:
            ask_conditions: whether conditions may be asked now; asked whenever nothing is ready.

        Raises:
            BaseException: ``context.error``, once a callback has set it.
        """
        context, ready = self.context, self._ready
        token = self.enter()
        try:
            while ready:
                while ready:
                    ready.popleft()._run()
                    if context.error is not None and not context.mode.evicting:
                        raise context.error
                if self._conditions and ask_conditions():
                    self._conditions = [one for one in self._conditions if not self._passes(*one)]
        finally:
            self.leave(token)

    def unwind(self) -> None:
        """Cancel all tasks and run what that sets off; what still will not end is closed."""
        for task in self.open_tasks():
            task.cancel()
        with self.entered():
            for _ in range(_UNWIND_MAX):
                if not self._ready:
                    break
                self._ready.popleft()._run()
            for task in self.open_tasks():
                # It swallowed the cancel. Closed here and now, it cannot wake up later under another event loop.
                coroutine = task.get_coro()
                if coroutine is not None:
                    with suppress(BaseException):
                        coroutine.close()
        self._ready.clear()

    def let_go(self) -> None:
        """The run is over: forget it. What an abandoned task still reports finds the run's mode, and nothing else."""
        self._tasks.clear()
        self._conditions.clear()
        self.workflow_runtime = None
        del self.timers

    @staticmethod
    def _passes(condition: Callable[[], bool], future: asyncio.Future[None]) -> bool:
        if future.done():
            return True
        if condition():
            future.set_result(None)
            return True
        return False

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        # Evicting must be able to schedule: this is how cancelling a task reaches it.
        if self.context.mode.read_only and not self.context.mode.evicting:
            self.context.require_writable("schedule task")
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def _start_timer(self, handle: asyncio.TimerHandle, delay: float) -> None:
        self.timers.start(handle, delay)

    def _cancel_timer(self, handle: asyncio.TimerHandle) -> None:
        self.timers.cancel(handle)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        # What breaks while a run is thrown away concerns nobody.
        if not self.context.mode.evicting:
            super().call_exception_handler(context)
