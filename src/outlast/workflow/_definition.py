"""Workflow classes: ``@defn``, ``@init``, ``@run``, ``@dynamic_config`` and the ``Definition`` that they make.

Rule: everything about a class that can be wrong is found when it is decorated, and all of it is reported at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast, overload

from outlast.common import RawValue, VersioningBehavior, _type_hints_from_func
from outlast.types import CallableAsyncType, CallableType, ClassType, MethodSyncNoParam, SelfType

from ._handlers import HandlerDefinition, definition_of

_KINDS = ("signal", "query", "update")


@dataclass(frozen=True)
class DynamicWorkflowConfig:
    """What a ``@dynamic_config`` method returns: settings that replace those given to ``@defn``, where set."""

    failure_exception_types: Sequence[type[BaseException]] | None = None
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED


@dataclass(frozen=True)
class Definition:
    """A workflow class as the worker needs it. ``name`` is None when the workflow is dynamic.

    The mappings are by handler name; the key None holds the dynamic handler.
    """

    name: str | None
    cls: type
    run_fn: Callable[..., Awaitable[Any]]
    signals: Mapping[str | None, HandlerDefinition]
    queries: Mapping[str | None, HandlerDefinition]
    updates: Mapping[str | None, HandlerDefinition]
    sandboxed: bool
    failure_exception_types: Sequence[type[BaseException]]
    versioning_behavior: VersioningBehavior
    init_takes_args: bool
    dynamic_config_fn: Callable[..., DynamicWorkflowConfig] | None

    @cached_property
    def hints(self) -> tuple[list[type] | None, type | None]:
        return _type_hints_from_func(self.run_fn)

    @property
    def arg_types(self) -> list[type] | None:
        return self.hints[0]

    @property
    def ret_type(self) -> type | None:
        return self.hints[1]

    @staticmethod
    def from_class(cls: type) -> Definition | None:
        """The definition of exactly this class; one inherited from a base class does not count."""
        found = getattr(cls, "__temporal_workflow_definition", None)
        return found if isinstance(found, Definition) and found.cls is cls else None

    @staticmethod
    def must_from_class(cls: type) -> Definition:
        """As ``from_class``.

        Raises:
            ValueError: the class was not decorated.
        """
        found = Definition.from_class(cls)
        if found is None:
            if Definition.from_class(type(cls)) is not None:
                name = type(cls).__name__
                raise ValueError(f"Workflow {name} is given as an instance; pass the class, {name}")
            name = getattr(cls, "__name__", "<unknown>")
            raise ValueError(f"Workflow {name} missing attributes, was it decorated with @workflow.defn?")
        return found

    @staticmethod
    def must_from_run_fn(fn: Callable[..., Any]) -> Definition:
        """The definition whose run method this is.

        Raises:
            ValueError: the method or its class was not decorated.
        """
        found = getattr(fn, "__temporal_workflow_definition", None)
        if not isinstance(found, Definition):
            name = getattr(fn, "__qualname__", "<unknown>")
            raise ValueError(
                f"Function {name} missing attributes, was it decorated with @workflow.run "
                "and was its class decorated with @workflow.defn?"
            )
        return found

    @staticmethod
    def name_and_result_type(workflow: str | Callable[..., Any]) -> tuple[str, type | None]:
        """Workflow type and result type of a workflow given by name or by run method.

        Raises:
            ValueError: not a workflow's run method, or that of a dynamic workflow.
            TypeError: neither a string nor callable.
        """
        if isinstance(workflow, str):
            return workflow, None
        if not callable(workflow):
            raise TypeError("Workflow must be a string or callable")
        found = Definition.must_from_run_fn(workflow)
        if not found.name:
            raise ValueError("Cannot invoke dynamic workflow explicitly")
        return found.name, found.ret_type


@dataclass
class _Draft:
    """What the walk over a class has found so far."""

    cls: type
    dynamic: bool
    run_fn: Callable[..., Awaitable[Any]] | None = None
    run_seen: bool = False
    init_fn: Callable[..., None] | None = None
    dynamic_config_fn: Callable[..., DynamicWorkflowConfig] | None = None
    handlers: dict[str, dict[str | None, HandlerDefinition]] = field(
        default_factory=lambda: {kind: {} for kind in _KINDS}
    )
    issues: list[str] = field(default_factory=list)

    def collect(self) -> None:
        for name, member in inspect.getmembers(self.cls):
            if hasattr(member, "__temporal_workflow_run"):
                self._add_run(name, member)
            elif name == "__init__" and hasattr(member, "__temporal_workflow_init"):
                self.init_fn = member
            elif hasattr(member, "__temporal_workflow_dynamic_config"):
                self._add_dynamic_config(member)
            else:
                for kind in _KINDS:
                    if found := definition_of(member, kind):
                        self._add_handler(kind, name, found)

    def _add_run(self, name: str, member: Any) -> None:
        self.run_seen = True
        if self.cls.__dict__.get(name) is not member:
            self.issues.append(
                f"@workflow.run method {name} must be defined on {self.cls.__qualname__}: override it there"
            )
        elif self.run_fn is not None:
            self.issues.append(
                f"Multiple @workflow.run methods found (at least on {name} and {self.run_fn.__name__}): keep one"
            )
        else:
            self.run_fn = member

    def _add_dynamic_config(self, member: Any) -> None:
        if not self.dynamic:
            self.issues.append(
                "@workflow.dynamic_config can only be used in dynamic workflows, "
                f"but workflow class {self.cls.__name__} is not dynamic"
            )
        if self.dynamic_config_fn:
            self.issues.append("@workflow.dynamic_config can only be defined once per workflow")
        self.dynamic_config_fn = member

    def _add_handler(self, kind: str, name: str, found: HandlerDefinition) -> None:
        other = self.handlers[kind].get(found.name)
        if other is not None:
            self.issues.append(
                f"Multiple {kind} methods found for {found.name or '<dynamic>'} "
                f"(at least on {name} and {other.fn.__name__}): give one of them another name"
            )
        elif found.validator and not _same_parameters(found.fn, found.validator):
            self.issues.append(
                f"Update validator method {found.validator.__name__} parameters "
                f"do not match update method {found.fn.__name__} parameters"
            )
        else:
            self.handlers[kind][found.name] = found

    def check_bases(self) -> None:
        """A method that overrides a decorated one must carry the decorator too, or it would silently be lost."""
        for _, member in _methods_of_bases(self.cls):
            if hasattr(member, "__temporal_workflow_run"):
                self.run_seen = True
                if not self.run_fn or member.__name__ != self.run_fn.__name__:
                    self.issues.append(
                        f"@workflow.run defined on {member.__qualname__} but not on the override: decorate it, too"
                    )
            for kind in _KINDS:
                found = definition_of(member, kind)
                if found and found.name not in self.handlers[kind]:
                    self.issues.append(
                        f"@workflow.{kind} defined on {member.__qualname__} but not on the override: decorate it, too"
                    )

    def check_whole(self) -> None:
        if not self.run_seen:
            self.issues.append("Missing @workflow.run method: decorate the async method that is the workflow")
        if self.run_fn:
            if self.init_fn and not _same_parameters(self.init_fn, self.run_fn):
                self.issues.append(
                    "@workflow.init and @workflow.run method parameters do not match: give both the same"
                )
            if self.dynamic and _type_hints_from_func(self.run_fn)[0] != [Sequence[RawValue]]:
                raise TypeError(
                    "Dynamic workflow must accept a single Sequence[outlast.common.RawValue], "
                    f"but {self.run_fn.__qualname__} does not"
                )
        if len(self.issues) == 1:
            raise ValueError(f"Invalid workflow class {self.cls.__qualname__}: {self.issues[0]}")
        if self.issues:
            reasons = "; ".join(self.issues)
            raise ValueError(
                f"Invalid workflow class {self.cls.__qualname__} for {len(self.issues)} reasons: {reasons}"
            )


def _methods_of_bases(cls: type) -> Iterator[tuple[type, Any]]:
    for base in cls.__mro__[1:]:
        for member in base.__dict__.values():
            if inspect.isfunction(member):
                yield base, member


def _same_parameters(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    def parameters(fn: Callable[..., Any]) -> list[inspect.Parameter]:
        return [parameter.replace(name="x") for parameter in inspect.signature(fn).parameters.values()]

    return parameters(one) == parameters(other)


@overload
def defn(cls: ClassType) -> ClassType: ...
@overload
def defn(
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = [],
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Callable[[ClassType], ClassType]: ...
def defn(
    cls: Any = None,
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = [],
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Any:
    """Make a class a workflow.

    Args:
        name: the workflow type; the class name by default.
        sandboxed: whether the determinism guard watches this workflow.
        dynamic: run every workflow type that has no class of its own; the run method takes ``Sequence[RawValue]``.
        failure_exception_types: exceptions that fail the workflow (or update) instead of the workflow task.
        versioning_behavior: how runs move between worker versions.

    Raises:
        ValueError: the class is not a workflow; the message lists all reasons.
        TypeError: a dynamic workflow whose run method has other parameters.
    """

    def decorate(cls: type) -> type:
        if Definition.from_class(cls):
            raise ValueError(f"Class already contains workflow definition: decorate {cls.__qualname__} once")
        draft = _Draft(cls, dynamic)
        draft.collect()
        draft.check_bases()
        draft.check_whole()
        run_fn = cast(Callable[..., Awaitable[Any]], draft.run_fn)
        definition = Definition(
            name=None if dynamic else name or cls.__name__,
            cls=cls,
            run_fn=run_fn,
            signals=draft.handlers["signal"],
            queries=draft.handlers["query"],
            updates=draft.handlers["update"],
            sandboxed=sandboxed,
            failure_exception_types=failure_exception_types,
            versioning_behavior=versioning_behavior,
            init_takes_args=draft.init_fn is not None,
            dynamic_config_fn=draft.dynamic_config_fn,
        )
        # setattr: two leading underscores in an attribute expression would be mangled inside a class.
        setattr(cls, "__temporal_workflow_definition", definition)
        setattr(run_fn, "__temporal_workflow_definition", definition)
        return cls

    return decorate if cls is None else decorate(cls)


def init(init_fn: CallableType) -> CallableType:
    """Give ``__init__`` the arguments of the run method; their parameters must be alike.

    Raises:
        ValueError: on any other method.
    """
    if init_fn.__name__ != "__init__":
        raise ValueError(f"@workflow.init may only be used on the __init__ method, not on {init_fn.__qualname__}")
    setattr(init_fn, "__temporal_workflow_init", True)
    return init_fn


def _name(fn: Any) -> str:
    return getattr(fn, "__name__", None) or repr(fn)


def run(fn: CallableAsyncType) -> CallableAsyncType:
    """Make an async method of the workflow class its main method. Its parameters must be positional.

    Raises:
        ValueError: the method is not async.
    """
    if not inspect.iscoroutinefunction(fn):
        raise ValueError(f"Workflow run method must be an async function: write `async def {_name(fn)}`")
    setattr(fn, "__temporal_workflow_run", True)
    return fn  # type: ignore[return-value]


def dynamic_config(
    fn: MethodSyncNoParam[SelfType, DynamicWorkflowConfig],
) -> MethodSyncNoParam[SelfType, DynamicWorkflowConfig]:
    """Make a method of a dynamic workflow decide its settings, after ``__init__`` and before the run method.

    Raises:
        ValueError: the method is async or takes more than ``self``.
    """
    if inspect.iscoroutinefunction(fn):
        raise ValueError(f"Workflow dynamic_config method must be synchronous: write `def {fn.__name__}`")
    if len(inspect.signature(fn).parameters) != 1:
        raise ValueError("Workflow dynamic_config method must only take self parameter")
    setattr(fn, "__temporal_workflow_dynamic_config", True)
    return fn
