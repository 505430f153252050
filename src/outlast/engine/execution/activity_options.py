"""What an activity command comes to once defaults, caps and rules are applied, worked out once per kind of command.

A workflow schedules activities with few different options: everything but the id, the input and the headers is the same
from one command to the next. So the scheduled event's unchanging part is built once and kept as bytes, from which
further events are parsed, which is several times faster than building each.

Source: rules 3.1.1, 3.1.6 and 3.2.1.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from outlast.api.activity.v1 import ActivityOptions
from outlast.api.command.v1 import ScheduleActivityTaskCommandAttributes
from outlast.api.enums import v1 as _e
from outlast.vocab import limits, priorities, queues, retry
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import from_duration, parts

from ..command import BadCommand
from .events import new_event
from .state import Activity, Operations

_BAD = _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES


TIMEOUTS = (
    ("schedule_to_close_timeout", "schedule_to_close_ns"),
    ("schedule_to_start_timeout", "schedule_to_start_ns"),
    ("start_to_close_timeout", "start_to_close_ns"),
    ("heartbeat_timeout", "heartbeat_ns"),
)
"""Timeout of ActivityOptions -> the field of ``Activity``."""


class Options(msgspec.Struct, frozen=True):
    """``event`` is a serialized ActivityTaskScheduled event that lacks its id, its time and what varies."""

    queue: str
    priority_key: int
    event: bytes


def of(command: ScheduleActivityTaskCommandAttributes, default_queue: str, run_timeout_ns: int) -> Options:
    """The options of a command.

    Raises:
        BadCommand: a type, timeout or retry policy that cannot be.
    """
    fixed = ScheduleActivityTaskCommandAttributes()
    fixed.CopyFrom(command)
    fixed.ClearField("activity_id")
    fixed.ClearField("input")
    fixed.ClearField("header")
    fixed.ClearField("request_eager_execution")
    return _of(fixed.SerializeToString(), default_queue, run_timeout_ns)


@functools.lru_cache(maxsize=1024)
def _of(fixed: bytes, default_queue: str, run_timeout_ns: int) -> Options:
    command = ScheduleActivityTaskCommandAttributes.FromString(fixed)
    subject = f"ScheduleActivityTask of {command.activity_type.name!r}"
    if not command.activity_type.name:
        raise BadCommand(_BAD, f"{subject}: activity_type is empty; name the activity to run")
    if len(command.activity_type.name.encode()) > limits.ID_BYTES_MAX:
        raise BadCommand(_BAD, f"{subject}: activity_type is longer than {limits.ID_BYTES_MAX} bytes")
    if problem := queues.problem(command.task_queue.name) or priorities.problem(command.priority):
        raise BadCommand(_BAD, f"{subject}: {problem}")
    policy = retry.complete(command.retry_policy)
    try:
        retry.validate(policy, subject)
    except InvalidArgument as error:
        raise BadCommand(_BAD, str(error)) from error
    queue = command.task_queue.name or default_queue
    attributes: dict[str, Any] = {
        "activity_type": command.activity_type,
        "task_queue": {"name": queue, "kind": _e.TASK_QUEUE_KIND_NORMAL},
        "retry_policy": policy,
        **{name: parts(ns) for name, ns in _timeouts(command, run_timeout_ns, subject).items()},
    }
    if command.HasField("priority"):
        attributes["priority"] = command.priority
    event = new_event(_e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, 0, attributes)
    return Options(queue, command.priority.priority_key, event.SerializeToString())


def _timeouts(command: ScheduleActivityTaskCommandAttributes, limit: int, subject: str) -> dict[str, int]:
    """The four timeouts in ns after rule 3.2.1: one of start-to-close and schedule-to-close must be given."""
    to_close = from_duration(command.schedule_to_close_timeout)
    to_start = from_duration(command.schedule_to_start_timeout)
    run = from_duration(command.start_to_close_timeout)
    heartbeat = from_duration(command.heartbeat_timeout)
    if min(to_close, to_start, run, heartbeat) < 0:
        raise BadCommand(_BAD, f"{subject}: a timeout is below zero")
    if not to_close and not run:
        raise BadCommand(_BAD, f"{subject}: set start_to_close_timeout or schedule_to_close_timeout")
    if to_close:
        to_start = _capped(to_start, to_close) if to_start else to_close
        run = _capped(run, to_close) if run else to_close
    else:
        to_close = limit
        to_start = to_start or limit
    run = _capped(run, limit)
    return {
        "schedule_to_close_timeout": _capped(to_close, limit),
        "schedule_to_start_timeout": _capped(to_start, limit),
        "start_to_close_timeout": run,
        "heartbeat_timeout": _capped(heartbeat, run),
    }


def _capped(timeout_ns: int, limit_ns: int) -> int:
    """The smaller of two durations of which 0 means no limit; 0 stays 0 (not set)."""
    return min(timeout_ns, limit_ns) if timeout_ns and limit_ns else timeout_ns


def restored(activity: Activity) -> Activity:
    """The activity with the options that its scheduled event gave."""
    operations = activity.operations
    if operations is None or not operations.original:
        return activity
    original = ActivityOptions.FromString(operations.original)
    return applied(activity, original, msgspec.structs.replace(operations, options=b"", original=b""))


def applied(activity: Activity, options: ActivityOptions, operations: Operations) -> Activity:
    """The activity with other options."""
    return msgspec.structs.replace(
        activity,
        operations=operations,
        queue=options.task_queue.name,
        retry_policy=options.retry_policy.SerializeToString(),
        priority_key=options.priority.priority_key,
        **{theirs: from_duration(getattr(options, ours)) for ours, theirs in TIMEOUTS},
    )
