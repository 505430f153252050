"""When all runs have ended and all calls were answered, nothing in memory waits for any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wild import WildLife


async def check(life: WildLife) -> None:
    """Something always waits while a life goes on."""


async def at_the_end(life: WildLife) -> None:
    node = life.server.node
    for run in node.runs.all():
        assert not (run.queries or run.updates or run.waiters or run.commits), f"{run.key} is still waited for"
    assert not node.outbox._lanes, f"the outbox works on {list(node.outbox._lanes)}"
    for key in node.timers._wanted:
        assert await node.storage.load(key) is not None, f"a deadline is kept of {key}, which is gone"
