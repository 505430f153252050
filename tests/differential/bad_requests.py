"""A catalogue of requests that a server refuses, or might: each is asked of both servers (``test_oracle.py``).

A row is a name, an RPC and the fields of its request, given the scene (``scene.py``), which knows an open workflow, a
closed one, and tokens that are good, used up and senseless.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from scene import Scene

from outlast.api.enums import v1 as e

LONG = "x" * 1001
NOBODY = "00000000-0000-4000-8000-000000000000"


class Ask(NamedTuple):
    """One request."""

    name: str
    rpc: str
    fields: Callable[[Scene], dict[str, Any]]


def _start(name: str, **fields: Any) -> Ask:
    return Ask(f"start: {name}", "StartWorkflowExecution", lambda s: s.start_fields(**fields))


def _signal_start(name: str, **fields: Any) -> Ask:
    return Ask(
        f"signal with start: {name}",
        "SignalWithStartWorkflowExecution",
        lambda s: s.start_fields(**{"signal_name": "pay", **fields}),
    )


def _payload(size: int) -> dict[str, Any]:
    return {"payloads": [{"metadata": {"encoding": b"binary/plain"}, "data": b"x" * size}]}


STARTS = [
    _start("no workflow id", workflow_id=""),
    _start("long workflow id", workflow_id=LONG),
    _start("no type", workflow_type={"name": ""}),
    _start("long type", workflow_type={"name": LONG}),
    _start("no queue", task_queue={"name": ""}),
    _start("long queue", task_queue={"name": LONG}),
    _start("reserved queue", task_queue={"name": "/_sys/x"}),
    _start("sticky queue", task_queue={"name": "q", "kind": e.TASK_QUEUE_KIND_STICKY}),
    _start("long request id", request_id=LONG),
    _start("no request id", request_id=""),
    _start("negative run timeout", workflow_run_timeout={"seconds": -1}),
    _start("negative execution timeout", workflow_execution_timeout={"seconds": -1}),
    _start("negative task timeout", workflow_task_timeout={"seconds": -1}),
    _start("odd duration", workflow_run_timeout={"seconds": 1, "nanos": -5}),
    _start("huge duration", workflow_run_timeout={"seconds": 400_000_000_000}),
    _start("bad cron", cron_schedule="every so often"),
    _start("cron with seconds", cron_schedule="1 2 3 4 5 6"),
    _start("cron with a time zone", cron_schedule="CRON_TZ=Europe/Berlin 0 12 * * *"),
    _start("cron with a strange time zone", cron_schedule="CRON_TZ=Mars/Base 0 12 * * *"),
    _start("cron too often", cron_schedule="@every 0.1s"),
    _start("cron of a word", cron_schedule="@daily"),
    _start("cron and delay", cron_schedule="@daily", workflow_start_delay={"seconds": 5}),
    _start("negative delay", workflow_start_delay={"seconds": -5}),
    _start("retry: no attempts", retry_policy={"maximum_attempts": -1}),
    _start("retry: coefficient below one", retry_policy={"backoff_coefficient": 0.5}),
    _start("retry: negative interval", retry_policy={"initial_interval": {"seconds": -1}}),
    _start(
        "retry: maximum below initial",
        retry_policy={"initial_interval": {"seconds": 5}, "maximum_interval": {"seconds": 1}},
    ),
    _start("retry: negative maximum", retry_policy={"maximum_interval": {"seconds": -1}}),
    _start("retry: timeout type", retry_policy={"non_retryable_error_types": ["TemporalTimeout:Nonsense"]}),
    _start("retry: empty", retry_policy={}),
    _start("unknown reuse policy", workflow_id_reuse_policy=99),
    _start("unknown conflict policy", workflow_id_conflict_policy=99),
    _start("terminate twice over", workflow_id_reuse_policy=4, workflow_id_conflict_policy=1),
    _start("reject and terminate", workflow_id_reuse_policy=3, workflow_id_conflict_policy=3),
    _start("unknown search attribute", search_attributes={"indexed_fields": {"Nonsense": {"data": b'"a"'}}}),
    _start("system search attribute", search_attributes={"indexed_fields": {"WorkflowId": {"data": b'"a"'}}}),
    _start(
        "mistyped search attribute",
        search_attributes={
            "indexed_fields": {"CustomIntField": {"metadata": {"encoding": b"json/plain"}, "data": b'"a"'}}
        },
    ),
    _start("large input", input=_payload(2 * 1024 * 1024 + 1)),
    _start("large memo", memo={"fields": {"a": _payload(2 * 1024 * 1024 + 1)["payloads"][0]}}),
    _start("large summary", user_metadata={"summary": _payload(401)["payloads"][0]}),
    _start("large details", user_metadata={"details": _payload(20_001)["payloads"][0]}),
    _start("on conflict without using", on_conflict_options={"attach_request_id": True}),
    _start(
        "on conflict: links without request id",
        workflow_id_conflict_policy=2,
        on_conflict_options={"attach_links": True},
    ),
    _start(
        "on conflict: callbacks without request id",
        workflow_id_conflict_policy=2,
        on_conflict_options={"attach_completion_callbacks": True},
    ),
    _start("callback without url", completion_callbacks=[{"nexus": {"url": ""}}]),
    _start("priority below zero", priority={"priority_key": -1}),
    _start("priority out of range", priority={"priority_key": 9}),
    _start("long fairness key", priority={"fairness_key": "x" * 65}),
    _start("long fairness weight", priority={"fairness_weight": 100_000.0}),
    _start(
        "pinned without version",
        versioning_override={"pinned": {"behavior": 1}},
    ),
    _start("eager", request_eager_execution=True),
    Ask(
        "start: a workflow id of all kinds of characters",
        "StartWorkflowExecution",
        lambda s: s.start_fields(workflow_id=f"{s.id()} a/b cä"),
    ),
    _signal_start("no signal", signal_name=""),
    _signal_start("long signal", signal_name=LONG),
    _signal_start("no workflow id", workflow_id=""),
    _signal_start("conflict fail", workflow_id_conflict_policy=1),
    _signal_start("bad cron", cron_schedule="nonsense"),
    _signal_start("large signal", signal_input=_payload(2 * 1024 * 1024 + 1)),
    _signal_start("delay and cron", cron_schedule="@daily", workflow_start_delay={"seconds": 5}),
    Ask(
        "start: running already",
        "StartWorkflowExecution",
        lambda s: s.start_fields(workflow_id=s.open.workflow_id),
    ),
    Ask(
        "start: rejected duplicate",
        "StartWorkflowExecution",
        lambda s: s.start_fields(workflow_id=s.closed.workflow_id, workflow_id_reuse_policy=3),
    ),
    Ask(
        "start: same request id of an open run",
        "StartWorkflowExecution",
        lambda s: s.start_fields(workflow_id=s.open.workflow_id, request_id=s.open.request_id),
    ),
    Ask(
        "start: same request id of a closed run",
        "StartWorkflowExecution",
        lambda s: s.start_fields(workflow_id=s.closed.workflow_id, request_id=s.closed.request_id),
    ),
    Ask(
        "start: use existing",
        "StartWorkflowExecution",
        lambda s: s.start_fields(workflow_id=s.open.workflow_id, workflow_id_conflict_policy=2),
    ),
]

# RPC -> the field that names the execution, and what else it has to have.
_ON_A_RUN: dict[str, tuple[str, dict[str, Any]]] = {
    "SignalWorkflowExecution": ("workflow_execution", {"signal_name": "pay"}),
    "RequestCancelWorkflowExecution": ("workflow_execution", {}),
    "TerminateWorkflowExecution": ("workflow_execution", {}),
    "ResetWorkflowExecution": ("workflow_execution", {"workflow_task_finish_event_id": 4, "request_id": "r"}),
    "DeleteWorkflowExecution": ("workflow_execution", {}),
    "DescribeWorkflowExecution": ("execution", {}),
    "GetWorkflowExecutionHistory": ("execution", {}),
    "GetWorkflowExecutionHistoryReverse": ("execution", {}),
    "QueryWorkflow": ("execution", {"query": {"query_type": "state"}}),
    "UpdateWorkflowExecution": (
        "workflow_execution",
        {"request": {"meta": {"update_id": "u"}, "input": {"name": "change"}}, "wait_policy": {"lifecycle_stage": 2}},
    ),
    "UpdateWorkflowExecutionOptions": ("workflow_execution", {"update_mask": {"paths": ["versioning_override"]}}),
    "ResetStickyTaskQueue": ("execution", {}),
    "PauseActivity": ("execution", {"id": "1"}),
    "UnpauseActivity": ("execution", {"id": "1"}),
    "ResetActivity": ("execution", {"id": "1"}),
    "UpdateActivityOptions": ("execution", {"id": "1", "update_mask": {"paths": ["task_queue.name"]}}),
}


def _on_runs() -> list[Ask]:
    executions: dict[str, Callable[[Scene], dict[str, str]]] = {
        "no workflow id": lambda s: {"run_id": s.open.run_id},
        "unknown workflow": lambda s: {"workflow_id": "nobody"},
        "unknown run": lambda s: {"workflow_id": s.open.workflow_id, "run_id": NOBODY},
        "senseless run id": lambda s: {"workflow_id": s.open.workflow_id, "run_id": "nonsense"},
        "run of another workflow": lambda s: {"workflow_id": s.open.workflow_id, "run_id": s.closed.run_id},
    }
    asks = [
        Ask(f"{rpc}: {name}", rpc, lambda s, field=field, fields=fields, of=of: {field: of(s), **fields})
        for rpc, (field, fields) in _ON_A_RUN.items()
        for name, of in executions.items()
    ]
    asks += [
        Ask(
            f"{rpc}: closed workflow",
            rpc,
            lambda s, field=field, fields=fields: {field: {"workflow_id": s.closed.workflow_id}, **fields},
        )
        for rpc, (field, fields) in _ON_A_RUN.items()
        if rpc not in ("DeleteWorkflowExecution", "QueryWorkflow")
    ]
    return asks


def _open(rpc: str, name: str, **fields: Any) -> Ask:
    field = _ON_A_RUN[rpc][0]
    return Ask(f"{rpc}: {name}", rpc, lambda s: {field: {"workflow_id": s.open.workflow_id}, **fields})


_UPDATE = {"meta": {"update_id": "u2"}, "input": {"name": "change"}}

ON_RUNS = [
    *_on_runs(),
    _open("SignalWorkflowExecution", "no name"),
    _open("SignalWorkflowExecution", "long name", signal_name=LONG),
    _open("SignalWorkflowExecution", "long request id", signal_name="pay", request_id=LONG),
    _open("SignalWorkflowExecution", "large", signal_name="pay", input=_payload(2 * 1024 * 1024 + 1)),
    _open("RequestCancelWorkflowExecution", "long request id", request_id=LONG),
    _open("ResetWorkflowExecution", "no event", request_id="r"),
    _open("ResetWorkflowExecution", "event 1", workflow_task_finish_event_id=1, request_id="r"),
    _open("ResetWorkflowExecution", "event 2", workflow_task_finish_event_id=2, request_id="r"),
    _open("ResetWorkflowExecution", "event beyond", workflow_task_finish_event_id=99, request_id="r"),
    _open("ResetWorkflowExecution", "negative event", workflow_task_finish_event_id=-1, request_id="r"),
    _open("QueryWorkflow", "no query"),
    _open("UpdateWorkflowExecution", "no request"),
    _open("UpdateWorkflowExecution", "no input", request={"meta": {"update_id": "u"}}),
    _open("UpdateWorkflowExecution", "no name", request={"meta": {"update_id": "u"}, "input": {}}),
    _open("UpdateWorkflowExecution", "long id", request={"meta": {"update_id": LONG}, "input": {"name": "a"}}),
    _open("UpdateWorkflowExecution", "no stage", request=_UPDATE),
    _open("UpdateWorkflowExecution", "admitted", request=_UPDATE, wait_policy={"lifecycle_stage": 1}),
    Ask(
        "UpdateWorkflowExecution: another first run",
        "UpdateWorkflowExecution",
        lambda s: {
            "workflow_execution": {"workflow_id": s.open.workflow_id},
            "first_execution_run_id": NOBODY,
            "request": _UPDATE,
            "wait_policy": {"lifecycle_stage": 2},
        },
    ),
    Ask(
        "SignalWorkflowExecution: to a closed run by its id",
        "SignalWorkflowExecution",
        lambda s: {
            "workflow_execution": {"workflow_id": s.closed.workflow_id, "run_id": s.closed.run_id},
            "signal_name": "pay",
        },
    ),
    Ask(
        "TerminateWorkflowExecution: another first run",
        "TerminateWorkflowExecution",
        lambda s: {
            "workflow_execution": {"workflow_id": s.open.workflow_id},
            "first_execution_run_id": NOBODY,
        },
    ),
    Ask(
        "RequestCancelWorkflowExecution: another first run",
        "RequestCancelWorkflowExecution",
        lambda s: {
            "workflow_execution": {"workflow_id": s.open.workflow_id},
            "first_execution_run_id": NOBODY,
        },
    ),
    *(
        Ask(f"PollWorkflowExecutionUpdate: {name}", "PollWorkflowExecutionUpdate", fields)
        for name, fields in (
            ("nothing", lambda s: {}),
            ("no update id", lambda s: {"update_ref": {"workflow_execution": {"workflow_id": s.open.workflow_id}}}),
            (
                "unknown update",
                lambda s: {
                    "update_ref": {"workflow_execution": {"workflow_id": s.open.workflow_id}, "update_id": "nobody"}
                },
            ),
            (
                "unknown workflow",
                lambda s: {"update_ref": {"workflow_execution": {"workflow_id": "nobody"}, "update_id": "nobody"}},
            ),
            (
                "closed workflow",
                lambda s: {
                    "update_ref": {"workflow_execution": {"workflow_id": s.closed.workflow_id}, "update_id": "nobody"}
                },
            ),
        )
    ),
    *(
        Ask(f"GetWorkflowExecutionHistory: {name}", "GetWorkflowExecutionHistory", fields)
        for name, fields in (
            (
                "senseless page",
                lambda s: {"execution": {"workflow_id": s.open.workflow_id}, "next_page_token": b"junk"},
            ),
            (
                "unknown filter",
                lambda s: {"execution": {"workflow_id": s.closed.workflow_id}, "history_event_filter_type": 9},
            ),
            ("negative page", lambda s: {"execution": {"workflow_id": s.closed.workflow_id}, "maximum_page_size": -1}),
        )
    ),
]

# RPC -> what a request needs beside the token.
_BY_TOKEN: dict[str, dict[str, Any]] = {
    "RespondWorkflowTaskCompleted": {},
    "RespondWorkflowTaskFailed": {},
    "RespondActivityTaskCompleted": {},
    "RespondActivityTaskFailed": {},
    "RespondActivityTaskCanceled": {},
    "RecordActivityTaskHeartbeat": {},
    "RespondQueryTaskCompleted": {},
}
_BY_ID = (
    "RespondActivityTaskCompletedById",
    "RespondActivityTaskFailedById",
    "RespondActivityTaskCanceledById",
    "RecordActivityTaskHeartbeatById",
)
_TOKENS: dict[str, Callable[[Scene], bytes]] = {
    "no token": lambda s: b"",
    "junk": lambda s: b"junk",
    "used workflow task": lambda s: s.used_token,
    "used activity task": lambda s: s.used_activity_token,
    "workflow task for activity": lambda s: s.token,
    "activity task for workflow": lambda s: s.activity_token,
    "of a closed workflow": lambda s: s.orphan_token,
    "of a closed workflow's activity": lambda s: s.orphan_activity_token,
}


def _crossed(rpc: str, token: str) -> bool:
    """Whether the token is of the RPC's own kind and alive: then it would be spent."""
    return (token == "workflow task for activity" and "Workflow" in rpc) or (
        token == "activity task for workflow" and "Activity" in rpc
    )


BY_TOKEN = [
    *(
        Ask(f"{rpc}: {name}", rpc, lambda s, token=token, fields=fields: {"task_token": token(s), **fields})
        for rpc, fields in _BY_TOKEN.items()
        for name, token in _TOKENS.items()
        if not _crossed(rpc, name)
    ),
    *(
        Ask(f"{rpc}: {name}", rpc, fields)
        for rpc in _BY_ID
        for name, fields in (
            ("nothing", lambda s: {}),
            ("no activity", lambda s: {"workflow_id": s.open.workflow_id}),
            ("unknown activity", lambda s: {"workflow_id": s.open.workflow_id, "activity_id": "nobody"}),
            ("unknown workflow", lambda s: {"workflow_id": "nobody", "activity_id": "1"}),
            ("unknown run", lambda s: {"workflow_id": s.open.workflow_id, "run_id": NOBODY, "activity_id": "1"}),
            ("closed workflow", lambda s: {"workflow_id": s.closed.workflow_id, "activity_id": "1"}),
        )
    ),
    Ask(
        "RespondWorkflowTaskCompleted: another namespace",
        "RespondWorkflowTaskCompleted",
        lambda s: {"task_token": s.token, "namespace": "temporal-system"},
    ),
    Ask(
        "RespondActivityTaskFailed: not an application failure",
        "RespondActivityTaskFailed",
        lambda s: {"task_token": s.activity_token, "failure": {"message": "a", "canceled_failure_info": {}}},
    ),
]


def _list(name: str, query: str, rpc: str = "ListWorkflowExecutions", **fields: Any) -> Ask:
    return Ask(f"{rpc}: {name}", rpc, lambda s: {"query": query, **fields})


LISTS = [
    *(
        _list(query, query, rpc)
        for rpc in ("ListWorkflowExecutions", "CountWorkflowExecutions")
        for query in (
            "nonsense",
            "Nonsense = 'a'",
            "WorkflowId = ",
            "WorkflowId = 'nobody' AND",
            "ExecutionStatus = 'Nonsense'",
            "ExecutionStatus = 1",
            "StartTime > 'yesterday'",
            "StartTime > '2020-01-01T00:00:00Z' AND WorkflowId = 'nobody'",
            "StartTime BETWEEN '2020-01-01T00:00:00Z' AND '2020-01-02T00:00:00Z'",
            "HistoryLength = 'a'",
            "WorkflowId = 'nobody' ORDER BY StartTime",
            "WorkflowId = 'nobody' ORDER BY Nonsense",
            "WorkflowId LIKE 'nobody%'",
            "WorkflowId STARTS_WITH 'nobody'",
            "WorkflowType IN ('Nobody', 'Noone')",
            "ExecutionDuration > '1h' AND WorkflowId = 'nobody'",
            "ExecutionDuration > 'soon'",
            "CloseTime IS NULL AND WorkflowId = 'nobody'",
            "NOT WorkflowId = 'x' AND WorkflowId = 'nobody'",
            "WorkflowId = 'nobody' OR WorkflowId = 'noone'",
            "WorkflowId = 5",
            "WorkflowId = 'nobody' LIMIT 5",
            "SELECT * FROM executions",
            "`WorkflowId` = 'nobody'",
            'WorkflowId = "nobody"',
            "TaskQueue = 'nobody' AND ParentWorkflowId IS NULL",
            "BuildIds = 'nobody'",
            "TemporalReportedProblems IN ('category=WorkflowTaskFailed') AND WorkflowId = 'nobody'",
            "WorkflowId = 'nobody' GROUP BY ExecutionStatus",
            "WorkflowId = 'nobody' GROUP BY WorkflowType",
            "WorkflowId = 'nobody' GROUP BY StartTime",
            "GROUP BY ExecutionStatus, WorkflowType",
            "RunId = 'nobody'",
            "RootWorkflowId = 'nobody'",
            "WorkflowId != 'nobody' AND WorkflowId = 'nobody'",
            "ExecutionTime < '2000-01-01T00:00:00Z'",
            "StateTransitionCount > 5 AND WorkflowId = 'nobody'",
            "HistorySizeBytes > 5 AND WorkflowId = 'nobody'",
        )
    ),
    _list("senseless page", "", next_page_token=b"junk"),
    _list("negative page", "WorkflowId = 'nobody'", page_size=-1),
    _list("huge page", "WorkflowId = 'nobody'", page_size=1_000_000),
    Ask(
        "ListOpenWorkflowExecutions: nothing",
        "ListOpenWorkflowExecutions",
        lambda s: {"maximum_page_size": 1, "execution_filter": {"workflow_id": "nobody"}},
    ),
    Ask(
        "ListClosedWorkflowExecutions: filter",
        "ListClosedWorkflowExecutions",
        lambda s: {"execution_filter": {"workflow_id": "nobody"}, "start_time_filter": {}},
    ),
]

QUEUES = [
    Ask("DescribeTaskQueue: no name", "DescribeTaskQueue", lambda s: {"task_queue": {"name": ""}}),
    Ask("DescribeTaskQueue: unknown", "DescribeTaskQueue", lambda s: {"task_queue": {"name": s.id()}}),
    Ask("PollWorkflowTaskQueue: no name", "PollWorkflowTaskQueue", lambda s: {}),
    Ask("PollWorkflowTaskQueue: long name", "PollWorkflowTaskQueue", lambda s: {"task_queue": {"name": LONG}}),
    Ask("PollActivityTaskQueue: long name", "PollActivityTaskQueue", lambda s: {"task_queue": {"name": LONG}}),
    Ask("PollActivityTaskQueue: reserved", "PollActivityTaskQueue", lambda s: {"task_queue": {"name": "/_sys/a"}}),
    Ask("ListTaskQueuePartitions: no name", "ListTaskQueuePartitions", lambda s: {}),
    Ask("StartBatchOperation: nothing", "StartBatchOperation", lambda s: {}),
    Ask(
        "StartBatchOperation: no reason",
        "StartBatchOperation",
        lambda s: {"job_id": s.id(), "visibility_query": "WorkflowId = 'nobody'", "termination_operation": {}},
    ),
    Ask(
        "StartBatchOperation: no operation",
        "StartBatchOperation",
        lambda s: {"job_id": s.id(), "visibility_query": "WorkflowId = 'nobody'", "reason": "a"},
    ),
    Ask(
        "StartBatchOperation: both",
        "StartBatchOperation",
        lambda s: {
            "job_id": s.id(),
            "visibility_query": "WorkflowId = 'nobody'",
            "executions": [{"workflow_id": "a"}],
            "reason": "a",
            "termination_operation": {},
        },
    ),
    Ask(
        "StartBatchOperation: bad query",
        "StartBatchOperation",
        lambda s: {"job_id": s.id(), "visibility_query": "nonsense", "reason": "a", "termination_operation": {}},
    ),
    Ask("DescribeBatchOperation: unknown", "DescribeBatchOperation", lambda s: {"job_id": "nobody"}),
    Ask("StopBatchOperation: unknown", "StopBatchOperation", lambda s: {"job_id": "nobody", "reason": "a"}),
    Ask(
        "RegisterNamespace: no name",
        "RegisterNamespace",
        lambda s: {"namespace": "", "workflow_execution_retention_period": {"seconds": 86_400}},
    ),
    Ask("RegisterNamespace: no retention", "RegisterNamespace", lambda s: {"namespace": s.id()}),
    Ask(
        "RegisterNamespace: short retention",
        "RegisterNamespace",
        lambda s: {"namespace": s.id(), "workflow_execution_retention_period": {"seconds": 60}},
    ),
    Ask(
        "RegisterNamespace: there",
        "RegisterNamespace",
        lambda s: {"namespace": "default", "workflow_execution_retention_period": {"seconds": 86_400}},
    ),
    Ask("DescribeNamespace: nothing", "DescribeNamespace", lambda s: {"namespace": ""}),
    Ask("DescribeNamespace: unknown", "DescribeNamespace", lambda s: {"namespace": "nowhere"}),
    Ask("DescribeNamespace: unknown id", "DescribeNamespace", lambda s: {"namespace": "", "id": NOBODY}),
    Ask("UpdateNamespace: unknown", "UpdateNamespace", lambda s: {"namespace": "nowhere"}),
]

ASKS = [*STARTS, *ON_RUNS, *BY_TOKEN, *LISTS, *QUEUES]
