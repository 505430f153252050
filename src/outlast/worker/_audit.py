"""The determinism guard at run time: Python's audit events, taken note of only while workflow code runs.

Rule: armed is who runs on a workflow's event loop that carries a guard, so arming costs nothing. What libraries do on
their own account is theirs: files count when the user's code opens them, connections and threads when it is anywhere
above. Imports and logging are never refused.

Source: the table of audit events in Python's documentation.
"""

from __future__ import annotations

import sys
from asyncio.events import _get_running_loop
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

from outlast.replay.nondeterminism import Line
from outlast.workflow import unsafe

from .workflow_sandbox import RestrictedWorkflowAccessError

if TYPE_CHECKING:
    from ._guard import Guard

# Audit event -> the name to look up, where the two differ.
_NEAR: Mapping[str, str] = {
    "open": "__builtins__.open",
    "builtins.input": "__builtins__.input",
    **{
        name: name
        for name in (
            "glob.glob", "os.chdir", "os.chmod", "os.chown", "os.link", "os.listdir", "os.mkdir", "os.putenv",
            "os.remove", "os.rename", "os.rmdir", "os.scandir", "os.symlink", "os.truncate", "os.unsetenv", "os.utime",
            "os.walk", "pathlib.Path.glob", "pathlib.Path.rglob", "shutil.copyfile", "shutil.copytree", "shutil.move",
            "shutil.rmtree", "sqlite3.connect", "tempfile.mkdtemp", "tempfile.mkstemp", "time.sleep",
        )
    },
}  # fmt: skip
"""Refused where the user's code does it, through nothing but thin layers of the standard library."""
_FAR: Mapping[str, str] = {
    "_thread.start_new_thread": "threading.Thread",
    "_thread.start_joinable_thread": "threading.Thread",
    "os.exec": "os.execv",
    "os.spawn": "os.spawnv",
    "socket.bind": "socket.socket",
    "socket.connect": "socket.socket",
    "urllib.Request": "urllib.request.urlopen",
    **{
        name: name
        for name in (
            "os.fork", "os.forkpty", "os.kill", "os.posix_spawn", "os.system", "socket.getaddrinfo",
            "socket.gethostbyname", "subprocess.Popen",
        )
    },
}  # fmt: skip
"""Refused wherever the user's code stands behind it."""
_WATCHED = frozenset({*_NEAR, *_FAR, "import"})

_THIN = frozenset(
    {"_pyio", "bz2", "codecs", "fileinput", "glob", "gzip", "io", "lzma", "os", "pathlib", "shelve", "shutil",
     "tarfile", "tempfile", "zipfile", "dbm", "dbm.dumb"}
)  # fmt: skip
_EXEMPT = frozenset({"importlib", "logging"})
_OUTSIDE = frozenset({"outlast.loop", "outlast.replay.player", "outlast.replay.run", "outlast.replay.workflow_loop"})

_installed = False


def install() -> None:
    """Listen to audit events, once per process: a hook cannot be removed."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_listen)


def _listen(
    event: str,
    args: tuple[Any, ...],
    # Bound here, because the interpreter goes on to tell of events after it has cleared the modules.
    watched: frozenset[str] = _WATCHED,
    running_loop: Any = _get_running_loop,
) -> None:
    if event not in watched:
        return
    guard = getattr(running_loop(), "guard", None)
    if guard is not None and not unsafe.is_sandbox_unrestricted():
        _judge(guard, event, args)


def _judge(guard: Guard, event: str, args: tuple[Any, ...]) -> None:
    """Raise RestrictedWorkflowAccessError, if workflow code is behind the event and must not be."""
    if event == "import":
        line = _importing_line(guard) if isinstance(args[0], str) and guard.refuses_module(args[0]) else None
        if line is not None:
            _refuse(args[0], f"Module {args[0]} is forbidden by SandboxRestrictions.invalid_modules", line)
        return
    name = _NEAR.get(event) or _FAR[event]
    rule = guard.violated(name)
    if rule is None or (event == "open" and _is_time_zone(args[0])):
        return
    line = _line(guard, event in _FAR)
    if line is not None:
        what = name.removeprefix("__builtins__.")
        _refuse(name, f"{what}({_shown(args)}) {rule.reason}. {rule.cure}", line)


def _refuse(name: str, problem: str, line: Line) -> None:
    raise RestrictedWorkflowAccessError(name, override_message=f"{problem} (at {line})")


def _line(guard: Guard, far: bool) -> Line | None:
    """The user's line behind what happens now; None when it is none of the user's."""
    found: Line | None = None
    for frame in _frames():
        module = frame.f_globals.get("__name__", "")
        if _top(module) in _EXEMPT:
            return None
        if found is None and guard.is_users(module):
            found = Line(frame.f_code, frame.f_lineno)
        elif found is None and not far and _top(module) not in _THIN and module not in _THIN:
            return None
    return found


def _importing_line(guard: Guard) -> Line | None:
    """The line of the user's that imports; None when something else does."""
    for frame in _frames():
        module = frame.f_globals.get("__name__", "")
        if _top(module) != "importlib":
            return Line(frame.f_code, frame.f_lineno) if guard.is_users(module) else None
    return None


def _frames() -> Iterator[FrameType]:
    """What runs inside the workflow's turn, innermost first."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") not in _OUTSIDE:
        if frame.f_globals.get("__name__") != __name__:
            yield frame
        frame = frame.f_back


def _is_time_zone(path: object) -> bool:
    """Whether a file is one that ``zoneinfo``, which is written in C and has no frame, opens."""
    found = sys.modules.get("zoneinfo")
    return found is not None and isinstance(path, str) and path.startswith(tuple(found.TZPATH))


def _shown(args: tuple[Any, ...]) -> str:
    shown = repr(args[0]) if args else ""
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _top(module: str) -> str:
    return module.partition(".")[0]
