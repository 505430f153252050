"""Where a traceback becomes the user's: the frames of the SDK and of asyncio that led there say nothing."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from types import TracebackType

_SDK = str(Path(__file__).parents[1] / "_").removesuffix("_")
_STANDARD = str(Path(sysconfig.get_path("stdlib")) / "_").removesuffix("_")
_PACKAGES = ("site-packages", "dist-packages")


def from_users_code(found: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame on that is neither outlast's nor the standard library's; None without one."""
    while found is not None and _is_ours(found.tb_frame.f_code.co_filename):
        found = found.tb_next
    return found


def _is_ours(file: str) -> bool:
    if file.startswith((_SDK, "<frozen ")):
        return True
    return file.startswith(_STANDARD) and not any(one in Path(file).parts for one in _PACKAGES)
