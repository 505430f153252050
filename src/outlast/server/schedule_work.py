"""What schedules have decided, carried out: workflows started, cancelled and terminated by the RPCs a caller would use.

Rule: a start has the request id that follows from the schedule and the number of the action, so that one that is
repeated after a crash finds what the first one has started. What may succeed later is tried again until the catchup
window is over.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from outlast.api.common.v1 import WorkflowExecution
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
    TerminateWorkflowExecutionRequest,
)
from outlast.engine.batch import Pace
from outlast.engine.schedule import action, due
from outlast.engine.schedule.state import Running, ScheduleState, Start
from outlast.storage.errors import StorageClosed, StorageError
from outlast.vocab import limits
from outlast.vocab.errors import (
    Aborted,
    NotFound,
    ResourceExhausted,
    ServiceError,
    Unavailable,
    WorkflowExecutionAlreadyStarted,
)

from .clock import reaches
from .context import CallContext

if TYPE_CHECKING:
    from .node import Node
    from .schedules import Entry, Schedules

logger = logging.getLogger("outlast.server")

_SERVICE: Final = "temporal.api.workflowservice.v1.WorkflowService"
_CONTEXT: Final = CallContext("schedule")
_MAY_SUCCEED_LATER: Final = (Unavailable, ResourceExhausted, Aborted, StorageError)
_MANUAL_NS: Final = 60_000_000_000
"""So long a triggered or backfilled start is tried; a catchup window does not apply to it."""
_RETRY_NS: Final = 1_000_000_000


class Work:
    """Carries out what is outstanding, one schedule at a time each."""

    __slots__ = ("_node", "_pace", "_schedules")

    def __init__(self, node: Node, schedules: Schedules) -> None:
        self._node = node
        self._schedules = schedules
        self._pace = Pace(limits.SCHEDULE_STARTS_PER_SECOND_MAX)

    async def do(self, entry: Entry) -> None:
        """Do what is outstanding, and what becomes so meanwhile."""
        try:
            while not entry.dropped and not self._node.closing and (work := due.outstanding(entry.state)):
                for item in work:
                    if isinstance(item, due.StartWorkflow):
                        await self._start(entry, item.start)
                    else:
                        await self._end(entry, item.running)
        except (NotFound, StorageClosed):
            return  # deleted, or the next node goes on with it
        except StorageError as error:  # the schedule is reloaded, which goes on with it
            logger.warning("schedule %r: %s", entry.state.schedule_id, error)
        finally:
            entry.working = False

    # -- starts --------------------------------------------------------------------------------------------------

    async def _start(self, entry: Entry, start: Start) -> None:
        node, state = self._node, entry.state
        request = action.start_request(state, start, node.namespaces.name_of(state.namespace_id))
        await self._next_slot()
        begun_at = node.clock.now()
        try:
            run_id = await self._started(entry.state, request)
        except _MAY_SUCCEED_LATER as error:
            if isinstance(error, StorageClosed):
                raise
            until = begun_at + _MANUAL_NS if start.manual else start.at + state.catchup_ns
            if node.clock.now() < until:
                logger.warning("schedule %r: %s; it is tried again", state.schedule_id, error)
                await reaches(node.wall, node.wall.now() + _RETRY_NS)
                return
            await self._refused(entry, start, error)
        except ServiceError as error:
            await self._refused(entry, start, error)
        else:
            await self._schedules.change(
                entry,
                lambda draft: draft.apply(
                    action.started(draft.state, start.number, request.workflow_id, run_id, begun_at)
                ),
            )
            await self.look(entry, request.workflow_id, run_id)

    async def _refused(self, entry: Entry, start: Start, error: Exception) -> None:
        logger.warning("schedule %r: an action is given up: %s", entry.state.schedule_id, error)
        await self._schedules.change(entry, lambda draft: draft.apply(action.refused(draft.state, start.number)))

    async def _started(self, state: ScheduleState, request: StartWorkflowExecutionRequest) -> str:
        """Start the workflow; answers the id of the first run of its chain."""
        try:
            answer = await self._node.call(_SERVICE, "StartWorkflowExecution", request, _CONTEXT)
        except WorkflowExecutionAlreadyStarted:
            # By this very request, if the run that it has started has been followed by another one since.
            current = await self._node.runs.find(state.namespace_id, request.workflow_id)
            first_run_id = current.state.first_run_id
            try:
                first = await self._node.runs.get(current.key._replace(run_id=first_run_id))
            except NotFound:
                first = current
            if first.state.start_request_id != request.request_id:
                raise
            return first_run_id
        assert isinstance(answer, StartWorkflowExecutionResponse)
        return answer.first_execution_run_id

    async def _next_slot(self) -> None:
        wall = self._node.wall
        at = self._pace.slot(wall.now())
        if at > wall.now():
            await reaches(wall, at)

    # -- ends ----------------------------------------------------------------------------------------------------

    async def _end(self, entry: Entry, running: Running) -> None:
        state = entry.state
        namespace = self._node.namespaces.name_of(state.namespace_id)
        execution = WorkflowExecution(workflow_id=running.workflow_id)
        identity = action.identity(namespace, state.schedule_id)
        request: RequestCancelWorkflowExecutionRequest | TerminateWorkflowExecutionRequest
        if running.ending == _e.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER:
            rpc = "RequestCancelWorkflowExecution"
            request = RequestCancelWorkflowExecutionRequest(
                namespace=namespace,
                workflow_execution=execution,
                first_execution_run_id=running.run_id,
                identity=identity,
                request_id=f"{state.run_id}/{running.run_id}",
                reason="cancelled by schedule overlap policy",
            )
        else:
            rpc = "TerminateWorkflowExecution"
            request = TerminateWorkflowExecutionRequest(
                namespace=namespace,
                workflow_execution=execution,
                first_execution_run_id=running.run_id,
                identity=identity,
                reason="terminated by schedule overlap policy",
            )
        try:
            await self._node.call(_SERVICE, rpc, request, _CONTEXT)
        except _MAY_SUCCEED_LATER as error:
            if isinstance(error, StorageClosed):
                raise
            logger.warning("schedule %r: %s; it is tried again", state.schedule_id, error)
            await reaches(self._node.wall, self._node.wall.now() + _RETRY_NS)
            return
        except ServiceError as error:  # closed in the meantime
            logger.info("schedule %r: %s: %s", state.schedule_id, rpc, error)
        await self._schedules.change(entry, lambda draft: draft.apply(action.told(draft.state, running)))
        await self.look(entry, running.workflow_id, running.run_id)

    # -- outcomes ------------------------------------------------------------------------------------------------

    async def look(self, entry: Entry, workflow_id: str, run_id: str) -> None:
        """Tell the schedule if a workflow of it has closed.

        Args:
            run_id: of the first run of its chain.
        """
        runs = self._node.runs
        event: HistoryEvent | None = None
        try:
            run = await runs.find(entry.state.namespace_id, workflow_id)
            superseded = run.state.first_run_id != run_id
            if superseded:  # another chain has taken over the id, so this one has closed
                run = await runs.get(run.key._replace(run_id=run_id))
            elif run.state.running:
                return
            event = await runs.event(run, run.state.next_event_id - 1)
            if action.goes_on(event):
                if not superseded:
                    return
                event = None  # its last run is not known by name
        except NotFound:
            pass  # deleted: it is not running, and how it ended nobody knows
        await self._schedules.change(
            entry, lambda draft: draft.apply(action.closed(draft.state, workflow_id, run_id, event))
        )
