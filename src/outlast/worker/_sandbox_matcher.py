"""Which names of which modules a rule is about: ``SandboxMatcher``, and the names that Temporal restricts by default.

Rule: a matcher is a value; changes make new ones. Source of the tables: ``temporalio.worker.workflow_sandbox`` 1.35.
"""

from __future__ import annotations

import dataclasses
import inspect
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol


class Context(Protocol):
    """What a match depends on besides the name."""

    @property
    def is_runtime(self) -> bool:
        """Whether workflow code runs, and is not merely being imported."""


@dataclass(frozen=True)
class SandboxMatcher:
    """A tree of names: members of a module, and members of those."""

    @classmethod
    def nested_child(cls, path: Sequence[str], child: SandboxMatcher) -> SandboxMatcher:
        """A matcher with this child at this path and nothing else."""
        for name in reversed(path):
            child = cls(children={name: child})
        return child

    access: set[str] = frozenset()  # type: ignore[assignment]
    """Names that match when they are merely looked at; ``*`` is all."""
    use: set[str] = frozenset()  # type: ignore[assignment]
    """Names that match when they are called; ``*`` is all."""
    children: Mapping[str, SandboxMatcher] = field(default_factory=dict)
    """Matchers of members."""
    match_self: bool = False
    """Everything below this point matches."""
    only_runtime: bool = False
    """Matches only while a workflow runs, not while modules are imported."""
    leaf_message: str | None = None
    """What to say instead of the usual message; needs ``match_self``."""
    leaf_warning: type[Warning] | None = None
    """Warn with this category instead of raising; needs ``match_self``."""
    exclude: set[str] = frozenset()  # type: ignore[assignment]
    """Names that never match."""

    all: ClassVar[SandboxMatcher]
    all_runtime: ClassVar[SandboxMatcher]
    none: ClassVar[SandboxMatcher]
    all_uses: ClassVar[SandboxMatcher]
    all_uses_runtime: ClassVar[SandboxMatcher]

    def __post_init__(self) -> None:
        """Refuse a message or a warning where nothing matches."""
        for name in ("leaf_message", "leaf_warning"):
            if getattr(self, name) and not self.match_self:
                raise ValueError(f"Cannot set {name} without match_self")

    def access_matcher(self, context: Context, *child_path: str, include_use: bool = False) -> SandboxMatcher | None:
        """The matcher that says yes to this path, or None."""
        matcher = self
        for name in child_path:
            if name in matcher.exclude or matcher._sleeps(context):
                return None
            names = matcher.access | matcher.use if include_use else matcher.access
            if matcher.match_self or name in names or "*" in names:
                return matcher
            child = matcher.children.get(name) or matcher.children.get("*")
            if child is None:
                return None
            matcher = child
        return matcher if matcher.match_self and not matcher._sleeps(context) else None

    def _sleeps(self, context: Context) -> bool:
        return self.only_runtime and not context.is_runtime

    def match_access(self, context: Context, *child_path: str, include_use: bool = False) -> bool:
        """Whether the path matches."""
        return self.access_matcher(context, *child_path, include_use=include_use) is not None

    def child_matcher(self, *child_path: str) -> SandboxMatcher | None:
        """The matcher for the members of the object at the path; None when nothing of it can match."""
        matcher, only_runtime = self, self.only_runtime
        for name in child_path:
            if name in matcher.exclude:
                return None
            names = matcher.access | matcher.use
            if matcher.match_self or name in names or "*" in names:
                return SandboxMatcher.all_runtime if only_runtime else SandboxMatcher.all
            child = matcher.children.get(name) or matcher.children.get("*")
            if child is None:
                return None
            matcher = child
            only_runtime = only_runtime or matcher.only_runtime
        return matcher

    def __or__(self, other: SandboxMatcher) -> SandboxMatcher:
        """Matches what either matches.

        Raises:
            ValueError: the two differ in message, warning or ``only_runtime``.
        """
        for name, what in (
            ("only_runtime", "only-runtime and non-only-runtime"),
            ("leaf_message", "different messages"),
            ("leaf_warning", "different warning values"),
        ):
            if getattr(self, name) != getattr(other, name):
                raise ValueError(f"Cannot combine {what}")
        if self.match_self or other.match_self:
            return SandboxMatcher.all
        children = dict(self.children)
        for name, child in other.children.items():
            children[name] = children[name] | child if name in children else child
        return SandboxMatcher(
            access=self.access | other.access,
            use=self.use | other.use,
            children=children,
            only_runtime=self.only_runtime,
            leaf_message=self.leaf_message,
            leaf_warning=self.leaf_warning,
        )

    def with_child_unrestricted(self, *child_path: str) -> SandboxMatcher:
        """This matcher without the name at the path."""
        name, *rest = child_path
        if not rest:
            return dataclasses.replace(
                self,
                access=self.access - {name},
                use=self.use - {name},
                children={key: child for key, child in self.children.items() if key != name},
            )
        if name not in self.children:
            return self
        child = self.children[name].with_child_unrestricted(*rest)
        return dataclasses.replace(self, children={**self.children, name: child})


SandboxMatcher.all = SandboxMatcher(match_self=True)
SandboxMatcher.all_runtime = SandboxMatcher(match_self=True, only_runtime=True)
SandboxMatcher.none = SandboxMatcher()
SandboxMatcher.all_uses = SandboxMatcher(use={"*"})
SandboxMatcher.all_uses_runtime = SandboxMatcher(use={"*"}, only_runtime=True)

_BREAKPOINT = (
    "breakpoint() inside workflow code requires debug_mode=True on the Worker (or the TEMPORAL_DEBUG environment"
    " variable). Without it, the call cannot reach the debugger."
)
_WHOLLY = (
    "curses dbm filecmp fileinput ftplib getopt getpass gettext glob imaplib locale mmap multiprocessing os platform"
    " poplib readline sched select selectors shelve shutil signal smtplib socket socketserver subprocess tempfile"
    " threading webbrowser xmlrpc"
)
_ONLY_RUNTIME = (
    "__builtins__", "concurrent.futures", "mmap", "multiprocessing", "os", "platform", "select", "selectors", "signal",
    "socket", "threading", "time", "uuid",
)  # fmt: skip
_USES = {
    "__builtins__": "input open",
    "bz2": "open",
    "concurrent.futures": "*",
    "datetime.date": "today",
    "datetime.datetime": "now today utcnow",
    "gzip": "open",
    "http.client": "*",
    "http.server": "*",
    "lzma": "open",
    "marshal": "dump load",
    "pathlib.Path": "chmod cwd exists expanduser glob group hardlink_to home is_block_device is_char_device is_dir"
    " is_fifo is_file is_mount is_socket is_symlink iterdir lchmod link_to lstat mkdir open owner read_bytes read_link"
    " read_text rename replace resolve rglob rmdir samefile stat symlink_to touch unlink write_bytes write_text",
    "random": " ".join(name for name, value in vars(random).items() if inspect.isroutine(value) and name[0] != "_"),
    "secrets": "SystemRandom choice randbelow randbits token_bytes token_hex token_urlsafe",
    "tarfile": "open",
    "tarfile.TarFile": "extract extractall",
    "time": "get_clock_info localtime monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns"
    " pthread_getcpuclockid sleep thread_time thread_time_ns time time_ns tzset",
    "urllib.request": "*",
    "uuid": "uuid1 uuid4 uuid7",
    "zipfile.ZipFile": "extract extractall",
    "zoneinfo.ZoneInfo": "clear_cache from_file reset_tzpath",
} | dict.fromkeys(_WHOLLY.split(), "*")


def _default_members() -> SandboxMatcher:
    os = SandboxMatcher(
        access={"name"},
        use={"*"},
        only_runtime=True,
        children={"path": SandboxMatcher.all},
        exclude={"stat"},
    )
    no_breakpoint = SandboxMatcher(match_self=True, only_runtime=True, leaf_message=_BREAKPOINT)
    builtins = SandboxMatcher(
        use=set(_USES["__builtins__"].split()), only_runtime=True, children={"breakpoint": no_breakpoint}
    )
    special = {"os": os, "__builtins__": builtins, "asyncio": SandboxMatcher(children=_asyncio())}
    matcher = SandboxMatcher(children=special)
    for path, names in _USES.items():
        if path not in special:
            leaf = SandboxMatcher(use=set(names.split()), only_runtime=path in _ONLY_RUNTIME)
            matcher |= SandboxMatcher.nested_child(path.split("."), leaf)
    return matcher


def _asyncio() -> dict[str, SandboxMatcher]:
    def call(name: str) -> SandboxMatcher:
        message = f"asyncio.{name}() is non-deterministic, use workflow.{name}() instead"
        leaf = SandboxMatcher(match_self=True, leaf_warning=UserWarning, leaf_message=message)
        return SandboxMatcher(children={"__call__": leaf})

    return {name: call(name) for name in ("as_completed", "wait")}


DEFAULT_MEMBERS = _default_members()
"""What Temporal restricts by default."""
