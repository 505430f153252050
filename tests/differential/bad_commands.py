"""A catalogue of what a worker may answer a workflow task with: each is sent to both servers (``test_oracle.py``).

A row is a name and the commands, given the scene. The run is fresh, of the type ``Order``, with ten minutes to live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from scene import Scene, activity, command

from outlast.api.enums import v1 as e

LONG = "x" * 1001
SECONDS_5 = {"seconds": 5}
LARGE = {"payloads": [{"metadata": {"encoding": b"binary/plain"}, "data": b"x" * (2 * 1024 * 1024 + 1)}]}


class Turn(NamedTuple):
    """One completion of a workflow task."""

    name: str
    commands: Callable[[Scene], list[Any]]
    fields: Mapping[str, Any] = MappingProxyType({})


def _activity(name: str, **attributes: Any) -> Turn:
    return Turn(f"activity: {name}", lambda s: [activity("1", s.queue, **attributes)])


def _timer(timer_id: str = "1", timeout: Any = SECONDS_5) -> Any:
    return command(e.COMMAND_TYPE_START_TIMER, timer_id=timer_id, start_to_fire_timeout=timeout)


def _child(name: str, **attributes: Any) -> Turn:
    return Turn(
        f"child: {name}",
        lambda s: [
            command(
                e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
                **{
                    "workflow_id": s.id(),
                    "workflow_type": {"name": "Child"},
                    "task_queue": {"name": f"{s.queue}-children"},
                    **attributes,
                },
            )
        ],
    )


def _continue(name: str, **attributes: Any) -> Turn:
    return Turn(
        f"continue: {name}",
        lambda s: [
            command(
                e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
                **{"workflow_type": {"name": "Order"}, "task_queue": {"name": s.queue}, **attributes},
            )
        ],
    )


def _signal(name: str, **attributes: Any) -> Turn:
    return Turn(
        f"signal: {name}",
        lambda s: [
            command(
                e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
                **{"execution": {"workflow_id": "nobody"}, "signal_name": "pay", **attributes},
            )
        ],
    )


def _cancel(name: str, **attributes: Any) -> Turn:
    return Turn(
        f"cancel: {name}",
        lambda s: [
            command(
                e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, **{"workflow_id": "nobody", **attributes}
            )
        ],
    )


def _one(name: str, kind: int, **attributes: Any) -> Turn:
    return Turn(name, lambda s: [command(kind, **attributes)])


def _complete() -> Any:
    return command(e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)


TURNS = [
    _activity("good"),
    _activity("no id", activity_id=""),
    _activity("long id", activity_id=LONG),
    _activity("no type", activity_type={"name": ""}),
    _activity("long type", activity_type={"name": LONG}),
    _activity("no queue", task_queue={"name": ""}),
    _activity("long queue", task_queue={"name": LONG}),
    _activity("reserved queue", task_queue={"name": "/_sys/q"}),
    _activity("no timeout", start_to_close_timeout=None),
    _activity("only schedule to start", start_to_close_timeout=None, schedule_to_start_timeout=SECONDS_5),
    _activity("only schedule to close", start_to_close_timeout=None, schedule_to_close_timeout=SECONDS_5),
    _activity("all timeouts", schedule_to_start_timeout={"seconds": 900}, schedule_to_close_timeout={"seconds": 700}),
    _activity("beyond the run", start_to_close_timeout={"seconds": 7_000}, heartbeat_timeout={"seconds": 8_000}),
    _activity("negative start to close", start_to_close_timeout={"seconds": -1}),
    _activity("negative heartbeat", heartbeat_timeout={"seconds": -1}),
    _activity("negative schedule to start", schedule_to_start_timeout={"seconds": -1}),
    _activity("retry empty", retry_policy={}),
    _activity("retry partial", retry_policy={"maximum_attempts": 3}),
    _activity("retry initial", retry_policy={"initial_interval": {"seconds": 2}}),
    _activity("retry negative", retry_policy={"maximum_attempts": -1}),
    _activity("retry coefficient", retry_policy={"initial_interval": SECONDS_5, "backoff_coefficient": 0.5}),
    _activity("retry negative interval", retry_policy={"initial_interval": {"seconds": -1}}),
    _activity("large input", input=LARGE),
    _activity("priority", priority={"priority_key": -3}),
    Turn("activity: same id twice", lambda s: [activity("1", s.queue), activity("1", s.queue)]),
    Turn("activity: eager", lambda s: [activity("1", s.queue, request_eager_execution=True)]),
    _one("activity: cancel unknown", e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=99),
    _one("activity: cancel none", e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK),
    _one("activity: cancel another event", e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=2),
    Turn(
        "activity: cancel at once",
        lambda s: [
            activity("1", s.queue),
            command(e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=5),
        ],
    ),
    Turn("timer: good", lambda s: [_timer()]),
    Turn("timer: no id", lambda s: [_timer("")]),
    Turn("timer: long id", lambda s: [_timer(LONG)]),
    Turn("timer: zero", lambda s: [_timer(timeout={"seconds": 0})]),
    Turn("timer: negative", lambda s: [_timer(timeout={"seconds": -1})]),
    Turn("timer: huge", lambda s: [_timer(timeout={"seconds": 300_000_000_000})]),
    Turn("timer: same id twice", lambda s: [_timer(), _timer()]),
    Turn("timer: cancel at once", lambda s: [_timer(), command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id="1")]),
    Turn(
        "timer: cancel and again",
        lambda s: [_timer(), command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id="1"), _timer()],
    ),
    _one("timer: cancel unknown", e.COMMAND_TYPE_CANCEL_TIMER, timer_id="nobody"),
    _one("timer: cancel none", e.COMMAND_TYPE_CANCEL_TIMER),
    _child("good"),
    _child("no id", workflow_id=""),
    _child("long id", workflow_id=LONG),
    _child("no type", workflow_type={"name": ""}),
    _child("no queue", task_queue={"name": ""}),
    _child("negative timeout", workflow_run_timeout={"seconds": -1}),
    _child("bad cron", cron_schedule="nonsense"),
    _child("cron", cron_schedule="@daily"),
    _child("retry negative", retry_policy={"maximum_attempts": -3}),
    _child("unknown namespace", namespace="nowhere"),
    _child("beyond the parent", workflow_run_timeout={"seconds": 7_000}, workflow_execution_timeout={"seconds": 9_000}),
    _child("unknown search attribute", search_attributes={"indexed_fields": {"Nonsense": {"data": b'"a"'}}}),
    _child("large input", input=LARGE),
    _child("policies", parent_close_policy=2, workflow_id_reuse_policy=3),
    _signal("good"),
    _signal("no workflow", execution={}),
    _signal("long workflow", execution={"workflow_id": LONG}),
    _signal("no name", signal_name=""),
    _signal("long name", signal_name=LONG),
    _signal("senseless run", execution={"workflow_id": "nobody", "run_id": "nonsense"}),
    _signal("unknown namespace", namespace="nowhere"),
    _signal("large", input=LARGE),
    _signal("child only", child_workflow_only=True),
    _cancel("good"),
    _cancel("no workflow", workflow_id=""),
    _cancel("senseless run", run_id="nonsense"),
    _cancel("unknown namespace", namespace="nowhere"),
    _cancel("child only", child_workflow_only=True),
    _continue("good"),
    _continue("nothing", workflow_type=None, task_queue=None),
    _continue("no queue", task_queue=None),
    _continue("negative timeout", workflow_run_timeout={"seconds": -1}),
    _continue("timeouts", workflow_run_timeout={"seconds": 7_000}, workflow_task_timeout={"seconds": 500}),
    _continue("bad cron", cron_schedule="nonsense"),
    _continue("backoff", backoff_start_interval=SECONDS_5),
    _continue("retry negative", retry_policy={"maximum_attempts": -1}),
    _continue("large input", input=LARGE),
    _continue("unknown search attribute", search_attributes={"indexed_fields": {"Nonsense": {"data": b'"a"'}}}),
    _continue("memo", memo={"fields": {"a": {"data": b"b"}}}),
    _one("marker: good", e.COMMAND_TYPE_RECORD_MARKER, marker_name="m"),
    _one("marker: no name", e.COMMAND_TYPE_RECORD_MARKER),
    _one("marker: large", e.COMMAND_TYPE_RECORD_MARKER, marker_name="m", details={"a": LARGE}),
    _one("complete: large", e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, result=LARGE),
    _one("fail: no failure", e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION),
    _one(
        "fail: large",
        e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
        failure={"message": "a", "application_failure_info": {"type": "b", "details": LARGE}},
    ),
    _one("cancel run: large", e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, details=LARGE),
    _one("cancel run", e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION),
    Turn("complete twice", lambda s: [_complete(), _complete()]),
    Turn("complete, then a timer", lambda s: [_complete(), _timer()]),
    Turn("a timer, then complete", lambda s: [_timer(), _complete()]),
    Turn("a bad command after a good one", lambda s: [_timer(), _timer("")]),
    Turn("nothing", lambda s: []),
    Turn("a command of no type", lambda s: [command(e.COMMAND_TYPE_START_TIMER)]),
    _one(
        "search attributes: unknown",
        e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        search_attributes={"indexed_fields": {"Nonsense": {"data": b'"a"'}}},
    ),
    _one("search attributes: none", e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES),
    _one(
        "search attributes: system",
        e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        search_attributes={"indexed_fields": {"WorkflowId": {"data": b'"a"'}}},
    ),
    _one("memo: none", e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES),
    _one("memo: good", e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES, upserted_memo={"fields": {"a": {"data": b"b"}}}),
    _one(
        "memo: large", e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES, upserted_memo={"fields": {"a": LARGE["payloads"][0]}}
    ),
    _one("message: unknown", e.COMMAND_TYPE_PROTOCOL_MESSAGE, message_id="nobody"),
    _one("message: none", e.COMMAND_TYPE_PROTOCOL_MESSAGE),
    Turn(
        "return a task, force",
        lambda s: [_timer()],
        {"force_create_new_workflow_task": True, "return_new_workflow_task": True},
    ),
    Turn("force", lambda s: [], {"force_create_new_workflow_task": True}),
    Turn(
        "sdk metadata",
        lambda s: [],
        {"sdk_metadata": {"core_used_flags": [1, 2], "lang_used_flags": [3], "sdk_name": "n", "sdk_version": "1"}},
    ),
    Turn("binary checksum", lambda s: [], {"binary_checksum": "abc"}),
    Turn("stamp", lambda s: [], {"worker_version_stamp": {"build_id": "b1"}}),
    Turn(
        "deployment",
        lambda s: [],
        {"deployment_options": {"deployment_name": "d", "build_id": "b1", "worker_versioning_mode": 1}},
    ),
]
