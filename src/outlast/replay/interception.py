"""The ends of the two interceptor chains: inbound calls reach the user's code, outbound calls reach the nouns.

Rule: every call from the server into the workflow goes through ``inbound``, every call of the workflow to the server
through ``outbound``, whether or not a worker has interceptors.

Source: temporalio ``worker/_interceptor.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from outlast.workflow import ActivityHandle, ChildWorkflowHandle, Info
from outlast.workflow._calls import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
)

if TYPE_CHECKING:
    from .context import RunContext
    from .handlers import Handlers
    from .nouns import Nouns


class InboundEnd:
    """Calls the workflow's own methods."""

    def __init__(self, context: RunContext, handlers: Handlers) -> None:
        self._context, self._handlers = context, handlers
        self.outbound: Any = None

    def init(self, outbound: Any) -> None:
        """The chain is complete; ``outbound`` is what the workflow will call."""
        self.outbound = outbound

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        return await input.run_fn(self._context.instance, *input.args)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        await self._call("signal", input.signal, input.args)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        return await self._call("query", input.query, input.args)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        definition = self._handlers.find("update", input.update)
        if definition is None or definition.validator is None:
            return
        if definition.is_method:
            definition.validator(self._context.instance, *input.args)
        else:
            definition.validator(*input.args)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        return await self._call("update", input.update, input.args)

    async def _call(self, kind: str, name: str, args: Any) -> Any:
        definition = self._handlers.find(kind, name)
        assert definition is not None, f"{kind} {name!r} was accepted without a handler"
        result = definition.fn(self._context.instance, *args) if definition.is_method else definition.fn(*args)
        return await result if definition.is_async else result


class OutboundEnd:
    """Hands the workflow's calls to the nouns."""

    def __init__(self, context: RunContext, nouns: Nouns) -> None:
        self._context, self._nouns = context, nouns

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        self._nouns.closing.request_continue_as_new(input)

    def info(self) -> Info:
        return self._context.info

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        await self._nouns.external_workflows.signal_child(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        await self._nouns.external_workflows.signal(input)

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        return self._nouns.activities.start(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:
        return await self._nouns.child_workflows.start(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        return self._nouns.local_activities.start(input)

    async def start_nexus_operation(self, input: Any) -> NoReturn:
        raise NotImplementedError("Nexus operations are not supported")


class Interception:
    """Both chains of one run.

    Attributes:
        inbound: the outermost interceptor, or the end itself.
        outbound: what the innermost interceptor was given, or what it made of it.
    """

    __slots__ = ("inbound", "outbound")

    def __init__(self, inbound: InboundEnd, outbound: OutboundEnd, interceptors: list[Callable[[Any], Any]]) -> None:
        chain: Any = inbound
        for interceptor in reversed(interceptors):
            chain = interceptor(chain)
        chain.init(outbound)
        self.inbound, self.outbound = chain, inbound.outbound
