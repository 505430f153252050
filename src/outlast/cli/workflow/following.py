"""A history as it grows: its events one by one, and on from one run to the next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryReverseRequest
from outlast.vocab.attributes import EVENT_FIELD, EVENT_NAMES

from .. import values
from ..connection import Session
from ..printing import Row
from ..reference import execution

CLOSING = frozenset(
    {
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)
"""Events that end a run."""


async def pages(
    session: Session, workflow_id: str, run_id: str, *, wait: bool, close_only: bool = False
) -> AsyncIterator[list[HistoryEvent]]:
    """The events of a run, page by page.

    Args:
        wait: go on until the run has ended; else stop at what is there.
        close_only: the last event alone, with ``wait`` the one that ends the run.
    """
    request = GetWorkflowExecutionHistoryRequest(
        namespace=session.namespace,
        execution=execution(workflow_id, run_id),
        wait_new_event=wait,
        history_event_filter_type=_e.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT if close_only else 0,
    )
    while True:
        response = await session.service.get_workflow_execution_history(request, retry=True)
        if response.history.events:
            yield list(response.history.events)
        if not response.next_page_token:
            return
        request.next_page_token = response.next_page_token


async def pages_back(session: Session, workflow_id: str, run_id: str) -> AsyncIterator[list[HistoryEvent]]:
    """The events of a run from the last to the first."""
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=session.namespace, execution=execution(workflow_id, run_id)
    )
    while True:
        response = await session.service.get_workflow_execution_history_reverse(request, retry=True)
        if response.history.events:
            yield list(response.history.events)
        if not response.next_page_token:
            return
        request.next_page_token = response.next_page_token


def next_run(event: HistoryEvent) -> str:
    """The run that goes on where a closing event ends one; empty for none."""
    return str(getattr(getattr(event, EVENT_FIELD[event.event_type]), "new_execution_run_id", ""))


def event_name(event: HistoryEvent) -> str:
    """``WorkflowExecutionStarted``; the number of a type that is not known here."""
    return EVENT_NAMES.get(event.event_type, f"EventType({event.event_type})")


async def follow_progress(
    session: Session, workflow_id: str, run_id: str, *, detailed: bool, wait: bool = True, continues: bool = False
) -> list[HistoryEvent]:
    """Print the events as they come, for people; answers those of the last run.

    Args:
        detailed: all fields of each event.
        wait: until the workflow has ended.
        continues: go on with the run that follows.
    """
    events: list[HistoryEvent] = []

    async def rows() -> AsyncIterator[list[Row]]:
        run = run_id
        while True:
            events.clear()
            async for page in pages(session, workflow_id, run, wait=wait):
                events.extend(page)
                yield [(cells(session, event), event) for event in page]
            run = next_run(events[-1]) if continues and events and events[-1].event_type in CLOSING else ""
            if not run:
                return

    if not session.printer.is_text:
        async for _ in rows():
            pass
        return events
    session.printer.line("Progress:", "bold")
    if detailed:
        async for page in rows():
            details(session, events[-len(page) :])
    else:
        await session.printer.pages(COLUMNS, rows())
    return events


COLUMNS = ("ID", "Time", "Type")


def cells(session: Session, event: HistoryEvent) -> list[str]:
    """An event as a row."""
    return [str(event.event_id), session.printer.time(event.event_time), event_name(event)]


def details(session: Session, events: Iterable[HistoryEvent]) -> None:
    """Events with all their fields, for people."""
    for event in events:
        attributes = getattr(event, EVENT_FIELD[event.event_type])
        session.printer.card(
            f"--------------- [{event.event_id}] {event_name(event)} ---------------",
            {"eventTime": session.printer.time(event.event_time), **dict(values.flattened(attributes))},
        )
        session.printer.line()
