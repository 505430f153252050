"""Plain ``def`` activities in threads, and the exception that cancels one of them.

Rule: an exception is raised in a thread only while it runs activity code, and never inside a shield.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from outlast.exceptions import CancelledError


class ThreadCanceller:
    """Raises ``CancelledError`` in the thread of one attempt."""

    __slots__ = ("_lock", "_pending", "_raised", "_shields", "_thread_id")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread_id: int | None = None
        self._pending = False
        self._raised = False
        self._shields = 0

    def run(self, fn: Callable[..., Any], args: Sequence[Any]) -> Any:
        """Call the activity function in this thread."""
        with self._lock:
            self._thread_id = threading.get_ident()
            self._raise_if_due()
        try:
            return fn(*args)
        finally:
            with self._lock:
                if self._raised:
                    # What has not surfaced yet must not hit the next activity of this thread.
                    set_async_exception(threading.get_ident(), None)
                self._thread_id = None

    def cancel(self) -> None:
        """Have the exception raised, now or when the shield ends. Called in any thread."""
        with self._lock:
            self._pending = True
            self._raise_if_due()

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Hold the exception back; shields nest."""
        with self._lock:
            self._shields += 1
        try:
            yield
        finally:
            with self._lock:
                self._shields -= 1
                due = self._pending and self._shields == 0
                if due:
                    self._pending = False
            if due:
                # We are in the thread itself, so it can be raised exactly here, not at some later bytecode.
                raise CancelledError

    def _raise_if_due(self) -> None:
        if self._pending and self._shields == 0 and self._thread_id is not None:
            self._pending = False
            self._raised = True
            set_async_exception(self._thread_id, CancelledError)


def set_async_exception(thread_id: int, exception: type[BaseException] | None) -> None:
    """Have an exception raised in a thread as soon as it runs Python code; None takes back what was not raised yet."""
    argument = ctypes.py_object(exception) if exception is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), argument)
