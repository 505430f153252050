"""Queries: answered when everything else of the task is done, in a context that refuses changes.

Rule: a query never touches history and never fails a workflow task: whatever goes wrong is its answer. Three queries
are built in: the stacks of all tasks, the same with sources, and the workflow's own description.

Source: temporalio ``_apply_query_workflow``.
"""

from __future__ import annotations

import asyncio
import linecache
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import outlast.api.enums.v1 as e
from outlast.api.common.v1 import Payloads
from outlast.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from outlast.api.sdk.v1 import (
    EnhancedStackTrace,
    StackTrace,
    StackTraceFileLocation,
    StackTraceFileSlice,
    StackTraceSDKInfo,
    WorkflowDefinition,
    WorkflowInteractionDefinition,
    WorkflowMetadata,
)
from outlast.workflow._calls import HandleQueryInput
from outlast.workflow._handlers import HandlerDefinition

from .handlers import Handlers
from .stacks import waiting_frames

if TYPE_CHECKING:
    from .context import RunContext


class Queries:
    """The queries of one run.

    Attributes:
        current_details: text that the workflow has set for its description.
        results: answers since they were last taken, by query id.
    """

    __slots__ = ("_context", "_handlers", "current_details", "results")

    def __init__(self, context: RunContext, handlers: Handlers) -> None:
        self._context, self._handlers = context, handlers
        self.current_details = ""
        self.results: dict[str, WorkflowQueryResult] = {}
        handlers.built_in["query"] = self._built_in

    def ask(self, query_id: str, query: WorkflowQuery) -> None:
        """Have the next turn of the loop answer a query."""
        self._context.loop.create_task(self._answer(query_id, query), name=f"query: {query.query_type}")

    async def _answer(self, query_id: str, query: WorkflowQuery) -> None:
        context, name = self._context, query.query_type
        try:
            with context.as_read_only(in_query=True):
                definition = self._handlers.find("query", name)
                if definition is None:
                    raise RuntimeError(
                        f"Query handler for '{name}' expected but not found, "
                        f"known queries: [{self._handlers.names('query')}]"
                    )
                args = self._handlers.arguments(definition, name, query.query_args.payloads)
                value = await context.interception.inbound.handle_query(
                    HandleQueryInput(query_id, name, args, query.header.fields)
                )
                answer = context.converters.payload.to_payloads([value])
            result = WorkflowQueryResult(result_type=e.QUERY_RESULT_TYPE_ANSWERED, answer=Payloads(payloads=answer))
        except Exception as error:
            failure = context.failure_of(error)
            result = WorkflowQueryResult(
                result_type=e.QUERY_RESULT_TYPE_FAILED, error_message=failure.message, failure=failure
            )
        self.results[query_id] = result

    # -- built-in queries -----------------------------------------------------------------------------------------

    def _built_in(self) -> dict[str, HandlerDefinition]:
        functions: dict[str, Callable[[], Any]] = {
            "__stack_trace": self._stack_trace,
            "__enhanced_stack_trace": self._enhanced_stack_trace,
            "__temporal_workflow_metadata": self._metadata,
        }
        return {name: HandlerDefinition("query", name, fn, is_method=False) for name, fn in functions.items()}

    def _stack_trace(self) -> str:
        stacks = []
        for task in self._waiting_tasks():
            frames = [
                traceback.FrameSummary(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
                for frame in waiting_frames(task)
            ]
            listing = "".join(traceback.format_list(frames))
            stacks.append(f"Stack for task {task.get_name()!r} (most recent call last):\n{listing}")
        return "\n\n".join(stacks)

    def _waiting_tasks(self) -> list[asyncio.Task[Any]]:
        """Every task of the run but the one that answers this very query."""
        loop = self._context.loop
        return [task for task in loop.open_tasks() if task is not asyncio.current_task(loop)]

    def _enhanced_stack_trace(self) -> EnhancedStackTrace:
        config = self._context.config
        trace = EnhancedStackTrace(sdk=StackTraceSDKInfo(name=config.sdk_name, version=config.sdk_version))
        for task in self._waiting_tasks():
            stack = StackTrace()
            for frame in waiting_frames(task):
                code = frame.f_code
                stack.locations.append(
                    StackTraceFileLocation(
                        file_path=code.co_filename, line=frame.f_lineno, column=-1, function_name=code.co_name
                    )
                )
                if code.co_filename not in trace.sources:
                    trace.sources[code.co_filename].CopyFrom(
                        StackTraceFileSlice(line_offset=0, content=_source_of(code.co_filename))
                    )
            trace.stacks.append(stack)
        return trace

    def _metadata(self) -> WorkflowMetadata:
        def described(kind: str) -> list[WorkflowInteractionDefinition]:
            return [
                WorkflowInteractionDefinition(name=one.name or "", description=one.description or "")
                for one in self._handlers.all(kind)
            ]

        return WorkflowMetadata(
            definition=WorkflowDefinition(
                type=self._context.beginning.workflow_type,
                query_definitions=described("query"),
                signal_definitions=described("signal"),
                update_definitions=described("update"),
            ),
            current_details=self.current_details,
        )


def _source_of(filename: str) -> str:
    return "".join(linecache.getlines(filename)) or "Cannot access code."
