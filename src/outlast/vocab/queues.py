"""Names of task queues: what callers may choose.

Source: names under ``/_sys/`` are the server's own; the frontend refuses them.
"""

from __future__ import annotations

from . import limits


def problem(name: str) -> str:
    """What is wrong with a task queue that a caller names; "" when nothing is. An empty one is for others to refuse."""
    if len(name.encode()) > limits.ID_BYTES_MAX:
        return f"the name of the task queue is longer than {limits.ID_BYTES_MAX} bytes; shorten it"
    if name.startswith(limits.TASK_QUEUE_RESERVED_PREFIX):
        return f"the names of task queues under {limits.TASK_QUEUE_RESERVED_PREFIX!r} are reserved; choose another"
    return ""
