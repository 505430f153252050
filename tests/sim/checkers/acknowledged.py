"""A signal that the server has taken is in the history of the run that was open then, or waits to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlast.api.history.v1 import HistoryEvent

if TYPE_CHECKING:
    from wild import WildLife


async def check(life: WildLife) -> None:
    """Looked at once, at the end: what is durable stays."""


async def at_the_end(life: WildLife) -> None:
    node = life.server.node
    for run in node.runs.all():
        events = await node.runs.events(run, 1, run.state.next_event_id)
        buffered = [HistoryEvent.FromString(data) for data in run.state.buffered]
        names = [event.workflow_execution_signaled_event_attributes.signal_name for event in [*events, *buffered]]
        for run_id, name in life.acknowledged:
            if run_id == run.key.run_id:
                assert names.count(name) == 1, f"signal {name} is in the history of {run.key} {names.count(name)} times"
