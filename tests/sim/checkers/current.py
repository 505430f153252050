"""Of the runs of one workflow id one is open at most, and it is the one that requests without a run id lead to."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wild import WildLife


async def check(life: WildLife) -> None:
    node = life.server.node
    open_runs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in node.runs.all():
        if run.state.running:
            open_runs[run.key[:2]].append(run.key.run_id)
    for (namespace_id, workflow_id), run_ids in open_runs.items():
        assert len(run_ids) == 1, f"{workflow_id} has {len(run_ids)} open runs"
        current = await node.runs.current_run_id(namespace_id, workflow_id)
        assert current == run_ids[0], f"{workflow_id}: run {run_ids[0]} is open, but requests go to {current}"
        stored = await node.storage.current(namespace_id, workflow_id)
        assert stored == current, f"{workflow_id}: the store leads to {stored}, the cache to {current}"


async def at_the_end(life: WildLife) -> None:
    await check(life)
