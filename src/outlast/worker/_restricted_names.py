"""What workflow code may not call, why, and what to write instead.

Rule: names are dotted paths, ``datetime.datetime.now``. Temporal's ``SandboxRestrictions`` decide. On top of its
default names, here are those that our workers have to refuse as well (``EXTRA``), and those that they have no reason to
(``HARMLESS``): what neither differs between two replays nor waits. A false alarm is worse than a miss, because tests
replay every workflow anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ._sandbox_matcher import DEFAULT_MEMBERS

if TYPE_CHECKING:
    from .workflow_sandbox import SandboxRestrictions


class Rule(NamedTuple):
    """Why a name is refused, and the cure."""

    reason: str
    cure: str


_ACTIVITY = "Do it in an activity"
_CLOCK = Rule("reads this machine's clock, which has moved on when the workflow is replayed", "Use workflow.now()")
_SECONDS = Rule(_CLOCK.reason, "Use workflow.time()")
_SLEEP = Rule("blocks the worker", "Use `await workflow.sleep(...)` or `await asyncio.sleep(...)`, a durable timer")
_RANDOM = Rule("gives another value when the workflow is replayed", "Use workflow.random()")
_UUID = Rule(_RANDOM.reason, "Use workflow.uuid4()")
_FILES = Rule("reaches for the file system, which may have changed when the workflow is replayed", _ACTIVITY)
_NETWORK = Rule("reaches for the network, and would do so again on every replay", _ACTIVITY)
_THREADS = Rule(
    "starts what runs beside the workflow, in an order that no replay repeats",
    "Use asyncio.gather or asyncio.create_task for concurrency; do blocking work in an activity",
)
_PROCESS = Rule("starts a process, and would do so again on every replay", _ACTIVITY)
_ENVIRONMENT = Rule(
    "changes or reads this process's state, which differs from worker to worker",
    "Do it in an activity, or pass the value as an argument of the workflow",
)
_TERMINAL = Rule("waits for somebody at a terminal", "Use a signal or an update")
_DEBUGGER = Rule("stops the worker", "Run the worker with debug_mode=True or with TEMPORAL_DEBUG=1")
_OTHER = Rule("may give another result when the workflow is replayed", _ACTIVITY)
_OWN = Rule("is forbidden by the worker's SandboxRestrictions", _ACTIVITY)

# The longest path that the name begins with decides.
_RULES: Mapping[str, Rule] = {
    "__builtins__.breakpoint": _DEBUGGER,
    "__builtins__.input": _TERMINAL,
    "__builtins__.open": _FILES,
    "asyncio": _PROCESS,
    "asyncio.to_thread": _THREADS,
    "concurrent": _THREADS,
    "datetime": _CLOCK,
    "datetime.date": Rule(_CLOCK.reason, "Use workflow.now().date()"),
    "getpass": _TERMINAL,
    "http": _NETWORK,
    "multiprocessing": _THREADS,
    "os": _FILES,
    "os.environ": _ENVIRONMENT,
    "os.getcwd": _ENVIRONMENT,
    "os.getpid": _ENVIRONMENT,
    "os.getrandom": _RANDOM,
    "os.putenv": _ENVIRONMENT,
    "os.unsetenv": _ENVIRONMENT,
    "os.urandom": Rule(_RANDOM.reason, "Use workflow.random().randbytes(...)"),
    "platform": _ENVIRONMENT,
    "random": _RANDOM,
    "secrets": Rule(_RANDOM.reason, "Use workflow.random(), or draw the secret in an activity"),
    "signal": _ENVIRONMENT,
    "socket": _NETWORK,
    "sqlite3": _FILES,
    "subprocess": _PROCESS,
    "threading": _THREADS,
    "time": _SECONDS,
    "time.sleep": _SLEEP,
    "urllib": _NETWORK,
    "uuid": _UUID,
    "uuid.uuid7": Rule(_RANDOM.reason, "Use workflow.uuid7()"),
    **dict.fromkeys(("os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.popen", "os.kill"), _PROCESS),
    **dict.fromkeys(
        ("bz2", "dbm", "filecmp", "fileinput", "glob", "gzip", "lzma", "marshal", "mmap", "pathlib", "shelve", "shutil",
         "tarfile", "tempfile", "zipfile"), _FILES),
    **dict.fromkeys(
        ("aiohttp", "ftplib", "httpx", "imaplib", "poplib", "psycopg", "psycopg2", "requests", "smtplib",
         "socketserver", "urllib3", "webbrowser", "xmlrpc"), _NETWORK),
}  # fmt: skip


def _names(prefix: str, names: str) -> set[str]:
    return {f"{prefix}.{name}" for name in names.split()}


_VERBS = "delete get head options patch post put request"

EXTRA = frozenset(
    _names("asyncio", "to_thread create_subprocess_exec create_subprocess_shell open_connection start_server")
    | _names("requests", f"{_VERBS} session Session")
    | _names("httpx", f"{_VERBS} stream Client AsyncClient")
    | _names("urllib3", "request PoolManager HTTPConnectionPool HTTPSConnectionPool")
    | {"aiohttp.ClientSession", "aiohttp.request", "psycopg.connect", "psycopg2.connect", "sqlite3.connect"}
    | {"random.SystemRandom", "random.binomialvariate"}
)
"""Refused here although Temporal's default names do not have them."""

_ENVIRON_WRITES = _names("os.environ", "update setdefault pop popitem clear __setitem__ __delitem__ __ior__")

HARMLESS = frozenset(
    _names("os", "fspath fsencode fsdecode getenv getenvb name PathLike strerror")
    | _names("os.path", "basename commonpath commonprefix dirname isabs join normcase normpath split splitext")
    | _names("threading", "Condition Event Lock RLock Semaphore current_thread get_ident local main_thread")
    | _names("socket", "htonl htons inet_aton inet_ntoa inet_ntop inet_pton ntohl ntohs")
    | _names("asyncio", "as_completed wait")
    | _names("urllib.request", "pathname2url quote unquote url2pathname urljoin urlparse urlsplit")
)  # fmt: skip
"""Not refused here although Temporal's default names have them; reading ``os.environ`` is not, either."""

_HARMLESS_MODULES = frozenset({"getopt", "gettext"})


class AtRunTime:
    """The context of matches: workflow code is what is looked at."""

    is_runtime = True


_CONTEXT = AtRunTime()


class Restrictions:
    """What one worker's ``SandboxRestrictions`` mean for names.

    Args:
        debug: the worker lets code wait for a debugger.
    """

    __slots__ = ("_debug", "_members", "_modules", "_passed", "_passes_all")

    def __init__(self, restrictions: SandboxRestrictions, *, debug: bool = False) -> None:
        self._debug = debug
        self._members = restrictions.invalid_module_members
        self._modules = restrictions.invalid_modules
        self._passes_all = restrictions.passthrough_all_modules
        self._passed = restrictions.passthrough_modules - restrictions.passthrough_modules_default

    def passes_through(self, module: str) -> bool:
        """Whether the user has said that this module is fine as it is."""
        return self._passes_all or any(module == passed or module.startswith(f"{passed}.") for passed in self._passed)

    def refuses_module(self, module: str) -> bool:
        """Whether workflow code may not import this module."""
        return self._modules.match_access(_CONTEXT, *module.split("."))

    def violated(self, path: Sequence[str], *, called: bool) -> Rule | None:
        """The rule against a name that is called, or merely mentioned; None when it is fine."""
        matcher = self._members.access_matcher(_CONTEXT, *path, include_use=called)
        name = ".".join(path)
        if matcher is None:
            return rule_of(name) if called and name in EXTRA and not self.passes_through(path[0]) else None
        if not DEFAULT_MEMBERS.match_access(_CONTEXT, *path, include_use=called):
            return Rule(matcher.leaf_message, _OWN.cure) if matcher.leaf_message else _OWN
        if not called or _is_harmless(path, name) or (self._debug and name == "__builtins__.breakpoint"):
            return None
        return rule_of(name)


def _is_harmless(path: Sequence[str], name: str) -> bool:
    if path[:2] == ("os", "environ"):
        return name not in _ENVIRON_WRITES
    return name in HARMLESS or path[0] in _HARMLESS_MODULES


def rule_of(name: str) -> Rule:
    """Why a name is refused, and the cure."""
    known = name
    while known not in _RULES and "." in known:
        known = known.rpartition(".")[0]
    return _RULES.get(known, _OTHER)
