"""What two packages show to their users, and where they differ.

Rule: names, signatures (parameter names, kinds and defaults), dataclass fields, enum members, members of classes and
base classes. Annotations are left out: they name each package's own types. A difference is a line of text that begins
with the dotted name of what differs, without the package.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import types
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

MODULES = (
    "client", "worker", "workflow", "activity", "common", "converter", "exceptions", "service", "runtime", "envconfig",
    "plugin", "types", "contrib.pydantic", "worker.workflow_sandbox", "nexus", "testing",
)  # fmt: skip
ROOTS = ("temporalio", "outlast")
_MISSING = object()
_OPAQUE = (
    "DataConverter",
    "SandboxedWorkflowRunner",
)  # made of parts that differ by nature; their classes are compared
_ANYTHING = [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]
_NAMELESS = (*_ANYTHING, inspect.Parameter.POSITIONAL_ONLY)


def differences(module: str) -> Iterator[str]:
    """Where ``outlast.<module>`` differs from ``temporalio.<module>``."""
    theirs = importlib.import_module(f"temporalio.{module}")
    try:
        ours = importlib.import_module(f"outlast.{module}")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("outlast"):
            raise
        yield f"{module}: there is no such module"
        return
    for name in public_names(theirs):
        mine = getattr(ours, name, _MISSING)
        if mine is _MISSING:
            yield f"{module}.{name}: missing"
        else:
            yield from compare(f"{module}.{name}", getattr(theirs, name), mine)


def public_names(module: types.ModuleType) -> list[str]:
    """``__all__``, or the public names that the module defines itself."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(name for name in listed if not name.startswith("_"))
    return sorted(
        name for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and _is_own(module, value)
    )  # fmt: skip


def _is_own(module: types.ModuleType, value: Any) -> bool:
    defined_in = getattr(value, "__module__", None)
    if isinstance(defined_in, str) and not isinstance(value, (int, str, float)):
        return defined_in == module.__name__
    return not callable(value) and value is not TYPE_CHECKING  # constants


def compare(name: str, theirs: Any, ours: Any) -> Iterator[str]:
    """Where one public object differs from the other, under the name given."""
    if inspect.isclass(theirs):
        if inspect.isclass(ours):
            yield from _compare_classes(name, theirs, ours)
        else:
            yield f"{name}: not a class"
    elif inspect.isroutine(theirs):
        yield from _compare_signatures(name, theirs, ours)
    elif isinstance(theirs, (bool, int, float, str)) and theirs != ours:
        yield f"{name}: {ours!r} instead of {theirs!r}"


def _compare_classes(name: str, theirs: type, ours: type) -> Iterator[str]:
    lost = _bases(theirs) - _bases(ours)
    if lost:
        yield f"{name}: is no {', '.join(sorted(lost))}"
    if issubclass(theirs, enum.Enum):
        if not issubclass(ours, enum.Enum):
            yield f"{name}: not an enum"
            return
        yield from _compare_tables(name, _members(theirs), _members(ours))
    elif dataclasses.is_dataclass(theirs) and _fields(theirs):
        if not dataclasses.is_dataclass(ours):
            yield f"{name}: not a dataclass"
            return
        yield from _compare_tables(name, _fields(theirs), _fields(ours))
    elif hasattr(theirs, "__total__"):
        yield from _compare_tables(name, _keys(theirs), _keys(ours))
    if _has_constructor(theirs):
        yield from _compare_signatures(f"{name}.__init__", theirs.__init__, ours.__init__)
    for member in sorted(_public_members(theirs)):
        yield from _compare_members(f"{name}.{member}", theirs, ours, member)


def _compare_members(name: str, theirs: type, ours: type, member: str) -> Iterator[str]:
    wanted, found = inspect.getattr_static(theirs, member), inspect.getattr_static(ours, member, _MISSING)
    if found is _MISSING:
        declared = {key for base in ours.__mro__ for key in vars(base).get("__annotations__", {})}
        if member not in declared and not (dataclasses.is_dataclass(ours) and member in _fields(ours)):
            yield f"{name}: missing"
        return
    if isinstance(wanted, (staticmethod, classmethod)) or inspect.isfunction(wanted):
        kinds = tuple(kind.__name__ for kind in (staticmethod, classmethod) if isinstance(wanted, kind))
        if kinds and not isinstance(found, (staticmethod, classmethod)):
            yield f"{name}: not a {kinds[0]}"
            return
        yield from _compare_signatures(name, getattr(theirs, member), getattr(ours, member))
    elif isinstance(wanted, (property, cached_property)):
        if inspect.isfunction(found) or isinstance(found, (staticmethod, classmethod)):
            yield f"{name}: a method instead of a property"
        elif isinstance(wanted, property) and wanted.fset and isinstance(found, property) and not found.fset:
            yield f"{name}: cannot be set"


def _compare_signatures(name: str, theirs: Any, ours: Any) -> Iterator[str]:
    if not callable(ours):
        yield f"{name}: not callable"
        return
    try:
        wanted, found = inspect.signature(theirs), inspect.signature(ours)
    except ValueError:
        return
    mine = list(found.parameters.values())
    if [p.kind for p in mine if p.name != "self"] == _ANYTHING and any(
        p.name != "self" and p.kind not in _NAMELESS for p in wanted.parameters.values()
    ):
        yield f"{name}: takes any arguments"
        return
    open_ended = any(p.kind is p.VAR_KEYWORD for p in wanted.parameters.values())
    for parameter in wanted.parameters.values():
        match = found.parameters.get(parameter.name)
        if parameter.name == "self":
            continue
        if match is None:
            if parameter.kind in _NAMELESS and any(p.kind is parameter.kind for p in mine):
                continue
            yield f"{name}({parameter.name}=): missing"
        elif match.kind is not parameter.kind and match.kind is not match.POSITIONAL_OR_KEYWORD:
            yield f"{name}({parameter.name}=): {match.kind.description} instead of {parameter.kind.description}"
        elif not _same_default(parameter.default, match.default):
            yield f"{name}({parameter.name}=): default {_text(match.default)} instead of {_text(parameter.default)}"
    if inspect.iscoroutinefunction(theirs) != inspect.iscoroutinefunction(ours) and not _returns_awaitable(ours):
        yield f"{name}: {'not ' if inspect.iscoroutinefunction(theirs) else ''}async"
    positional = [p.name for p in wanted.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    same = [p.name for p in mine if p.kind is p.POSITIONAL_OR_KEYWORD][: len(positional)]
    if positional != same and set(positional) <= set(same):
        yield f"{name}: parameters in the order {', '.join(same)} instead of {', '.join(positional)}"
    for parameter in mine:
        needed = parameter.default is parameter.empty and parameter.kind not in _NAMELESS
        if needed and parameter.name not in wanted.parameters and not open_ended:
            yield f"{name}({parameter.name}=): an argument that has to be given"


def _returns_awaitable(function: Any) -> bool:
    return "Awaitable" in str(inspect.signature(function).return_annotation) or "Coroutine" in str(
        inspect.signature(function).return_annotation
    )


def _compare_tables(name: str, theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    for key, wanted in theirs.items():
        if key not in ours:
            yield f"{name}.{key}: missing"
        elif not _same_default(wanted, ours[key]):
            yield f"{name}.{key}: {_text(ours[key])} instead of {_text(wanted)}"


def _members(kind: type[enum.Enum]) -> dict[str, Any]:
    return {name: member.value for name, member in kind.__members__.items()}


def _fields(kind: Any) -> dict[str, Any]:
    found = {}
    for field in dataclasses.fields(kind):
        factory = field.default_factory
        found[field.name] = field.default if factory is dataclasses.MISSING else factory()
    return {name: value for name, value in found.items() if not name.startswith("_")}


def _keys(kind: Any) -> dict[str, Any]:
    required = kind.__required_keys__
    return {key: key in required for key in (*required, *kind.__optional_keys__)}


def _bases(kind: type) -> set[str]:
    names = set()
    for base in kind.__mro__[1:]:
        package = base.__module__.split(".")[0]
        if base is not object and not base.__name__.startswith("_") and package not in ("nexusrpc", "google"):
            names.add(base.__name__)
    # Temporal's raw services inherit classes of their own name.
    return names - {"Generic", "Protocol", "ABC", kind.__name__}


def _public_members(kind: type) -> set[str]:
    inherited = {name for base in kind.__mro__ if base.__module__.split(".")[0] not in ROOTS for name in dir(base)}
    compared = (
        _members(kind) if issubclass(kind, enum.Enum) else _fields(kind) if dataclasses.is_dataclass(kind) else {}
    )
    return {name for name in dir(kind) if not name.startswith("_")} - inherited - set(compared)


def _has_constructor(kind: type) -> bool:
    if issubclass(kind, enum.Enum) or hasattr(kind, "__total__") or getattr(kind, "_is_protocol", False):
        return False
    return any("__init__" in vars(base) for base in kind.__mro__ if base.__module__.split(".")[0] in ROOTS)


def _same_default(theirs: Any, ours: Any) -> bool:
    if theirs is ours or theirs == ours:
        return True
    if theirs in ([], (), {}) and ours in ([], (), {}):
        return True
    return _text(theirs) == _text(ours)


def _text(value: Any) -> str:
    """A default as text in which the packages do not show."""
    if value is inspect.Parameter.empty or value is dataclasses.MISSING:
        return "nothing"
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if inspect.isroutine(value) or inspect.isclass(value):
        return value.__name__
    kind = type(value).__name__
    if "Compression" in kind:
        return "a compression"
    if kind in _OPAQUE:
        return kind
    if dataclasses.is_dataclass(value):
        inside = ", ".join(f"{field.name}={_text(getattr(value, field.name))}" for field in dataclasses.fields(value))
        return f"{type(value).__name__.lstrip('_')}({inside})"
    if type(value).__module__.split(".")[0] in ROOTS or type(value) is object:
        return type(value).__name__.lstrip("_")
    return repr(value)
