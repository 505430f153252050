"""A workflow task that keeps failing is shown as the search attribute TemporalReportedProblems, until one succeeds.

So a list of ``TemporalReportedProblems IS NOT NULL`` finds the workflows that are stuck. It is outside history: the
failures of later attempts leave no events.

Source: rule 3.4.5.
"""

from __future__ import annotations

import json
from typing import Final

from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.vocab import limits
from outlast.vocab.search_attributes import TYPE_METADATA

from .state import ExecutionState, TaskFailure

NAME: Final = "TemporalReportedProblems"


def note(state: ExecutionState, failure: TaskFailure) -> None:
    """One more workflow task in a row has failed or timed out."""
    state.task_failures += 1
    if state.task_failures < limits.WORKFLOW_TASK_PROBLEM_FAILURES:
        return
    attributes = SearchAttributes.FromString(state.search_attributes)
    payload = attributes.indexed_fields[NAME]
    payload.data = json.dumps(_words(failure.cause)).encode()
    payload.metadata["encoding"] = b"json/plain"
    payload.metadata[TYPE_METADATA] = b"KeywordList"
    state.search_attributes = attributes.SerializeToString(deterministic=True)


def solve(state: ExecutionState) -> None:
    """A workflow task has succeeded."""
    if state.task_failures >= limits.WORKFLOW_TASK_PROBLEM_FAILURES:
        state.search_attributes = without(state.search_attributes)
    state.task_failures = 0


def without(search_attributes: bytes) -> bytes:
    """The serialized search attributes without the problems."""
    attributes = SearchAttributes.FromString(search_attributes)
    attributes.indexed_fields.pop(NAME, None)
    return attributes.SerializeToString(deterministic=True)


def _words(cause: int) -> list[str]:
    """What is shown for a cause, 0 being a timeout."""
    if not cause:
        return ["category=WorkflowTaskTimedOut", "cause=WorkflowTaskTimedOutCauseStartToClose"]
    name: str = _e.WorkflowTaskFailedCause.Name(cause)
    words = "".join(word.capitalize() for word in name.split("_"))
    return ["category=WorkflowTaskFailed", f"cause={words}"]
