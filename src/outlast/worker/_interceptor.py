"""Interceptors: chains around activities and workflows.

Rule: a base class hands every call to the next one, so a subclass overrides only what it cares about. The inputs may
be changed in place or replaced. Interceptors given first are the outermost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import outlast.activity
import outlast.workflow
from outlast.api.common.v1 import Payload

if TYPE_CHECKING:
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


@dataclass(frozen=True)
class WorkflowInterceptorClassInput:
    """What a worker tells an interceptor that is asked for its workflow interceptor class."""

    unsafe_extern_functions: MutableMapping[str, Callable[..., Any]]
    """Functions that workflow code reaches with ``workflow.extern_functions()``; add to it. What they do is outside
    history, so they must not decide what a workflow does."""


class Interceptor:
    """Interceptor of a worker."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wrap the chain of one activity attempt; called for each."""
        return next

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """The class that intercepts workflows, made for each run; None for none. Called once per worker."""
        return None


@dataclass
class ExecuteActivityInput:
    """Run the activity function. ``executor`` is None for ``async def`` activities."""

    fn: Callable[..., Any]
    args: Sequence[Any]
    executor: Executor | None
    headers: Mapping[str, Payload]


class ActivityInboundInterceptor:
    """Wraps the execution of an activity attempt."""

    def __init__(self, next: ActivityInboundInterceptor) -> None:
        self.next = next

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        """Begin. To intercept what the activity calls, pass an outbound interceptor around ``outbound`` on."""
        self.next.init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Run the activity function and return what it returns."""
        return await self.next.execute_activity(input)


class ActivityOutboundInterceptor:
    """Wraps what an activity calls."""

    def __init__(self, next: ActivityOutboundInterceptor) -> None:
        self.next = next

    def info(self) -> outlast.activity.Info:
        """Every ``activity.info()``."""
        return self.next.info()

    def heartbeat(self, *details: Any) -> None:
        """Every ``activity.heartbeat()``; in a plain ``def`` activity it is called in its thread."""
        self.next.heartbeat(*details)


class WorkflowInboundInterceptor:
    """Wraps what comes into a workflow. It is workflow code: it must be deterministic."""

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        self.next = next

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Begin. To intercept what the workflow calls, pass an outbound interceptor around ``outbound`` on."""
        self.next.init(outbound)

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        """Run the main method."""
        return await self.next.execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """Run a signal handler."""
        return await self.next.handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        """Run a query handler."""
        return await self.next.handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        """Run the validator of an update."""
        self.next.handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        """Run the handler of an update."""
        return await self.next.handle_update_handler(input)


class WorkflowOutboundInterceptor:
    """Wraps what a workflow calls. It is workflow code: it must be deterministic."""

    def __init__(self, next: WorkflowOutboundInterceptor) -> None:
        self.next = next

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        """Every ``workflow.continue_as_new``."""
        self.next.continue_as_new(input)

    def info(self) -> outlast.workflow.Info:
        """Every ``workflow.info``."""
        return self.next.info()

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        """Every ``ChildWorkflowHandle.signal``."""
        return await self.next.signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        """Every ``ExternalWorkflowHandle.signal``."""
        return await self.next.signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> outlast.workflow.ActivityHandle[Any]:
        """Every ``workflow.start_activity`` and ``workflow.execute_activity``."""
        return self.next.start_activity(input)

    async def start_child_workflow(
        self, input: StartChildWorkflowInput
    ) -> outlast.workflow.ChildWorkflowHandle[Any, Any]:
        """Every ``workflow.start_child_workflow`` and ``workflow.execute_child_workflow``."""
        return await self.next.start_child_workflow(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> outlast.workflow.ActivityHandle[Any]:
        """Every ``workflow.start_local_activity`` and ``workflow.execute_local_activity``."""
        return self.next.start_local_activity(input)
