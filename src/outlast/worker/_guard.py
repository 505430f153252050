"""The determinism guard of a worker: refuses workflow classes whose code is not deterministic, and calls at run time.

Rule: user modules are imported once and never again. What their source shows is refused when the worker is made; what
it does not show is refused when Python's audit events tell of it while workflow code runs.

    made --the source of all workflows is clean--> armed --a forbidden call--> RestrictedWorkflowAccessError in the code
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from weakref import WeakSet

from outlast.workflow._definition import Definition

from . import _audit
from ._reachable_code import Violation, violations
from ._restricted_names import Restrictions, Rule
from ._runner import WorkflowRunner
from ._user_code import UserCode
from .workflow_sandbox import RestrictedWorkflowAccessError, SandboxedWorkflowRunner, SandboxRestrictions

_ESCAPE = (
    "If it does no harm, put it under `with workflow.unsafe.sandbox_unrestricted():`, or switch the guard off for the"
    " class with @workflow.defn(sandboxed=False)."
)

_clean: WeakSet[type] = WeakSet()
"""Workflow classes that pass the default restrictions."""


class Guard:
    """Watches the workflows of one worker that share a runner."""

    __slots__ = ("_is_default", "_restrictions", "_users")

    def __init__(self, restrictions: SandboxRestrictions, users: UserCode, *, debug: bool) -> None:
        self._restrictions = Restrictions(restrictions, debug=debug)
        self._users = users
        self._is_default = restrictions is SandboxRestrictions.default and not debug

    def require_clean(self, definition: Definition) -> None:
        """Look through the code of a workflow class.

        Raises:
            RestrictedWorkflowAccessError: it calls what it must not; the message lists all such calls.
        """
        if self._is_default and definition.cls in _clean:
            return
        found = violations(definition, self._restrictions, self._users)
        if found:
            raise RestrictedWorkflowAccessError(found[0].name, override_message=_message(definition, found))
        if self._is_default:
            _clean.add(definition.cls)

    def is_users(self, module: str | None) -> bool:
        """Whether code of this module is the user's, and not passed through."""
        return self._users.has(module) and not self._restrictions.passes_through(module or "")

    def violated(self, name: str) -> Rule | None:
        """The rule against calling ``name`` while workflow code runs."""
        return self._restrictions.violated(name.split("."), called=True)

    def refuses_module(self, module: str) -> bool:
        """Whether workflow code may not import this module."""
        return self._restrictions.refuses_module(module)


def guards_of(
    definitions: Iterable[Definition], sandboxed: WorkflowRunner, unsandboxed: WorkflowRunner, *, debug: bool = False
) -> Mapping[str | None, Guard]:
    """The guards of those workflows that have one, by workflow type; all their code has been looked through.

    Args:
        sandboxed: runs the workflows; ``unsandboxed`` those that are defined with ``sandboxed=False``.
        debug: the worker lets code wait for a debugger.

    Raises:
        RestrictedWorkflowAccessError: the code of a workflow is not deterministic.
    """
    definitions = list(definitions)
    users = UserCode(definition.cls for definition in definitions)
    debug = debug or bool(os.environ.get("TEMPORAL_DEBUG"))
    guards: dict[str | None, Guard] = {}
    for definition in definitions:
        runner = sandboxed if definition.sandboxed else unsandboxed
        if isinstance(runner, SandboxedWorkflowRunner):
            guard = guards[definition.name] = Guard(runner.restrictions, users, debug=debug)
            guard.require_clean(definition)
    if guards:
        _audit.install()
    return guards


def _message(definition: Definition, found: list[Violation]) -> str:
    lines = [f"Workflow {definition.name or definition.cls.__name__} does what a workflow must not do:"]
    return "\n".join([*lines, *(f"  {violation}" for violation in found), _ESCAPE])
