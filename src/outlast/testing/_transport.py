"""A test's way to its engine: calls that wait for a result let time jump, and end when the result can never come.

Rule: time is locked except while somebody waits for a result. A workflow task that fails, and a workflow that nobody
can bring forward, end the wait with an error, instead of letting the test hang.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from google.protobuf.message import Message

from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.server.embedded import EmbeddedTransport
from outlast.server.node import Node
from outlast.server.skipping import SkippingClock
from outlast.vocab.errors import InvalidArgument

from ._failures import WorkflowTaskFailedError, failed_task
from ._stuck import StuckError, stuck_report

_COMPLETED = _e.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
_WAITS_FOR_RESULT: Mapping[str, Callable[[Any], bool]] = {
    "GetWorkflowExecutionHistory": lambda request: bool(
        request.wait_new_event and request.history_event_filter_type == _e.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
    ),
    "UpdateWorkflowExecution": lambda request: bool(request.wait_policy.lifecycle_stage == _COMPLETED),
    "PollWorkflowExecutionUpdate": lambda request: bool(request.wait_policy.lifecycle_stage == _COMPLETED),
    "PollActivityExecution": lambda request: True,
}
"""Calls whose caller waits for the outcome of a workflow, an update or an activity."""


class TestTransport:
    """Calls go to ``door``, an engine in this process.

    Attributes:
        skips: whether waiting for a result lets time jump.
        raises_task_failures: whether the first workflow task that fails ends every wait.
        stuck_after: seconds of real time without any news after which a wait is given up; 0 for never.
        on_closed: told of a history that ends with the closing event of a run, before the caller is.
    """

    __test__ = False

    def __init__(self, door: EmbeddedTransport, node: Node, *, raises_task_failures: bool, stuck_after: float) -> None:
        self._door = door
        self.node = node
        self.skips = isinstance(node.clock, SkippingClock)
        self.raises_task_failures = raises_task_failures
        self.stuck_after = stuck_after
        self.on_closed: Callable[[Message, Message], Awaitable[None]] | None = None
        self._waiters = 0
        self._failed: asyncio.Future[WorkflowTaskFailedError] | None = None

    async def call(
        self, service: str, rpc: str, request: Message, *, metadata: Mapping[str, str | bytes], timeout: float | None
    ) -> Message:
        """Answer one call; see :class:`outlast.service._calls.Transport`."""
        waits = _WAITS_FOR_RESULT.get(rpc)
        if waits is not None and waits(request):
            call = self._door.call(service, rpc, request, metadata=metadata, timeout=timeout)
            answer = await self._until_it_cannot_come(call)
            if self.on_closed is not None and rpc == "GetWorkflowExecutionHistory":
                await self.on_closed(request, answer)
            return answer
        try:
            answer = await self._door.call(service, rpc, request, metadata=metadata, timeout=timeout)
        except InvalidArgument:
            if rpc == "RespondWorkflowTaskCompleted":
                await self._note_failure(request, None)
            raise
        if rpc == "RespondWorkflowTaskFailed":
            await self._note_failure(request, request.failure)  # type: ignore[attr-defined]
        return answer

    async def close(self) -> None:
        """Let go of the engine."""
        await self._door.close()

    # -- waiting ---------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def jumping(self, *, always: bool = False) -> AsyncIterator[None]:
        """Let time jump inside, unless that is switched off and this is not ``always`` to jump."""
        clock = self.node.clock
        if not isinstance(clock, SkippingClock) or not (self.skips or always):
            yield
            return
        self._waiters += 1
        if self._waiters == 1:
            clock.unlock()
        try:
            yield
        finally:
            self._waiters -= 1
            if not self._waiters:
                clock.lock()

    async def _until_it_cannot_come(self, call: Awaitable[Message]) -> Message:
        answer = asyncio.ensure_future(call)
        try:
            async with self.jumping():
                while True:
                    waited_for: set[asyncio.Future[Any]] = {answer, self._failure()}
                    stillness = self.node.stillness
                    news = stillness.news if stillness is not None else 0
                    await asyncio.wait(
                        waited_for, return_when=asyncio.FIRST_COMPLETED, timeout=self.stuck_after or None
                    )
                    if answer.done():
                        return answer.result()
                    if self._failure().done():
                        raise self._failure().result()
                    if stillness is not None and stillness.news == news:
                        report = await stuck_report(self.node)
                        if report:
                            raise StuckError(report)
        finally:
            answer.cancel()

    # -- failures --------------------------------------------------------------------------------------------------

    def _failure(self) -> asyncio.Future[WorkflowTaskFailedError]:
        if self._failed is None:
            self._failed = asyncio.get_running_loop().create_future()
        return self._failed

    async def _note_failure(self, request: Any, failure: Failure | None) -> None:
        error = await failed_task(self.node, request.task_token, failure)
        if error is not None and self.raises_task_failures and not self._failure().done():
            self._failure().set_result(error)

    def forget_failure(self) -> None:
        """A test has seen the failed workflow task: later waits are not ended by it."""
        self._failed = None
