"""Where the tasks of a run wait: the frames of suspended coroutines, from the outermost await to the innermost.

Rule: frames of the SDK and of asyncio are left out, so that what is shown is the user's code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import FrameType
from typing import Any

from .nondeterminism import is_ours


def waiting_frames(task: asyncio.Task[Any]) -> list[FrameType]:
    """The user's frames of a suspended task, outermost first; all of them where none is the user's."""
    frames = list(_chain(task.get_coro()))
    return [frame for frame in frames if not is_ours(frame.f_code)] or frames


def _chain(awaited: Any) -> Iterator[FrameType]:
    """Follow what a coroutine waits for, as long as that is a coroutine or a generator itself."""
    while awaited is not None:
        frame = next((f for name in ("cr_frame", "gi_frame", "ag_frame") if (f := getattr(awaited, name, None))), None)
        if frame is not None:
            yield frame
        awaited = next(
            (a for name in ("cr_await", "gi_yieldfrom", "ag_await") if (a := getattr(awaited, name, None))), None
        )
