"""How workflow code is run: names that Temporal's users pass to workers.

Rule: there is one way to run workflow code here, in the worker's own interpreter, without importing it again.
"""

from __future__ import annotations

from datetime import timedelta

DEADLOCK_TIMEOUT = timedelta(seconds=2)


class WorkflowRunner:
    """Base of the runners. There are the two that Temporal has; workers refuse any other.

    Attributes:
        deadlock_timeout: how long workflow code may run without yielding before it is interrupted and its workflow
            task fails. Not applied in the debug mode of workers.
    """

    deadlock_timeout: timedelta = DEADLOCK_TIMEOUT


class UnsandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflow code as it was imported."""

    def __init__(self, *, deadlock_timeout: timedelta = DEADLOCK_TIMEOUT) -> None:
        """``deadlock_timeout`` is outlast's own: Temporal's runner has no parameters."""
        self.deadlock_timeout = deadlock_timeout
