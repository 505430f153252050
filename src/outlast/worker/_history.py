"""A workflow task's whole history, when the task has only a part of it.

Rule: tasks that were received are copied, not changed. The last events of a task whose earlier attempts failed exist
only in the task itself, so they are added to what was fetched.
"""

from __future__ import annotations

from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest, PollWorkflowTaskQueueResponse
from outlast.service import WorkflowService


async def with_all_pages(
    task: PollWorkflowTaskQueueResponse, service: WorkflowService, namespace: str
) -> PollWorkflowTaskQueueResponse:
    """The task with the pages that follow its own; the task itself when there are none.

    Raises:
        RPCError: a page could not be fetched.
    """
    if not task.next_page_token:
        return task
    events = await _fetch(task, service, namespace, task.next_page_token)
    return _replaced(task, [*task.history.events, *events])


async def from_the_start(
    task: PollWorkflowTaskQueueResponse, service: WorkflowService, namespace: str
) -> PollWorkflowTaskQueueResponse:
    """The task with its history from event 1 on.

    Raises:
        RPCError: a page could not be fetched.
    """
    own = task.history.events
    if own and own[0].event_id == 1:
        return await with_all_pages(task, service, namespace)
    events = await _fetch(task, service, namespace, b"")
    if task.started_event_id:
        events = [event for event in events if event.event_id <= task.started_event_id]
    last = events[-1].event_id if events else 0
    return _replaced(task, [*events, *(event for event in own if event.event_id > last)])


async def _fetch(
    task: PollWorkflowTaskQueueResponse, service: WorkflowService, namespace: str, page_token: bytes
) -> list[HistoryEvent]:
    events: list[HistoryEvent] = []
    while True:
        page = await service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(
                namespace=namespace, execution=task.workflow_execution, next_page_token=page_token
            ),
            retry=True,
        )
        events.extend(page.history.events)
        page_token = page.next_page_token
        if not page_token:
            return events


def _replaced(task: PollWorkflowTaskQueueResponse, events: list[HistoryEvent]) -> PollWorkflowTaskQueueResponse:
    whole = PollWorkflowTaskQueueResponse()
    whole.CopyFrom(task)
    whole.next_page_token = b""
    del whole.history.events[:]
    whole.history.events.extend(events)
    return whole
