"""What a node does beside its calls: tasks that are kept until they end, and reported to a clock that jumps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

from .skipping import Stillness

logger = logging.getLogger("outlast.server")


class Background:
    """The background tasks of one node.

    Args:
        stillness: of the clock that jumps; None for one that does not.
    """

    __slots__ = ("_standing", "_stillness", "_tasks")

    def __init__(self, stillness: Stillness | None) -> None:
        self._stillness = stillness
        self._tasks: set[asyncio.Task[None]] = set()
        self._standing: list[asyncio.Task[None]] = []

    def spawn(self, name: str, work: asyncio.Task[None]) -> None:
        """Keep a background task until it ends; its failure is logged."""
        work.set_name(name)
        self._tasks.add(work)
        if self._stillness is not None:
            self._stillness.work += 1
        work.add_done_callback(self._spawned)

    def _spawned(self, work: asyncio.Task[None]) -> None:
        self._tasks.discard(work)
        if self._stillness is not None:
            self._stillness.work -= 1
            self._stillness.happened()
        if not work.cancelled() and work.exception() is not None:
            logger.error("%s failed", work.get_name(), exc_info=work.exception())

    def stand(self, work: Coroutine[None, None, None]) -> None:
        """Do something for ever, which is nothing that a clock waits for."""
        self._standing.append(asyncio.get_running_loop().create_task(work))

    def release(self) -> None:
        """End what goes on for ever."""
        for work in self._standing:
            work.cancel()

    async def idle(self) -> None:
        """Wait until no task is left but those that go on for ever."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """End everything."""
        self.release()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
