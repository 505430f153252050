"""How many polls are open, where the server may say that it should be more or fewer.

Rule: the server's advice moves the target within its limits. Once it has given advice, a poll that brought neither a
task nor advice makes one less; a server that is overloaded halves the target.

Source: sdk-core ``poll_buffer.rs`` (autoscaling).
"""

from __future__ import annotations

import asyncio

from outlast.api.taskqueue.v1 import PollerScalingDecision


class Scale:
    """The number of loops that may poll one queue.

    Attributes:
        target: loops with a lower number may poll.
    """

    def __init__(self, minimum: int, maximum: int, initial: int) -> None:
        self._minimum, self._maximum = max(1, minimum), maximum
        self.target = min(max(initial, self._minimum), maximum)
        self._grown = asyncio.Event()
        self._advised = False

    async def turn(self, number: int) -> None:
        """Wait until loop ``number``, from 0, may poll."""
        while number >= self.target:
            await self._grown.wait()

    def advise(self, decision: PollerScalingDecision, *, empty: bool) -> None:
        """A poll was answered."""
        delta = decision.poll_request_delta_suggestion
        self._advised = self._advised or bool(delta)
        if not delta and empty and self._advised:
            delta = -1
        self._move_to(self.target + delta)

    def back_off(self) -> None:
        """The server has too much to do."""
        self._move_to(self.target // 2)

    def _move_to(self, target: int) -> None:
        before, self.target = self.target, min(max(target, self._minimum), self._maximum)
        if self.target > before:
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()
