"""``wait`` and ``as_completed`` in the order given, where asyncio's own go through a set.

Rule: same callbacks in the same order as asyncio's, so that a history replays whichever SDK wrote it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from typing import Any, TypeVar, overload

from outlast.types import AnyType

_FT = TypeVar("_FT", bound=asyncio.Future[Any])
_RETURN_WHEN = (asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED)


def as_completed(fs: Iterable[Awaitable[AnyType]], *, timeout: float | None = None) -> Iterator[Awaitable[AnyType]]:
    """Awaitables, one for each of ``fs``, that give the results in the order of completion.

    Args:
        timeout: seconds after which those still to come raise TimeoutError; None waits for ever.

    Raises:
        TypeError: a single future or coroutine instead of an iterable.
    """
    if asyncio.isfuture(fs) or asyncio.iscoroutine(fs):
        raise TypeError(f"expect an iterable of futures, not {type(fs).__name__}")
    loop = asyncio.get_running_loop()
    done: asyncio.Queue[asyncio.Future[AnyType] | None] = asyncio.Queue()
    todo = [asyncio.ensure_future(f, loop=loop) for f in list(fs)]
    timer: asyncio.TimerHandle | None = None

    def completed(future: asyncio.Future[AnyType]) -> None:
        if future not in todo:  # the timeout came first
            return
        todo.remove(future)
        done.put_nowait(future)
        if not todo and timer is not None:
            timer.cancel()

    def timed_out() -> None:
        for future in todo:
            future.remove_done_callback(completed)
            done.put_nowait(None)
        todo.clear()

    async def next_result() -> AnyType:
        future = await done.get()
        if future is None:
            raise TimeoutError
        return future.result()

    for future in todo:
        future.add_done_callback(completed)
    if todo and timeout is not None:
        timer = loop.call_later(timeout, timed_out)
    for _ in range(len(todo)):
        yield next_result()


@overload
async def wait(
    fs: Iterable[_FT], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[list[_FT], list[_FT]]: ...
@overload
async def wait(
    fs: Iterable[asyncio.Task[AnyType]], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[list[asyncio.Task[AnyType]], list[asyncio.Task[AnyType]]]: ...
async def wait(
    fs: Iterable[Any], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[list[Any], list[Any]]:
    """Wait for futures or tasks; as ``asyncio.wait``, but with lists in the order of ``fs``.

    Returns:
        Those that are done and those that are not.

    Raises:
        TypeError: a single future instead of an iterable, or a coroutine among them.
        ValueError: nothing to wait for, or an unknown ``return_when``.
    """
    if asyncio.isfuture(fs) or asyncio.iscoroutine(fs):
        raise TypeError(f"Expect an iterable of Tasks/Futures, not {type(fs).__name__}")
    futures: list[asyncio.Future[Any]] = list(fs)
    if not futures:
        raise ValueError("Sequence of Tasks/Futures must not be empty.")
    if return_when not in _RETURN_WHEN:
        raise ValueError(f"Invalid return_when value: {return_when}")
    if any(asyncio.iscoroutine(future) for future in futures):
        raise TypeError("Passing coroutines is forbidden, use tasks explicitly.")
    await _first(futures, timeout, return_when)
    return [f for f in futures if f.done()], [f for f in futures if not f.done()]


async def _first(futures: list[asyncio.Future[Any]], timeout: float | None, return_when: str) -> None:
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    missing = len(futures)

    def release() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def completed(future: asyncio.Future[Any]) -> None:
        nonlocal missing
        missing -= 1
        enough = missing <= 0 or return_when == asyncio.FIRST_COMPLETED
        if return_when == asyncio.FIRST_EXCEPTION and not future.cancelled() and future.exception() is not None:
            enough = True
        if enough:
            if timer is not None:
                timer.cancel()
            release()

    timer = None if timeout is None else loop.call_later(timeout, release)
    for future in futures:
        future.add_done_callback(completed)
    try:
        await waiter
    finally:
        if timer is not None:
            timer.cancel()
        for future in futures:
            future.remove_done_callback(completed)
