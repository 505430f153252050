"""The hook by which a plugin takes part in the making and running of workers and replayers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outlast.client import WorkflowHistory

    from ._config import WorkerConfig
    from ._replayer import Replayer, ReplayerConfig, WorkflowReplayResult
    from ._worker import Worker


class Plugin(ABC):
    """Changes the configuration of workers and replayers, and wraps their runs. Earlier plugins wrap later ones."""

    def name(self) -> str:
        """Name of the plugin: module and class unless overridden."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @abstractmethod
    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """The configuration to make the worker with, given the one so far."""

    @abstractmethod
    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Run the worker, usually by awaiting ``next`` with it."""

    @abstractmethod
    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """The configuration to make the replayer with, given the one so far."""

    @abstractmethod
    def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Replay histories, usually by what ``next`` returns."""
