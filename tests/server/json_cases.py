"""A successful call of every RPC that is built: what has to be there before, and the request.

Each case is made for two callers with names of equal length, so that what the doors answer differs in nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hand_driven import Driven
from update_messages import accept, answer, respond

from outlast.api.command.v1 import Command
from outlast.api.common.v1 import Payloads
from outlast.api.enums import v1 as e
from outlast.api.protobuf import Duration

Fields = dict[str, Any]
Case = Callable[[Driven, str], Awaitable[Fields]]

JSON = {"payloads": [{"metadata": {"encoding": b"json/plain"}, "data": b'{"a":1}'}]}
BINARY = {"payloads": [{"metadata": {"encoding": b"binary/plain"}, "data": b"\xff\x00"}]}
FAILURE = {"message": "no", "application_failure_info": {"type": "Refused", "details": JSON}}


async def nothing(_: Driven, __: str) -> Fields:
    return {}


def fields(**given: Any) -> Case:
    """The same request for both callers; ``{name}`` in a text is the caller."""

    async def case(_: Driven, name: str) -> Fields:
        return _filled(given, name)

    return case


def _filled(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace("{name}", name)
    if isinstance(value, Mapping):
        return {key: _filled(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, name) for item in value]
    return value


def started(**given: Any) -> Case:
    """The request once there is a workflow with the caller's name, which nobody works at."""

    async def case(server: Driven, name: str) -> Fields:
        await server.start(name, task_queue={"name": name}, input=Payloads(**JSON))
        return _filled(given, name)

    return case


async def _task(server: Driven, name: str) -> Any:
    await server.start(name, task_queue={"name": name})
    return await server.call("PollWorkflowTaskQueue", task_queue={"name": name})


def in_task(**given: Any) -> Case:
    """The request with the token of a workflow task."""

    async def case(server: Driven, name: str) -> Fields:
        return {"task_token": (await _task(server, name)).task_token, **given}

    return case


async def _schedule_activity(server: Driven, name: str) -> None:
    schedule = Command(command_type=e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = schedule.schedule_activity_task_command_attributes
    attributes.activity_id = "ship"
    attributes.activity_type.name = "ship"
    attributes.task_queue.name = name
    attributes.input.CopyFrom(Payloads(**JSON))
    attributes.start_to_close_timeout.CopyFrom(Duration(seconds=60))
    token = (await _task(server, name)).task_token
    await server.call("RespondWorkflowTaskCompleted", task_token=token, commands=[schedule])


def scheduled(**given: Any) -> Case:
    """The request once the caller's workflow has an activity that waits for a worker."""

    async def case(server: Driven, name: str) -> Fields:
        await _schedule_activity(server, name)
        return _filled(given, name)

    return case


def in_activity(*, by_id: bool = False, cancelled: bool = False, **given: Any) -> Case:
    """The request for an activity that is being done: with its token, or with its ids."""

    async def case(server: Driven, name: str) -> Fields:
        await _schedule_activity(server, name)
        task = await server.call("PollActivityTaskQueue", task_queue={"name": name})
        if cancelled:
            await _cancel_activity(server, name)
        return {**({"workflow_id": name, "activity_id": "ship"} if by_id else {"task_token": task.task_token}), **given}

    return case


async def _cancel_activity(server: Driven, name: str) -> None:
    await server.signal("stop", name)
    task = await server.call("PollWorkflowTaskQueue", task_queue={"name": name})
    cancel = Command(command_type=e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK)
    cancel.request_cancel_activity_task_command_attributes.scheduled_event_id = 5
    await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[cancel])


async def query(server: Driven, name: str) -> Fields:
    """A query that a worker is about to answer."""
    token = (await _task(server, name)).task_token
    await server.call("RespondWorkflowTaskCompleted", task_token=token)

    async def answer() -> None:
        task = await server.call("PollWorkflowTaskQueue", task_queue={"name": name})
        answered = {"task_token": task.task_token, "completed_type": e.QUERY_RESULT_TYPE_ANSWERED}
        await server.call("RespondQueryTaskCompleted", **answered, query_result=JSON)

    server.node.spawn("answers a query", asyncio.get_running_loop().create_task(answer()))
    return {"execution": {"workflow_id": name}, "query": {"query_type": "status", "query_args": JSON}}


async def answering(server: Driven, name: str) -> Fields:
    """The answer to a query that waits."""
    asked = await query_without_worker(server, name)
    return {"task_token": asked.task_token, "completed_type": e.QUERY_RESULT_TYPE_ANSWERED, "query_result": JSON}


async def query_without_worker(server: Driven, name: str) -> Any:
    token = (await _task(server, name)).task_token
    await server.call("RespondWorkflowTaskCompleted", task_token=token)
    asking = server.call("QueryWorkflow", execution={"workflow_id": name}, query={"query_type": "status"})
    server.node.spawn("asks", asyncio.get_running_loop().create_task(_until_answered(asking)))
    return await server.call("PollWorkflowTaskQueue", task_queue={"name": name})


async def _until_answered(asking: Awaitable[Any]) -> None:
    await asking


async def reset(server: Driven, name: str) -> Fields:
    token = (await _task(server, name)).task_token
    await server.call("RespondWorkflowTaskCompleted", task_token=token)
    return {"workflow_execution": {"workflow_id": name}, "workflow_task_finish_event_id": 4, "request_id": "1"}


async def register(server: Driven, name: str) -> None:
    await server.call("RegisterNamespace", namespace=name, workflow_execution_retention_period=Duration(seconds=86400))


def registered(**given: Any) -> Case:
    """The request once there is a namespace with the caller's name."""

    async def case(server: Driven, name: str) -> Fields:
        await register(server, name)
        return {"namespace": name, **given}

    return case


EXECUTION = {"execution": {"workflow_id": "{name}"}}
WORKFLOW_EXECUTION = {"workflow_execution": {"workflow_id": "{name}"}}
ONE = {"workflow_id": "{name}", "workflow_type": {"name": "Order"}, "task_queue": {"name": "{name}"}, "request_id": "1"}
UPDATE = {
    **WORKFLOW_EXECUTION,
    "request": {"meta": {"update_id": "add"}, "input": {"name": "add", "args": JSON}},
    "wait_policy": {"lifecycle_stage": e.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED},
}
FILTER = "WorkflowId = '{name}'"
ACTIVITY = {"execution": {"workflow_id": "{name}"}, "id": "ship"}
HEARTBEAT = {"worker_instance_key": "{name}", "worker_identity": "me", "task_queue": "{name}"}

ALONE = {
    "activity_id": "{name}",
    "activity_type": {"name": "Ship"},
    "task_queue": {"name": "{name}"},
    "start_to_close_timeout": Duration(seconds=60),
    "request_id": "1",
}
"""The start of a standalone activity."""


def alone(**given: Any) -> Case:
    """The request once there is a standalone activity with the caller's name, which waits for a worker."""

    async def case(server: Driven, name: str) -> Fields:
        await server.call("StartActivityExecution", **_filled({**ALONE, "input": JSON}, name))
        return _filled({**({} if "query" in given else {"activity_id": name}), **given}, name)

    return case


async def alone_and_done(server: Driven, name: str) -> Fields:
    request = await alone()(server, name)
    await server.call("RespondActivityTaskCompletedById", activity_id=name, result=JSON)
    return request


SCHEDULE = {
    "spec": {
        "calendar": [{"hour": "9", "day_of_week": "Mon"}],
        "interval": [{"interval": Duration(seconds=86400)}],
        "timezone_name": "Europe/Berlin",
    },
    "action": {
        "start_workflow": {
            "workflow_id": "{name}",
            "workflow_type": {"name": "Order"},
            "task_queue": {"name": "{name}"},
            "input": JSON,
            "memo": {"fields": {"team": JSON["payloads"][0]}},
        }
    },
    "state": {"paused": True, "notes": "not yet"},
}


def planned(**given: Any) -> Case:
    """The request once there is a schedule with the caller's name."""

    async def case(server: Driven, name: str) -> Fields:
        asked = {
            "schedule_id": name,
            "schedule": SCHEDULE,
            "request_id": name,
            "memo": {"fields": {"a": BINARY["payloads"][0]}},
        }
        await server.call("CreateSchedule", **_filled(asked, name))
        return _filled({**({} if "query" in given else {"schedule_id": name}), **given}, name)

    return case


def _accept_an_update(server: Driven, name: str) -> None:
    """A worker waits for the update with its workflow task, accepts it and completes it."""

    async def accepting() -> None:
        task = await server.call("PollWorkflowTaskQueue", task_queue={"name": name})
        await answer(server, task, *accept(task), respond("add"))

    server.node.spawn("accepts an update", asyncio.get_running_loop().create_task(accepting()))


async def update(server: Driven, name: str) -> Fields:
    """An update of a workflow whose worker completes it."""
    token = (await _task(server, name)).task_token
    await server.call("RespondWorkflowTaskCompleted", task_token=token)
    _accept_an_update(server, name)
    return dict(_filled(UPDATE, name))


async def updated(server: Driven, name: str) -> Fields:
    """What became of an update that is completed."""
    request = await update(server, name)
    await server.call("UpdateWorkflowExecution", **request)
    return {
        "update_ref": {"workflow_execution": {"workflow_id": name}, "update_id": "add"},
        "wait_policy": request["wait_policy"],
    }


async def start_with_update(server: Driven, name: str) -> Fields:
    """A start together with an update, which the first workflow task completes."""
    _accept_an_update(server, name)
    operations = [{"start_workflow": ONE}, {"update_workflow": UPDATE}]
    for operation in operations:
        for kind, request in operation.items():
            operation[kind] = {"namespace": "default", **_filled(request, name)}
    return {"operations": operations}


async def known_worker(server: Driven, name: str) -> Fields:
    """A worker that has sent a heartbeat."""
    await server.call("RecordWorkerHeartbeat", identity="me", worker_heartbeat=[_filled(HEARTBEAT, name)])
    return {"worker_instance_key": name}


CASES: Mapping[str, Case] = {
    "CreateSchedule": fields(schedule_id="{name}", schedule=SCHEDULE, request_id="1"),
    "DescribeSchedule": planned(),
    "UpdateSchedule": planned(schedule=SCHEDULE),
    "PatchSchedule": planned(patch={"trigger_immediately": {}, "unpause": "go"}),
    "DeleteSchedule": planned(),
    "ListScheduleMatchingTimes": planned(start_time={"seconds": 0}, end_time={"seconds": 1_000_000}),
    "ListSchedules": planned(query="ScheduleId = '{name}'"),
    "CountSchedules": planned(query="ScheduleId = '{name}'"),
    "GetSystemInfo": nothing,
    "GetClusterInfo": nothing,
    "DescribeNamespace": registered(),
    "ListNamespaces": fields(page_size=1),
    "RegisterNamespace": fields(
        namespace="{name}", workflow_execution_retention_period=Duration(seconds=86400), data={"team": "shop"}
    ),
    "UpdateNamespace": registered(update_info={"description": "new"}),
    "DeprecateNamespace": registered(),
    "DeleteNamespace": registered(),
    "ListWorkflowExecutions": started(query=FILTER, page_size=5),
    "ScanWorkflowExecutions": started(query=FILTER),
    "CountWorkflowExecutions": started(query=FILTER + " GROUP BY ExecutionStatus"),
    "ListOpenWorkflowExecutions": started(execution_filter={"workflow_id": "{name}"}),
    "ListClosedWorkflowExecutions": started(execution_filter={"workflow_id": "{name}"}),
    "GetSearchAttributes": nothing,
    "ListSearchAttributes": nothing,
    "AddSearchAttributes": registered(search_attributes={"Colour": e.INDEXED_VALUE_TYPE_KEYWORD}),
    "StartWorkflowExecution": fields(**ONE, input=BINARY, memo={"fields": {"note": JSON["payloads"][0]}}),
    "SignalWithStartWorkflowExecution": fields(**ONE, signal_name="pay", signal_input=JSON),
    "SignalWorkflowExecution": started(**WORKFLOW_EXECUTION, signal_name="pay", input=BINARY, request_id="1"),
    "RequestCancelWorkflowExecution": started(**WORKFLOW_EXECUTION, reason="too late"),
    "TerminateWorkflowExecution": started(**WORKFLOW_EXECUTION, reason="enough", details=JSON),
    "ResetWorkflowExecution": reset,
    "DeleteWorkflowExecution": started(**WORKFLOW_EXECUTION),
    "DescribeWorkflowExecution": scheduled(**EXECUTION),
    "GetWorkflowExecutionHistory": scheduled(**EXECUTION, maximum_page_size=3),
    "GetWorkflowExecutionHistoryReverse": scheduled(**EXECUTION),
    "ExecuteMultiOperation": start_with_update,
    "UpdateWorkflowExecution": update,
    "PollWorkflowExecutionUpdate": updated,
    "QueryWorkflow": query,
    "RespondQueryTaskCompleted": answering,
    "PollWorkflowTaskQueue": started(task_queue={"name": "{name}"}),
    "RespondWorkflowTaskCompleted": in_task(),
    "RespondWorkflowTaskFailed": in_task(failure=FAILURE),
    "ResetStickyTaskQueue": started(**EXECUTION),
    "ShutdownWorker": fields(sticky_task_queue="{name}", identity="me"),
    "RecordWorkerHeartbeat": fields(identity="me", worker_heartbeat=[HEARTBEAT]),
    "ListWorkers": fields(query="TaskQueue = 'none'"),
    "CountWorkers": fields(query="TaskQueue = 'none'"),
    "DescribeWorker": known_worker,
    "DescribeTaskQueue": scheduled(
        task_queue={"name": "{name}"}, task_queue_type=e.TASK_QUEUE_TYPE_ACTIVITY, report_stats=True
    ),
    "UpdateTaskQueueConfig": fields(task_queue="{name}", task_queue_type=e.TASK_QUEUE_TYPE_ACTIVITY),
    "ListTaskQueuePartitions": fields(task_queue={"name": "{name}"}),
    "PollActivityTaskQueue": scheduled(task_queue={"name": "{name}"}),
    "RecordActivityTaskHeartbeat": in_activity(details=BINARY),
    "RecordActivityTaskHeartbeatById": in_activity(by_id=True, details=JSON),
    "RespondActivityTaskCompleted": in_activity(result=JSON),
    "RespondActivityTaskCompletedById": in_activity(by_id=True, result=BINARY),
    "RespondActivityTaskFailed": in_activity(failure=FAILURE),
    "RespondActivityTaskFailedById": in_activity(by_id=True, failure=FAILURE),
    "RespondActivityTaskCanceled": in_activity(cancelled=True, details=JSON),
    "RespondActivityTaskCanceledById": in_activity(by_id=True, cancelled=True),
    "PauseActivity": scheduled(**ACTIVITY),
    "UnpauseActivity": scheduled(**ACTIVITY),
    "ResetActivity": scheduled(**ACTIVITY),
    "UpdateActivityOptions": scheduled(
        **ACTIVITY, activity_options={"priority": {"priority_key": 2}}, update_mask={"paths": ["priority"]}
    ),
    "StartActivityExecution": fields(**ALONE, input=BINARY, header={"fields": {"trace": JSON["payloads"][0]}}),
    "DescribeActivityExecution": alone(include_input=True, include_outcome=True),
    "PollActivityExecution": alone_and_done,
    "ListActivityExecutions": alone(query="ActivityId = '{name}'", page_size=5),
    "CountActivityExecutions": alone(query="ActivityId = '{name}' GROUP BY ExecutionStatus"),
    "RequestCancelActivityExecution": alone(reason="too late", request_id="1"),
    "TerminateActivityExecution": alone(reason="enough", request_id="1"),
    "DeleteActivityExecution": alone(),
    "PauseActivityExecution": scheduled(workflow_id="{name}", activity_id="ship"),
    "UnpauseActivityExecution": scheduled(workflow_id="{name}", activity_id="ship"),
    "ResetActivityExecution": scheduled(workflow_id="{name}", activity_id="ship"),
}
"""What is not here is called with an empty request: then the two doors have to refuse it in the same words."""
