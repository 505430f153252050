"""The list of workflows says of every run what its state says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wild import WildLife


async def check(life: WildLife) -> None:
    """A list is a look at the store, and what the store has is compared at the end of the life."""


async def at_the_end(life: WildLife) -> None:
    answer = await life.server.call("ListWorkflowExecutions", page_size=1000)
    listed = {one.execution.run_id: one for one in answer.executions}
    for run in life.server.node.runs.all():
        info = listed.pop(run.key.run_id, None)
        assert info is not None, f"{run.key} is not listed"
        assert (info.status, info.history_length) == (run.state.status, run.state.next_event_id - 1), run.key
    assert not (set(listed) & life.deleted), "a deleted run is listed"
