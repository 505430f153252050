"""What can be changed about a standalone activity after its start, and how it reads in the API.

Rule: a key is the path of a field mask, and ``WRITERS`` says how its value is written.
Source: temporal.api.activity.v1.ActivityOptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

from outlast.api.activity.v1 import ActivityOptions
from outlast.common import Priority, RetryPolicy

from ._read_fields import duration

ActivityOptionValueType = TypeVar("ActivityOptionValueType")


@dataclass(frozen=True)
class ActivityOptionsKey(Generic[ActivityOptionValueType]):
    """One option; take it from ``ActivityOptionsKeys``."""

    name: str
    """Its path in a field mask."""

    def value_set(self, value: ActivityOptionValueType) -> ActivityOptionsUpdate[ActivityOptionValueType]:
        """The change to a value."""
        return ActivityOptionsUpdate(self, value)

    def value_unset(self) -> ActivityOptionsUpdate[ActivityOptionValueType]:
        """The change to the server's default."""
        return ActivityOptionsUpdate(self, None)


@dataclass(frozen=True)
class ActivityOptionsUpdate(Generic[ActivityOptionValueType]):
    """The change of one option; made by its key."""

    key: ActivityOptionsKey[ActivityOptionValueType]
    """What changes."""

    value: ActivityOptionValueType | None
    """What it becomes; None for the server's default."""


class ActivityOptionsKeys:
    """The options that ``ActivityHandle.update_options`` can change."""

    task_queue: ClassVar[ActivityOptionsKey[str]] = ActivityOptionsKey("task_queue.name")
    schedule_to_close_timeout: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey("schedule_to_close_timeout")
    schedule_to_start_timeout: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey("schedule_to_start_timeout")
    start_to_close_timeout: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey("start_to_close_timeout")
    heartbeat_timeout: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey("heartbeat_timeout")
    start_delay: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey("start_delay")
    retry_policy: ClassVar[ActivityOptionsKey[RetryPolicy]] = ActivityOptionsKey("retry_policy")
    priority: ClassVar[ActivityOptionsKey[Priority]] = ActivityOptionsKey("priority")


@dataclass(frozen=True)
class ActivityExecutionOptions:
    """The options of an activity as they are after a change; None for what is not set."""

    task_queue: str | None
    """Queue it is scheduled on."""

    schedule_to_close_timeout: timedelta | None
    """From the start to the end of the last attempt."""

    schedule_to_start_timeout: timedelta | None
    """How long an attempt may wait for a worker."""

    start_to_close_timeout: timedelta | None
    """How long one attempt may take."""

    heartbeat_timeout: timedelta | None
    """Longest silence of a running attempt."""

    start_delay: timedelta | None
    """How long the first attempt is held back."""

    retry_policy: RetryPolicy | None
    """When and how often it is tried again."""

    priority: Priority | None
    """Order among waiting tasks."""

    @staticmethod
    def _from_proto(options: ActivityOptions) -> ActivityExecutionOptions:
        return ActivityExecutionOptions(
            task_queue=options.task_queue.name if options.HasField("task_queue") else None,
            schedule_to_close_timeout=duration(options, "schedule_to_close_timeout"),
            schedule_to_start_timeout=duration(options, "schedule_to_start_timeout"),
            start_to_close_timeout=duration(options, "start_to_close_timeout"),
            heartbeat_timeout=duration(options, "heartbeat_timeout"),
            start_delay=duration(options, "start_delay"),
            retry_policy=RetryPolicy.from_proto(options.retry_policy) if options.HasField("retry_policy") else None,
            priority=Priority._from_proto(options.priority) if options.HasField("priority") else None,
        )


def _write_duration(name: str) -> Callable[[ActivityOptions, Any], None]:
    return lambda options, value: getattr(options, name).FromTimedelta(value)


def _write_task_queue(options: ActivityOptions, name: str) -> None:
    options.task_queue.name = name


WRITERS: Mapping[str, Callable[[ActivityOptions, Any], None]] = {
    "task_queue.name": _write_task_queue,
    "retry_policy": lambda options, value: value.apply_to_proto(options.retry_policy),
    "priority": lambda options, value: options.priority.CopyFrom(value._to_proto()),
    **{
        name: _write_duration(name)
        for name in (
            "schedule_to_close_timeout",
            "schedule_to_start_timeout",
            "start_to_close_timeout",
            "heartbeat_timeout",
            "start_delay",
        )
    },
}

_KEYS = {key.name for key in vars(ActivityOptionsKeys).values() if isinstance(key, ActivityOptionsKey)}
assert set(WRITERS) == _KEYS, set(WRITERS) ^ _KEYS
