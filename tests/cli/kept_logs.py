"""A command sends the logs of its process to standard error; this process has further tests, which look at them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_logs() -> Iterator[None]:
    """Whatever happens inside, the logs go on as before."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    for handler in handlers:
        root.removeHandler(handler)  # or they would be closed
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
