"""The functions that activity code calls. Outside an activity each raises RuntimeError, except ``in_activity``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from outlast.common import MetricMeter
from outlast.converter import PayloadConverter

from ._context import CompleteAsyncError, Context, Signal, current
from ._info import ActivityCancellationDetails, Info
from ._latch import Latch

if TYPE_CHECKING:
    from outlast.client import Client


def in_activity() -> bool:
    """Whether an activity is running here."""
    return current.get(None) is not None


def info() -> Info:
    """Facts about the running attempt."""
    return Context.must_current().info()


def client() -> Client:
    """The worker's client.

    Raises:
        RuntimeError: in a plain ``def`` activity, whose thread must not use a client of the event loop.
    """
    found = Context.must_current().client
    if found is None:
        raise RuntimeError(
            "No client available. The client is only available in `async def` activities; not in `def` activities. "
            "In tests you can pass a client when creating ActivityEnvironment."
        )
    return found


def heartbeat(*details: Any) -> None:
    """Tell the server that the attempt is alive, and how far it got.

    Call it as often as you like: only some are sent, the last one always. A cancellation reaches an activity as the
    answer to a heartbeat, so one that never calls this is never cancelled.

    Args:
        details: progress, converted at once; the next attempt finds it in ``info().heartbeat_details``.

    Raises:
        TypeError, ValueError, RuntimeError: the details cannot be converted.
    """
    record = Context.must_current().heartbeat
    if record is None:
        raise RuntimeError("Can only execute heartbeat after interceptor init")
    record(*details)


def cancellation_details() -> ActivityCancellationDetails | None:
    """Why the activity is cancelled; None while it is not. Does not change once set."""
    return Context.must_current().cancellation_details()


def is_cancelled() -> bool:
    """Whether the activity was ever asked to cancel itself."""
    return Context.must_current().cancelled.is_set()


async def wait_for_cancelled() -> None:
    """Wait until the activity is asked to cancel itself.

    Raises:
        RuntimeError: not in an ``async def`` activity.
    """
    context = Context.must_current()
    await _awaitable(context, context.cancelled, "wait_for_cancelled_sync").wait()


def wait_for_cancelled_sync(timeout: timedelta | float | None = None) -> None:
    """Block the thread until the activity is asked to cancel itself.

    Args:
        timeout: how long at most, in seconds when it is a number; None for as long as it takes.
    """
    Context.must_current().cancelled.wait_sync(_seconds(timeout))


@contextmanager
def shield_thread_cancel_exception() -> Iterator[None]:
    """Hold back the exception that a cancellation raises in the thread of a plain ``def`` activity.

    Inside the ``with`` block nothing is raised; at the end of the outermost one it is, if the activity was cancelled
    meanwhile, and it then replaces whatever the block returned or raised. No effect where no exception would be raised:
    in ``async def`` activities and with ``no_thread_cancel_exception``.

    Raises:
        outlast.exceptions.CancelledError: the activity was cancelled before the block ended.
    """
    shield = Context.must_current().shield
    if shield is None:
        yield
    else:
        with shield():
            yield


def is_worker_shutdown() -> bool:
    """Whether the worker was told to stop. The activity may go on until the grace period is over."""
    return Context.must_current().worker_shutdown.is_set()


async def wait_for_worker_shutdown() -> None:
    """Wait until the worker is told to stop.

    Raises:
        RuntimeError: not in an ``async def`` activity.
    """
    context = Context.must_current()
    await _awaitable(context, context.worker_shutdown, "wait_for_worker_shutdown_sync").wait()


def wait_for_worker_shutdown_sync(timeout: timedelta | float | None = None) -> None:
    """Block the thread until the worker is told to stop; ``timeout`` as in ``wait_for_cancelled_sync``."""
    Context.must_current().worker_shutdown.wait_sync(_seconds(timeout))


def raise_complete_async() -> NoReturn:
    """End the function and leave the activity open.

    Its result is reported later with ``Client.get_async_activity_handle``, by ids or by ``info().task_token``.
    """
    raise CompleteAsyncError


def payload_converter() -> PayloadConverter:
    """The converter of this activity's values, with its serialization context; useful in dynamic activities."""
    return Context.must_current().payload_converter


def metric_meter() -> MetricMeter:
    """The worker's metric meter, with namespace, task queue and activity type attached to whatever it records."""
    return Context.must_current().metric_meter


def _awaitable(context: Context, signal: Signal, instead: str) -> Latch:
    if not context.is_async or not isinstance(signal, Latch):
        raise RuntimeError(f"Not in an async activity; use activity.{instead} in a thread")
    return signal


def _seconds(timeout: timedelta | float | None) -> float | None:
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
