"""An update that was answered with an outcome of the workflow's stands in its history with it, once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from outlast.api.enums import v1 as e
from outlast.api.workflowservice.v1 import UpdateWorkflowExecutionResponse

if TYPE_CHECKING:
    from wild import WildLife


async def check(life: WildLife) -> None:
    """Looked at once, at the end: what is durable stays."""


async def at_the_end(life: WildLife) -> None:
    node = life.server.node
    completed: dict[str, Counter[str]] = {}
    for run in node.runs.all():
        events = await node.runs.events(run, 1, run.state.next_event_id)
        completed[run.key.run_id] = Counter(
            event.workflow_execution_update_completed_event_attributes.meta.update_id
            for event in events
            if event.event_type == e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED
        )
    for counts in completed.values():
        assert all(times == 1 for times in counts.values()), counts
    for call in life.waiting:
        if call.exception() is None and isinstance(call.result(), UpdateWorkflowExecutionResponse):
            answer = call.result()
            run_id = answer.update_ref.workflow_execution.run_id
            if answer.outcome.HasField("success") and run_id in completed:
                assert completed[run_id][answer.update_ref.update_id] == 1, answer
