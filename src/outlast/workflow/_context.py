"""What a workflow asks about itself and the world: time, randomness, memo, patches, waiting, its handlers.

Rule: every function asks the running workflow's runtime; outside a workflow they raise, except ``in_workflow``.
"""

from __future__ import annotations

import contextvars
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, overload

import outlast.common
from outlast.common import _arg_unset
from outlast.converter import PayloadConverter
from outlast.types import AnyType, ParamType

from ._event_groups import EventGroup, capture_markers
from ._info import Info, UpdateInfo
from ._runtime import Runtime

_update_info: contextvars.ContextVar[UpdateInfo] = contextvars.ContextVar("outlast_current_update")


def in_workflow() -> bool:
    """Whether workflow code is running in this thread."""
    return Runtime.maybe_current() is not None


def info() -> Info:
    """The running workflow."""
    return Runtime.current().info()


def instance() -> Any:
    """The object of the workflow class that is running."""
    return Runtime.current().instance()


def extern_functions() -> Mapping[str, Callable[..., Any]]:
    """Functions that the worker's interceptors made reachable from workflow code."""
    return Runtime.current().extern_functions()


def current_update_info() -> UpdateInfo | None:
    """The update whose handler is running here, or in a task that it started; None elsewhere."""
    return _update_info.get(None)


def cancellation_reason() -> str | None:
    """The reason given with the request to cancel this workflow, maybe empty; None when nobody asked."""
    return Runtime.current().cancellation_reason()


def is_failure_exception(err: BaseException) -> bool:
    """Whether this exception, leaving the workflow, would fail it rather than the workflow task."""
    return Runtime.current().is_failure_exception(err)


def payload_converter() -> PayloadConverter:
    """The converter of the running workflow, with the workflow as its serialization context."""
    return Runtime.current().payload_converter()


def metric_meter() -> outlast.common.MetricMeter:
    """A meter that records nothing during replay."""
    return Runtime.current().metric_meter()


# -- time ---------------------------------------------------------------------------------------------------------


def now() -> datetime:
    """Time of the current workflow task, in UTC; the same in every replay."""
    return datetime.fromtimestamp(time(), UTC)


def time() -> float:
    """Time of the current workflow task in seconds since the epoch."""
    return time_ns() / 1e9


def time_ns() -> int:
    """Time of the current workflow task in nanoseconds since the epoch."""
    return Runtime.current().time_ns()


def _seconds(duration: float | timedelta) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


async def sleep(
    duration: float | timedelta, *, summary: str | None = None, event_groups: Sequence[EventGroup] | None = None
) -> None:
    """Sleep durably.

    Args:
        duration: seconds or a timedelta.
        summary: one line for UI and CLI.
        event_groups: groups to attach, besides those of the current scope.
    """
    await Runtime.current().sleep(_seconds(duration), summary, capture_markers(event_groups))


async def wait_condition(
    fn: Callable[[], bool],
    *,
    timeout: timedelta | float | None = None,
    timeout_summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> None:
    """Wait until ``fn()`` is true; it is asked whenever the workflow has run and come to rest.

    Args:
        fn: synchronous and without side effects.
        timeout: seconds or a timedelta after which TimeoutError is raised; None starts no timer.
        timeout_summary: one line for UI and CLI about that timer.
        event_groups: groups to attach to that timer, besides those of the current scope.

    Raises:
        TimeoutError: the timeout came first.
    """
    await Runtime.current().wait_condition(
        fn, None if timeout is None else _seconds(timeout), timeout_summary, capture_markers(event_groups)
    )


# -- randomness ---------------------------------------------------------------------------------------------------


def random() -> Random:
    """The workflow's own generator: the same numbers in every replay. Not for secrets."""
    return Runtime.current().random()


def random_seed() -> int:
    """The seed of ``random()``; a reset of the workflow changes it."""
    return Runtime.current().random_seed()


def register_random_seed_callback(callback: Callable[[int], None]) -> None:
    """Have ``callback`` called with every new seed."""
    Runtime.current().register_random_seed_callback(callback)


def new_random(name: str | None = None) -> Random:
    """A generator that follows the workflow's seed.

    Args:
        name: generators of different names give different numbers; without one it starts as ``random()`` does.
    """

    def seed_for(seed: int) -> int | str:
        return seed if name is None else f"{seed}:{name}"

    generator = Random(seed_for(random_seed()))
    register_random_seed_callback(lambda seed: generator.seed(seed_for(seed)))
    return generator


def uuid4() -> uuid.UUID:
    """A v4 UUID from ``random()``. Not for secrets."""
    return uuid.UUID(bytes=random().getrandbits(128).to_bytes(16, "big"), version=4)


def uuid7() -> uuid.UUID:
    """A v7 UUID from ``time_ns()`` and ``random()``: sorts by workflow task, in any order within one."""
    milliseconds = (time_ns() // 1_000_000) & 0xFFFF_FFFF_FFFF
    generator = random()
    rand_a = generator.getrandbits(12)
    rand_b = generator.getrandbits(62)
    return uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b)


# -- memo, search attributes, details -----------------------------------------------------------------------------


def memo() -> Mapping[str, Any]:
    """All memo values, decoded without type hints."""
    return Runtime.current().memo()


@overload
def memo_value(key: str, default: Any = _arg_unset) -> Any: ...
@overload
def memo_value(key: str, *, type_hint: type[ParamType]) -> ParamType: ...
@overload
def memo_value(key: str, default: AnyType, *, type_hint: type[ParamType]) -> AnyType | ParamType: ...
def memo_value(key: str, default: Any = _arg_unset, *, type_hint: type | None = None) -> Any:
    """One memo value.

    Args:
        default: returned when there is none.
        type_hint: to decode with.

    Raises:
        KeyError: there is none, and no default.
    """
    return Runtime.current().memo_value(key, default, type_hint)


def upsert_memo(updates: Mapping[str, Any], *, event_groups: Sequence[EventGroup] | None = None) -> None:
    """Set memo values; None removes one. Others stay."""
    Runtime.current().upsert_memo(updates, capture_markers(event_groups))


def upsert_search_attributes(
    attributes: outlast.common.SearchAttributes | Sequence[outlast.common.SearchAttributeUpdate[Any]],
    *,
    event_groups: Sequence[EventGroup] | None = None,
) -> None:
    """Set search attributes.

    Args:
        attributes: what ``SearchAttributeKey.value_set`` and ``value_unset`` give; the mapping form is deprecated.
        event_groups: groups to attach, besides those of the current scope.
    """
    if attributes:
        outlast.common._warn_on_deprecated_search_attributes(attributes)
        Runtime.current().upsert_search_attributes(attributes, capture_markers(event_groups))


def get_current_details() -> str:
    """The text last given to ``set_current_details``; empty at first."""
    return Runtime.current().current_details()


def set_current_details(description: str) -> None:
    """Text, Markdown allowed, that UI and CLI show while the workflow runs."""
    Runtime.current().set_current_details(description)


def has_last_completion_result() -> bool:
    """Whether an earlier run of this cron or schedule completed."""
    return Runtime.current().has_last_completion_result()


@overload
def get_last_completion_result() -> Any | None: ...
@overload
def get_last_completion_result(type_hint: type[ParamType]) -> ParamType | None: ...
def get_last_completion_result(type_hint: type | None = None) -> Any | None:
    """Result of the last completed run of this cron or schedule; None when there is none."""
    return Runtime.current().last_completion_result(type_hint)


def get_last_failure() -> BaseException | None:
    """How the run before this one failed; None when it did not."""
    return Runtime.current().last_failure()


# -- patches ------------------------------------------------------------------------------------------------------


def patched(id: str, *, event_groups: Sequence[EventGroup] | None = None) -> bool:
    """Whether to take the new path: always in new runs, in replay only where it was taken before.

    Args:
        id: names the change; every call with it gives the same answer in one run.
        event_groups: groups to attach, besides those of the current scope.
    """
    return Runtime.current().patch(id, False, capture_markers(event_groups))


def deprecate_patch(id: str, *, event_groups: Sequence[EventGroup] | None = None) -> None:
    """Stand where ``patched(id)`` stood, once no run needs the old path any more."""
    Runtime.current().patch(id, True, capture_markers(event_groups))
