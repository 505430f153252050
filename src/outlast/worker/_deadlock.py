"""Deadlock detection: workflow code that does not give control back is reported with its stack, and interrupted.

Rule: code runs in the event loop as always; a thread looks at the clock twice per limit. It logs where the code
stands and raises an exception there, again and again until the code stops. Code that is blocked inside a call of C is
reported at once, and interrupted when that call returns.

    idle --call--> running --limit passed--> reported --interrupted | returned--> idle, and the caller is told

Source: TMPRL1101 of Temporal's SDKs.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import TypeVar

from ._thread import set_async_exception

logger = logging.getLogger("outlast.worker")

T = TypeVar("T")


class WorkflowInterrupted(BaseException):
    """Raised in workflow code that has run for too long. Nothing may swallow it for good: it comes again."""


class DeadlockError(Exception):
    """Workflow code did not yield in time.

    Attributes:
        stack: where it stood.
    """

    def __init__(self, seconds: float, stack: str) -> None:
        super().__init__(f"[TMPRL1101] Potential deadlock detected: workflow didn't yield within {seconds:g} second(s)")
        self.stack = stack


class Watchdog:
    """Watches the workflow code of one worker, which runs in one thread.

    Args:
        seconds: how long code may run without yielding; None for as long as it likes.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._code_thread = self._since = 0
        self._stack: str | None = None

    def call(self, code: Callable[..., T], *args: object) -> T:
        """Run code under watch.

        Raises:
            DeadlockError: it ran for too long, whatever has become of it since.
        """
        if self._seconds is None:
            return code(*args)
        if self._thread is None:
            self._code_thread = threading.get_ident()
            self._thread = threading.Thread(target=self._watch, name="workflow-watchdog", daemon=True)
            self._thread.start()
        self._since = time.monotonic_ns()
        try:
            try:
                result = code(*args)
            finally:
                self._rest()
        except WorkflowInterrupted:
            self._rest()
        except BaseException:
            if self._stack is None:
                raise
        if self._stack is None:
            return result
        stack, self._stack = self._stack, None
        set_async_exception(self._code_thread, None)  # what was raised and has not surfaced must not hit anything else
        raise DeadlockError(self._seconds, stack)

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _rest(self) -> None:
        with self._lock:  # after this the watching thread raises nothing
            self._since = 0

    def _watch(self) -> None:
        assert self._seconds is not None
        while not self._stop.wait(self._seconds / 2):
            with self._lock:
                since = self._since
                if since and time.monotonic_ns() - since > self._seconds * 1e9:
                    self._interrupt()

    def _interrupt(self) -> None:
        if self._stack is None:
            frame = sys._current_frames().get(self._code_thread)
            self._stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
            logger.error(
                "[TMPRL1101] Potential deadlock detected: workflow didn't yield within %g second(s). It stands at:\n%s",
                self._seconds,
                self._stack,
            )
        set_async_exception(self._code_thread, WorkflowInterrupted)
