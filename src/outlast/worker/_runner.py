"""How workflow code is run: names that Temporal's users pass to workers.

Rule: there is one way to run workflow code here, in the worker's own interpreter, without importing it again.
"""

from __future__ import annotations


class WorkflowRunner:
    """Base of the runners. Only :class:`UnsandboxedWorkflowRunner` exists; workers refuse any other."""


class UnsandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflow code as it was imported."""
