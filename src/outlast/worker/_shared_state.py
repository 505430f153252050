"""What activities in other processes share with their worker: events to be told by, and a queue for heartbeats.

Rule: a process gets only what can be pickled; everything that arrives here is called in a thread of
``queue_poller_executor``, in the order in which the process sent it.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing.managers
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

logger = logging.getLogger("outlast.worker")

_LOOK_UP_S = 0.5
_LAST_HEARTBEATS_S = 5.0


class SharedHeartbeatSender(ABC):
    """Sends heartbeats from the process of an activity; can be pickled."""

    @abstractmethod
    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        """Send one; ``details`` must be picklable."""
        raise NotImplementedError


class SharedStateManager(ABC):
    """Makes what processes share. One may serve several workers."""

    @staticmethod
    def create_from_multiprocessing(
        mgr: multiprocessing.managers.SyncManager, queue_poller_executor: Executor | None = None
    ) -> SharedStateManager:
        """The usual one.

        Args:
            mgr: ``multiprocessing.Manager()``; it has to outlive the workers.
            queue_poller_executor: one of its threads takes in heartbeats for as long as activities run; an own thread
                by default.
        """
        return _MultiprocessingStateManager(mgr, queue_poller_executor)

    @abstractmethod
    def new_event(self) -> threading.Event:
        """An event that can be pickled."""
        raise NotImplementedError

    @abstractmethod
    async def register_heartbeater(self, task_token: bytes, heartbeat: Callable[..., None]) -> SharedHeartbeatSender:
        """Have ``heartbeat(*details)`` called for each heartbeat of this task; answers what the process sends with."""
        raise NotImplementedError

    @abstractmethod
    async def unregister_heartbeater(self, task_token: bytes) -> None:
        """Its activity has ended: take in what it has sent so far, and nothing more."""
        raise NotImplementedError


class _QueueSender(SharedHeartbeatSender):
    def __init__(self, heartbeats: queue.Queue[tuple[bytes, tuple[Any, ...] | None]]) -> None:
        self._heartbeats = heartbeats

    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        self._heartbeats.put((task_token, details))


class _MultiprocessingStateManager(SharedStateManager):
    def __init__(self, mgr: multiprocessing.managers.SyncManager, executor: Executor | None) -> None:
        self._mgr = mgr
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="activity-heartbeats")
        self._heartbeats: queue.Queue[tuple[bytes, tuple[Any, ...] | None]] = mgr.Queue(1000)
        self._sender = _QueueSender(self._heartbeats)
        self._lock = threading.Lock()
        self._listeners: dict[bytes, tuple[Callable[..., None], threading.Event]] = {}
        self._polling = False

    def new_event(self) -> threading.Event:
        return self._mgr.Event()

    async def register_heartbeater(self, task_token: bytes, heartbeat: Callable[..., None]) -> SharedHeartbeatSender:
        with self._lock:
            self._listeners[task_token] = heartbeat, threading.Event()
            if not self._polling:
                self._polling = True
                self._executor.submit(self._poll)
        return self._sender

    async def unregister_heartbeater(self, task_token: bytes) -> None:
        with self._lock:
            _, ended = self._listeners[task_token]
        await asyncio.to_thread(self._heartbeats.put, (task_token, None))
        if not await asyncio.to_thread(ended.wait, _LAST_HEARTBEATS_S):
            logger.warning("The last heartbeats of an activity in another process did not arrive in time")
        with self._lock:
            self._listeners.pop(task_token, None)

    def _poll(self) -> None:
        """Take in heartbeats until nobody listens."""
        while True:
            try:
                token, details = self._heartbeats.get(True, _LOOK_UP_S)
            except queue.Empty:
                with self._lock:
                    if not self._listeners:
                        self._polling = False
                        return
                continue
            except Exception as error:
                with self._lock:
                    idle = not self._listeners
                level = logging.DEBUG if idle else logging.ERROR  # a manager that has ended is no loss then
                logger.log(
                    level, "Heartbeats of activities in other processes cannot be received any longer", exc_info=error
                )
                with self._lock:
                    self._polling = False
                return
            with self._lock:
                listener = self._listeners.get(token)
            if listener is None:
                continue
            heartbeat, ended = listener
            if details is None:
                ended.set()
                continue
            try:
                heartbeat(*details)
            except Exception:
                logger.exception("A heartbeat of an activity in another process was not taken")
