"""The determinism guard at registration: what a workflow's methods call, and the user's functions that they call.

Rule: names are resolved against the objects that they mean, by looking and never by calling; what cannot be
resolved is passed over. Only calls are followed: an activity that is merely named is not. Nothing is imported.

    methods of the class --call of a user's function--> its source --...--> a name that is restricted: a violation
"""

from __future__ import annotations

import builtins
import inspect
import os
import random
import secrets
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, NamedTuple

from outlast.workflow._definition import Definition

from ._references import Reference, References
from ._restricted_names import Restrictions, Rule
from ._source import Source, references_of, source_of
from ._user_code import UserCode

_MISSING: Any = object()
_BUILTINS = "__builtins__"
_HIDDEN = {"posix": "os", "nt": "os", "_io": _BUILTINS, "io": _BUILTINS, "builtins": _BUILTINS, "_socket": "socket",
           "pathlib._local": "pathlib", "asyncio.threads": "asyncio", "asyncio.subprocess": "asyncio",
           "asyncio.streams": "asyncio", "requests.api": "requests", "requests.sessions": "requests",
           "concurrent.futures.thread": "concurrent.futures", "concurrent.futures.process": "concurrent.futures",
           "httpx._api": "httpx", "httpx._client": "httpx", "aiohttp.client": "aiohttp"}  # fmt: skip
"""Where things are defined -> where everybody finds them."""
_HIDDEN |= dict.fromkeys(("posixpath", "ntpath", "genericpath"), "os.path")

_INSTANCES = {id(os.environ): "os.environ", id(getattr(random, "_inst", None)): "random",
              id(getattr(secrets, "_sysrand", None)): "secrets"}  # fmt: skip
"""Objects whose methods are known as functions of a module."""
_NAMED = (type, FunctionType, BuiltinFunctionType, MethodType, MethodDescriptorType, WrapperDescriptorType)


class Violation(NamedTuple):
    """A call that a workflow must not make, and the way to it from the class."""

    name: str
    file: str
    line: int
    function: str
    rule: Rule
    way: tuple[str, ...]

    def __str__(self) -> str:
        way = f" (reached through {' -> '.join(self.way)})" if self.way else ""
        name = self.name.removeprefix(f"{_BUILTINS}.")
        return f"{self.file}:{self.line} in {self.function}{way}: {name} {self.rule.reason}. {self.rule.cure}."


@dataclass(frozen=True, slots=True)
class _Step:
    """A function to look into. ``owner`` is the class that ``self`` belongs to."""

    function: FunctionType
    owner: type | None
    way: tuple[str, ...]


def violations(definition: Definition, restrictions: Restrictions, users: UserCode) -> list[Violation]:
    """Everything that the workflow's code does and must not, as far as its source shows."""
    found: dict[tuple[str, int, str], Violation] = {}
    for violation in _Walk(definition, restrictions, users).violations():
        found.setdefault((violation.file, violation.line, violation.name), violation)
    return list(found.values())


class _Walk:
    def __init__(self, definition: Definition, restrictions: Restrictions, users: UserCode) -> None:
        self._definition, self._restrictions, self._users = definition, restrictions, users
        self._seen: set[tuple[CodeType, type | None]] = set()
        self._files: set[str] = set()
        self._passed: set[str] = set()
        self._todo: deque[_Step] = deque()

    def violations(self) -> Iterator[Violation]:
        definition = self._definition
        for method in _methods(definition):
            self._add(method, definition.cls, ())
        while self._todo:
            yield from self._look_into(self._todo.popleft())

    def _add(self, target: Any, owner: type | None, way: tuple[str, ...]) -> None:
        """Look into this, if it is a function of the user's with code that has not been seen."""
        for function in _functions(target):
            module = getattr(function, "__module__", None)
            is_own = owner is self._definition.cls and module == owner.__module__
            if self._passes(module) or not (is_own or self._users.has(module)):
                continue
            key = function.__code__, owner
            if key not in self._seen:
                self._seen.add(key)
                self._todo.append(_Step(function, owner, way))

    def _passes(self, module: str | None) -> bool:
        return module is not None and (module in self._passed or self._restrictions.passes_through(module))

    def _look_into(self, step: _Step) -> Iterator[Violation]:
        function = step.function
        filename, package = _place(function)
        source = source_of(filename, package)
        references = None if source is None else references_of(source, function.__code__, package)
        if source is None or references is None:
            return
        name = function.__qualname__

        def violation(of: str, line: int, rule: Rule) -> Violation:
            return Violation(of, filename, line, name, rule, step.way)

        for module, line in (*self._imports_of_file(filename, source), *references.modules):
            if self._restrictions.refuses_module(module):
                yield violation(module, line, Rule("is forbidden by SandboxRestrictions.invalid_modules", "Do without"))
        scope = _Scope(function, step.owner, references)
        for reference in references.found:
            found = scope.resolve(reference)
            if found is None:
                continue
            broken = self._violated(found, reference.called)
            if broken is not None:
                yield violation(broken[0], reference.line, broken[1])
            elif reference.path[0] not in source.passed_through and (reference.called or found.is_property):
                self._add(found.target, found.owner, (*step.way, name))

    def _violated(self, found: _Found, called: bool) -> tuple[str, Rule] | None:
        """The name that must not be used, and the rule against it."""
        if isinstance(found.target, type) and issubclass(found.target, BaseException | Enum):
            return None
        for path in found.paths:
            rule = self._restrictions.violated(path, called=called)
            if rule is not None:
                return ".".join(path), rule
        return None

    def _imports_of_file(self, filename: str, source: Source) -> list[tuple[str, int]]:
        if filename in self._files:
            return []
        self._files.add(filename)
        self._passed |= source.passed_through
        return list(source.imported)


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    """A function's file, and the package that it is in."""
    plain: Any = inspect.unwrap(function)
    namespace = plain.__globals__
    package = namespace.get("__package__") or str(namespace.get("__name__", "")).rpartition(".")[0]
    return plain.__code__.co_filename, package


def _methods(definition: Definition) -> Iterator[Any]:
    yield definition.run_fn
    yield inspect.getattr_static(definition.cls, "__init__", None)
    yield definition.dynamic_config_fn
    for handlers in (definition.signals, definition.queries, definition.updates):
        for handler in handlers.values():
            yield handler.fn
            yield getattr(handler, "validator", None)


def _functions(target: Any) -> Iterator[FunctionType]:
    """The functions that run when ``target`` is called: through wrappers, and into the constructor of a class."""
    if isinstance(target, type):
        for name in ("__new__", "__init__", "__post_init__"):
            yield from _functions(inspect.getattr_static(target, name, None))
        return
    for _ in range(20):
        if isinstance(target, partial):
            target = target.func
        elif isinstance(target, staticmethod | classmethod | MethodType):
            target = target.__func__
        elif isinstance(target, property):
            target = target.fget
        else:
            break
    for _ in range(20):
        if isinstance(target, FunctionType):
            yield target
        target = getattr(target, "__dict__", {}).get("__wrapped__")
        if target is None:
            return


class _Found(NamedTuple):
    """What a name stands for.

    Attributes:
        paths: its full names: as it is reached, and as its object says.
    """

    target: Any
    owner: type | None
    paths: list[tuple[str, ...]]
    is_property: bool = False


class _Scope:
    """Names as one function sees them."""

    def __init__(self, function: FunctionType, owner: type | None, references: References) -> None:
        self._names: dict[str, Any] = dict(function.__globals__)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            try:
                self._names[name] = cell.cell_contents
            except ValueError:  # not assigned yet
                self._names.pop(name, None)
        for name, full in references.imports.items():
            self._names[name] = _imported(full)
        self._imports = references.imports
        if owner is not None:
            for name in function.__code__.co_varnames[:1]:
                self._names[name] = owner
        self._self = function.__code__.co_varnames[:1] if owner is not None else ()

    def resolve(self, reference: Reference) -> _Found | None:
        """The object behind a reference; None where it cannot be told."""
        root, *rest = reference.path
        target = self._names.get(root, _MISSING)
        owner: type | None = None
        if root in self._imports:
            path: tuple[str, ...] = tuple(self._imports[root].split("."))
        elif target is not _MISSING:
            path = ()
        elif hasattr(builtins, root):
            target, path = getattr(builtins, root), (_BUILTINS, root)
        else:
            return None
        is_property = False
        for index, name in enumerate(rest, 1):
            if index == reference.of_call and not isinstance(target, type):
                return None
            base = _path_of(target) or path
            if isinstance(target, ModuleType):
                target = _member(target, name)
            elif target is not _MISSING:
                owner = target if isinstance(target, type) else type(target)
                target = inspect.getattr_static(target, name, _MISSING)
                is_property = isinstance(target, property) and root in self._self
            path = (*base, name) if base else ()
        paths = [one for one in (path, _path_of(target)) if one]
        if isinstance(target, type):
            owner = target
        return _Found(target, owner, paths, is_property) if paths or target is not _MISSING else None


def _imported(full: str) -> Any:
    """What is behind a full name, if it has been imported."""
    module = sys.modules.get(full)
    if module is not None:
        return module
    parent, _, name = full.rpartition(".")
    return _member(sys.modules[parent], name) if parent in sys.modules else _MISSING


def _member(module: ModuleType, name: str) -> Any:
    found = vars(module).get(name, _MISSING)
    return sys.modules.get(f"{module.__name__}.{name}", _MISSING) if found is _MISSING else found


def _path_of(target: Any) -> tuple[str, ...]:
    """The full name by which an object knows itself; empty for what has none."""
    if isinstance(target, ModuleType):
        return tuple(_HIDDEN.get(target.__name__, target.__name__).split("."))
    if id(target) in _INSTANCES:
        return tuple(_INSTANCES[id(target)].split("."))
    if isinstance(target, staticmethod | classmethod):
        target = target.__func__
    if not isinstance(target, _NAMED):  # asking anything else for its name may run code of its own
        return ()
    holder = None if isinstance(target, type) else getattr(target, "__self__", None)
    name = target.__name__
    if isinstance(holder, ModuleType | type) or id(holder) in _INSTANCES:
        return (*_path_of(holder), name)
    if holder is not None:
        return ()
    module, qualified = getattr(target, "__module__", None), getattr(target, "__qualname__", name)
    if not isinstance(module, str) or not isinstance(qualified, str) or "<locals>" in qualified:
        return ()
    return tuple(f"{_HIDDEN.get(module, module)}.{qualified}".split("."))
