"""A parent that was told of its child's start has such a child, and is told of its end before all is at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlast.storage.port import RunKey

if TYPE_CHECKING:
    from wild import WildLife


async def check(life: WildLife) -> None:
    runs = {run.key: run for run in life.server.node.runs.all()}
    for parent in runs.values():
        for child in parent.state.children.values():
            if not child.started:
                continue
            found = runs.get(RunKey(parent.key.namespace_id, child.workflow_id, child.run_id))
            if found is not None:
                known = found.state.parent_workflow_id == parent.key.workflow_id
                assert known, f"{found.key} does not know its parent {parent.key}"


async def at_the_end(life: WildLife) -> None:
    for run in life.server.node.runs.all():
        assert not run.state.owes_report, f"{run.key} has not told its parent how it ended"
        assert not run.state.owed_children, f"{run.key} has not applied its close to {list(run.state.owed_children)}"
