"""DeterministicLoop: stock asyncio without a selector, a clock or a thread.

Rule: callbacks run in the order in which they became ready, and nothing outside the loop can make one ready while
it runs. Time stands still until the owner sets it, so the same calls always lead to the same interleaving. asyncio
keeps tasks and futures in sets here and there (TaskGroup cancels its tasks in the order of one); theirs hash by order
of creation, not by address, so that even these orders are the same every time.

A timer is not the loop's business: ``call_later`` and ``call_at`` make the handle and give it to ``_start_timer``;
cancelling the handle calls ``_cancel_timer``. The owner decides what a timer is (a StartTimer command in replay, a
jump of the simulated clock in a simulator) and makes it ready with ``fire``.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, NoReturn, TypeVar

_T = TypeVar("_T")
_ExceptionContext = dict[str, Any]
_ExceptionHandler = Callable[[asyncio.AbstractEventLoop, _ExceptionContext], object]

_logger = logging.getLogger(__name__)

# From 3.14 on asyncio keeps the current task per thread, not per loop: a loop that runs inside another one's task
# has to put that task aside first.
_TASK_IS_PER_THREAD = sys.version_info >= (3, 14)


class OrderedFuture(asyncio.Future[Any]):
    """A future that hashes by its loop's order of creation."""

    __slots__ = ("_order",)

    def __init__(self, loop: DeterministicLoop) -> None:
        super().__init__(loop=loop)
        self._order = next(loop.order)

    def __hash__(self) -> int:
        return self._order


class OrderedTask(asyncio.Task[Any]):
    """A task that hashes by its loop's order of creation."""

    def __init__(self, coro: Any, *, loop: DeterministicLoop, **options: Any) -> None:
        # asyncio puts the task into a set before __init__ is done.
        self._order = next(loop.order)
        super().__init__(coro, loop=loop, **options)

    def __hash__(self) -> int:
        return self._order


class DeterministicLoop(asyncio.AbstractEventLoop):
    """An event loop that runs what is ready and never waits.

    Attributes:
        now_ns: what ``time()`` reports, in ns since the epoch; set by the owner, never read from a clock.
        order: numbers tasks and futures as they are created.
    """

    def __init__(self) -> None:
        self.now_ns = 0
        self.order = itertools.count()
        self._ready: deque[asyncio.Handle] = deque()
        # asyncio keeps weak references only; a task that nobody else holds must not vanish.
        self._tasks: list[asyncio.Task[Any]] = []
        self._prune_at = 64
        self._exception_handler: _ExceptionHandler | None = None

    # -- running --------------------------------------------------------------------------------------------------

    def enter(self) -> tuple[asyncio.AbstractEventLoop | None, Any]:
        """Make this the running loop of the thread; hand what comes back to ``leave``."""
        outer = events._get_running_loop()
        outer_task: Any = None
        if _TASK_IS_PER_THREAD and outer is not None:
            outer_task = asyncio.tasks._swap_current_task(outer, None)  # type: ignore[attr-defined]
        events._set_running_loop(self)
        return outer, outer_task

    def leave(self, entered: tuple[asyncio.AbstractEventLoop | None, Any]) -> None:
        """Bring back the loop that was running before."""
        outer, outer_task = entered
        events._set_running_loop(outer)
        if outer_task is not None:
            asyncio.tasks._swap_current_task(outer, outer_task)  # type: ignore[attr-defined]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """``enter`` and ``leave`` around a block."""
        token = self.enter()
        try:
            yield
        finally:
            self.leave(token)

    def run_until_idle(self) -> None:
        """Run ready callbacks, and those that they make ready, until there are none."""
        ready = self._ready
        with self.entered():
            while ready:
                ready.popleft()._run()

    def fire(self, handle: asyncio.TimerHandle) -> None:
        """Make a timer's callback ready. The owner calls it once per timer; a cancelled handle runs nothing."""
        self._ready.append(handle)

    def open_tasks(self) -> list[asyncio.Task[Any]]:
        """The tasks that have not finished, in order of creation."""
        return [task for task in self._tasks if not task.done()]

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Hold a task of this loop until it has finished, and keep asyncio from complaining if it never does."""
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        tasks = self._tasks
        tasks.append(task)
        if len(tasks) >= self._prune_at:
            self._tasks = [one for one in tasks if not one.done()]
            self._prune_at = max(64, 2 * len(self._tasks))

    # -- what the owner overrides ---------------------------------------------------------------------------------

    def _start_timer(self, handle: asyncio.TimerHandle, delay: float) -> None:
        """Take charge of a timer that is due ``delay`` seconds from now."""
        raise NotImplementedError(f"{type(self).__name__} has no timers")

    def _cancel_timer(self, handle: asyncio.TimerHandle) -> None:
        """A handle given to ``_start_timer`` was cancelled; it may have fired already."""

    # -- asyncio's contract ---------------------------------------------------------------------------------------

    def time(self) -> float:
        return self.now_ns / 1e9

    # The stubs of typeshed type these with Unpack; Any is as much as this loop needs.
    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.time() + delay, callback, args, self, context)
        self._start_timer(handle, delay)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        # asyncio.timeout adds to time() and hands the sum back; a float of this size holds ns badly, so what comes
        # out of the subtraction is rounded to the millisecond.
        return self.call_later(round(when - self.time(), 3), callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._cancel_timer(handle)

    def create_future(self) -> asyncio.Future[Any]:
        return OrderedFuture(self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, _T] | Generator[Any, None, _T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[_T]:
        task: asyncio.Task[_T] = OrderedTask(coro, loop=self, name=name, context=context, **options)
        self.keep(task)
        return task

    def get_task_factory(self) -> None:
        return None

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_exception_handler(self) -> _ExceptionHandler | None:
        return self._exception_handler

    def set_exception_handler(self, handler: _ExceptionHandler | None) -> None:
        self._exception_handler = handler

    def default_exception_handler(self, context: _ExceptionContext) -> None:
        exception = context.get("exception")
        lines = [context.get("message") or "Unhandled exception in event loop"]
        lines += [f"{key}: {context[key]!r}" for key in sorted(context) if key not in ("message", "exception")]
        _logger.error("\n".join(lines), exc_info=exception)

    def call_exception_handler(self, context: _ExceptionContext) -> None:
        if self._exception_handler is None:
            self.default_exception_handler(context)
            return
        try:
            self._exception_handler(self, context)
        except Exception as error:
            self.default_exception_handler(
                {"message": "Unhandled error in exception handler", "exception": error, "context": context}
            )

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> NoReturn:
        raise NotImplementedError("a deterministic loop has no threads: no other thread may schedule work on it")

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> NoReturn:  # type: ignore[override]
        raise NotImplementedError(
            "a deterministic loop has no threads: asyncio.to_thread and run_in_executor do not work in it; "
            "in a workflow, move the call into an activity"
        )
