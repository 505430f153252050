"""All nouns of one run, put together, and which events go to which."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import outlast.api.enums.v1 as e
from outlast.api.history.v1 import HistoryEvent

from .activity import Activities
from .child_workflow import ChildWorkflows
from .context import RunContext
from .external_workflow import ExternalWorkflows
from .handlers import Handlers
from .interception import InboundEnd, Interception, OutboundEnd
from .local_activity import LocalActivities
from .marker import Patches
from .properties import Properties
from .query import Queries
from .randomness import Randomness
from .signal import Signals
from .timer import Timers
from .update import Updates
from .workflow_execution import Closing, WorkflowExecution


class Nouns:
    """The nouns of one run.

    Attributes:
        on_event: events that begin something, by event type; those that follow a command go through the ledger.
    """

    def __init__(self, context: RunContext) -> None:
        self.handlers = Handlers(context)
        self.closing = Closing(context)
        self.execution = WorkflowExecution(context, self.closing)
        self.signals = Signals(context, self.handlers, self.closing)
        self.queries = Queries(context, self.handlers)
        self.updates = Updates(context, self.handlers)
        self.patches = Patches(context)
        self.properties = Properties(context)
        self.timers = Timers(context)
        self.activities = Activities(context)
        self.local_activities = LocalActivities(context)
        self.external_workflows = ExternalWorkflows(context)
        self.child_workflows = ChildWorkflows(context, self.external_workflows.request_cancel)
        self.randomness = Randomness(context.beginning.attributes.original_execution_run_id or context.beginning.run_id)
        self.on_event: Mapping[int, Callable[[HistoryEvent], None]] = {
            e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: self.execution.on_started,
            e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: self.signals.on_signaled,
            e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: self.execution.on_cancel_requested,
            e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: self.updates.on_admitted,
        }

    def chain_interceptors(self, context: RunContext) -> None:
        """Put the worker's interceptors around the ends of both chains."""
        context.interception = Interception(
            InboundEnd(context, self.handlers), OutboundEnd(context, self), list(context.config.interceptors)
        )
