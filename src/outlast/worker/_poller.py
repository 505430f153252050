"""Polling one queue: several long polls at a time, for as long as the worker runs.

Rule: a poll is made only with a slot in hand, and what it brings keeps that slot. A server that is gone is asked again
and again, ever less often; only an error that asking again cannot cure ends the worker.

Source: sdk-core ``retry.rs`` (long polls), ``pollers/poll_buffer.rs``.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from outlast.api.taskqueue.v1 import PollerScalingDecision
from outlast.service import RPCError, RPCStatusCode

from ._backoff import POLL, POLL_THROTTLED
from ._rate_limit import RateLimit
from ._scale import Scale
from ._slot_suppliers import Pool

logger = logging.getLogger("outlast.worker")

_FATAL = frozenset({RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.NOT_FOUND})
# A server that answers polls with nothing at once is shutting down; a real long poll takes seconds.
_HASTE_NS = 50_000_000


class PolledTask(Protocol):
    """What a poll brings; without a token it is empty."""

    @property
    def task_token(self) -> bytes: ...
    @property
    def poller_scaling_decision(self) -> PollerScalingDecision: ...


T = TypeVar("T", bound=PolledTask)


class Poller(Generic[T]):
    """Polls one queue.

    Args:
        what: of the queue, for messages: "workflow tasks of 'orders'".
        poll: makes one long poll.
        accept: takes over a task and its slot; returns at once.
        limit: of tasks per second; None for none.
        scale: how many of the loops may poll; all of them without one.
        on_polls: told how many polls are open, when that changes.
    """

    def __init__(
        self,
        what: str,
        poll: Callable[[], Awaitable[T]],
        accept: Callable[[T], None],
        slots: Pool,
        limit: RateLimit | None = None,
        scale: Scale | None = None,
        on_polls: Callable[[int], None] | None = None,
    ) -> None:
        self._what = what
        self._poll = poll
        self._accept = accept
        self._slots = slots
        self._limit = limit
        self._scale = scale
        self._on_polls = on_polls
        self._failures = 0
        self._loops = 0
        self._open = 0

    async def run(self) -> None:
        """One loop of polls, until it is cancelled. Run as many at a time as there may be open polls.

        Raises:
            RuntimeError: polling cannot succeed; the cause says why.
        """
        number, self._loops = self._loops, self._loops + 1
        while True:
            if self._scale is not None:
                await self._scale.turn(number)
            await self._slots.acquire()
            task: T | None = None
            try:
                task = await self._next(number)
            finally:
                if task is None:
                    self._slots.release()
            if task is not None:
                self._accept(task)

    async def _next(self, number: int) -> T | None:
        """Poll until there is a task; None when this loop is one too many."""
        hasty = 0
        while True:
            if self._limit is not None:
                await self._await_token(self._limit)
            asked_at = time.monotonic_ns()
            try:
                task = await self._asked()
            except RPCError as error:
                self._give_back()
                if error.status is not RPCStatusCode.DEADLINE_EXCEEDED:
                    await self._after_failure(error)
                if self._is_too_many(number):
                    return None
                continue
            if self._failures:
                logger.info("Polling %s works again", self._what)
                self._failures = 0
            if self._scale is not None:
                self._scale.advise(task.poller_scaling_decision, empty=not task.task_token)
            if task.task_token:
                return task
            self._give_back()
            hasty = hasty + 1 if time.monotonic_ns() - asked_at < _HASTE_NS else 0
            if hasty:
                await asyncio.sleep(POLL.after(hasty, random.uniform(-1, 1)) / 1e9)
            if self._is_too_many(number):
                return None

    async def _asked(self) -> T:
        """One poll."""
        if self._on_polls is None:
            return await self._poll()
        self._open += 1
        self._on_polls(self._open)
        try:
            return await self._poll()
        finally:
            self._open -= 1
            self._on_polls(self._open)

    def _is_too_many(self, number: int) -> bool:
        return self._scale is not None and number >= self._scale.target

    async def _await_token(self, limit: RateLimit) -> None:
        wait = limit.take(time.monotonic_ns())
        if wait:
            try:
                await asyncio.sleep(wait / 1e9)
            except asyncio.CancelledError:
                self._give_back()
                raise

    def _give_back(self) -> None:
        if self._limit is not None:
            self._limit.give_back(time.monotonic_ns())

    async def _after_failure(self, error: RPCError) -> None:
        if error.status in _FATAL:
            raise RuntimeError(f"Polling {self._what} cannot succeed: {error.message}") from error
        self._failures += 1
        if self._scale is not None and error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
            self._scale.back_off()
        backoff = POLL_THROTTLED if error.status is RPCStatusCode.RESOURCE_EXHAUSTED else POLL
        wait = backoff.after(self._failures, random.uniform(-1, 1))
        logger.warning(
            "Polling %s failed, next try in %.1f s: %s: %s", self._what, wait / 1e9, error.status.name, error.message
        )
        await asyncio.sleep(wait / 1e9)
