"""Deleted namespaces: their runs are removed page by page, then they are forgotten.

Rule: the namespace's state, DELETED, is the only memory of the work; a node that opens takes up what it finds.
"""

from __future__ import annotations

import asyncio

from outlast.vocab.divisions import DIVISIONS, WORKFLOWS, division

from .node import Node

_PAGE = 100


def begin(node: Node, namespace_id: str) -> None:
    """Reclaim a deleted namespace in the background."""
    work = asyncio.get_running_loop().create_task(_reclaim(node, namespace_id))
    node.spawn(f"reclaiming of namespace {namespace_id}", work)


async def _reclaim(node: Node, namespace_id: str) -> None:
    node.queues.shut_namespace(namespace_id)
    node.batches.forget_namespace(namespace_id)
    node.schedules.forget_namespace(namespace_id)
    for kind in (WORKFLOWS, *DIVISIONS):
        await _empty(node, division(namespace_id, kind))
    await node.namespaces.forget(namespace_id)


async def _empty(node: Node, division_id: str) -> None:
    while True:
        page = await node.storage.list_executions(division_id, page_size=_PAGE)
        for key, _ in page.rows:
            await node.runs.delete(key)
        if not page.rows:
            return
