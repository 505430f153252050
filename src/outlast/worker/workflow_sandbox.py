"""The sandbox's names, for programs that configure it.

Rule: the public names are those of ``temporalio.worker.workflow_sandbox``. User modules are imported once and shared
with workflows, so no module is ever imported anew. What the configuration says about names and modules is what the
determinism guard enforces (``_guard``); what nothing could enforce is refused: nothing is silently left out.
"""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from outlast.exceptions import TemporalError
from outlast.workflow import NondeterminismError, SandboxImportNotificationPolicy

from ._runner import DEADLOCK_TIMEOUT, UnsandboxedWorkflowRunner, WorkflowRunner
from ._sandbox_matcher import DEFAULT_MEMBERS, SandboxMatcher


class RestrictedWorkflowAccessError(NondeterminismError):
    """A workflow reached for something that is not deterministic."""

    def __init__(self, qualified_name: str, *, override_message: str | None = None) -> None:
        """``qualified_name`` says what was reached for."""
        super().__init__(override_message or self.default_message(qualified_name))
        self.qualified_name = qualified_name

    @staticmethod
    def default_message(qualified_name: str) -> str:
        """What the error says unless it is given a message."""
        return (
            f"Cannot access {qualified_name} from inside a workflow: its result may differ on replay. Call it in an"
            " activity, or use what outlast.workflow has in its place"
        )


class UnintentionalPassthroughError(TemporalError):
    """A module was shared with the sandbox that nobody asked to be shared. Never raised here: all modules are."""

    def __init__(self, qualified_name: str) -> None:
        """``qualified_name`` is the module."""
        super().__init__(f"Module {qualified_name} was not intentionally passed through to the sandbox.")


@dataclass(frozen=True)
class SandboxRestrictions:
    """What workflow code may not do."""

    passthrough_modules: set[str]
    """Modules to share with workflows instead of importing them anew. All are shared here; the determinism guard does
    not look into those that are added to the default."""
    invalid_modules: SandboxMatcher
    """Modules that may not be imported."""
    invalid_module_members: SandboxMatcher
    """Members of modules that may not be used."""
    import_notification_policy: SandboxImportNotificationPolicy = SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
    """What is said about imports by workflows."""
    passthrough_all_modules: bool = False
    """The determinism guard looks into no module."""
    disable_lazy_sys_module_passthrough: bool = False
    """Concerns the sandbox's own ``sys.modules``, which does not exist here."""

    passthrough_modules_minimum: ClassVar[set[str]]
    passthrough_modules_with_temporal: ClassVar[set[str]]
    passthrough_modules_maximum: ClassVar[set[str]]
    passthrough_modules_default: ClassVar[set[str]]
    invalid_module_members_default: ClassVar[SandboxMatcher]
    default: ClassVar[SandboxRestrictions]

    def with_passthrough_modules(self, *modules: str) -> SandboxRestrictions:
        """These restrictions with more shared modules."""
        return dataclasses.replace(self, passthrough_modules=self.passthrough_modules | set(modules))

    def with_passthrough_all_modules(self) -> SandboxRestrictions:
        """These restrictions with all modules shared."""
        return dataclasses.replace(self, passthrough_all_modules=True)

    def with_import_notification_policy(self, policy: SandboxImportNotificationPolicy) -> SandboxRestrictions:
        """These restrictions with another policy."""
        return dataclasses.replace(self, import_notification_policy=policy)


SandboxRestrictions.passthrough_modules_minimum = {"google.protobuf", "grpc", "outlast.api", "typing_extensions"}
SandboxRestrictions.passthrough_modules_with_temporal = SandboxRestrictions.passthrough_modules_minimum | {
    "annotated_types",
    "outlast",
    "pydantic",
    "pydantic_core",
}
SandboxRestrictions.passthrough_modules_maximum = (
    SandboxRestrictions.passthrough_modules_with_temporal | sys.stdlib_module_names
)
SandboxRestrictions.passthrough_modules_default = SandboxRestrictions.passthrough_modules_maximum
SandboxRestrictions.invalid_module_members_default = DEFAULT_MEMBERS
SandboxRestrictions.default = SandboxRestrictions(
    passthrough_modules=SandboxRestrictions.passthrough_modules_default,
    invalid_modules=SandboxMatcher.none,
    invalid_module_members=DEFAULT_MEMBERS,
)

_UNINTENTIONAL = (
    SandboxImportNotificationPolicy.WARN_ON_UNINTENTIONAL_PASSTHROUGH
    | SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
)


@dataclass(frozen=True)
class SandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflow code as it was imported, watched by the determinism guard."""

    restrictions: SandboxRestrictions = SandboxRestrictions.default
    runner_class: type[WorkflowRunner] = UnsandboxedWorkflowRunner
    deadlock_timeout: timedelta = DEADLOCK_TIMEOUT


def refusal(runner: WorkflowRunner) -> str | None:
    """Why a worker cannot honour this runner; None when it can."""
    if type(runner) is UnsandboxedWorkflowRunner:
        return None
    if type(runner) is not SandboxedWorkflowRunner:
        return f"{type(runner).__name__}, a runner of one's own"
    if runner.runner_class is not UnsandboxedWorkflowRunner:
        return f"SandboxedWorkflowRunner(runner_class={runner.runner_class.__name__})"
    restrictions = runner.restrictions
    if restrictions.import_notification_policy & _UNINTENTIONAL:
        return (
            f"SandboxRestrictions(import_notification_policy={restrictions.import_notification_policy!r}): every module"
            " is shared with workflows"
        )
    return None


__all__ = [
    "RestrictedWorkflowAccessError",
    "SandboxMatcher",
    "SandboxRestrictions",
    "SandboxedWorkflowRunner",
    "UnintentionalPassthroughError",
]
