"""The key of a run and its row in the lists: the words that the port and the list queries share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class RunKey(NamedTuple):
    """Names one run."""

    namespace_id: str
    workflow_id: str
    run_id: str

    def __str__(self) -> str:
        return f"workflow {self.workflow_id!r} run {self.run_id}"


@dataclass(frozen=True, slots=True)
class VisibilityRow:
    """A run as lists find and show it. Times are ns since the epoch."""

    workflow_type: str
    task_queue: str
    status: int
    start_time: int
    execution_time: int
    """When its first workflow task was to begin: the start plus the start delay or backoff."""
    close_time: int | None
    """None = open."""
    history_length: int
    history_size_bytes: int
    state_transition_count: int
    memo: bytes
    search_attributes: bytes
    parent_workflow_id: str
    parent_run_id: str
    root_workflow_id: str
    root_run_id: str
