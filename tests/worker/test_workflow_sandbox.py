"""The sandbox's configuration: Temporal's values, and nothing of it silently left out."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import temporalio.worker.workflow_sandbox as theirs

from outlast import workflow
from outlast.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner
from outlast.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxMatcher, SandboxRestrictions

DEFAULT = SandboxRestrictions.default
MEMBERS = SandboxRestrictions.invalid_module_members_default


@workflow.defn
class Hello:
    @workflow.run
    async def run(self) -> None: ...


class At:
    def __init__(self, is_runtime: bool) -> None:
        self.is_runtime = is_runtime


def plain(matcher: Any) -> dict[str, Any]:
    values = {field.name: getattr(matcher, field.name) for field in dataclasses.fields(matcher)}
    return {**values, "children": {name: plain(child) for name, child in matcher.children.items()}}


def test_default_members_are_temporals() -> None:
    assert plain(MEMBERS) == plain(theirs.SandboxRestrictions.invalid_module_members_default)


@pytest.mark.parametrize("runtime", [True, False])
@pytest.mark.parametrize("include_use", [True, False])
@pytest.mark.parametrize(
    "path", ["datetime.datetime.now", "os.name", "os.path.join", "os.stat", "os.getcwd", "random.Random", "time.time",
             "asyncio.wait.__call__", "json.loads", "__builtins__.open"],
)  # fmt: skip
def test_matches_as_temporals(path: str, include_use: bool, runtime: bool) -> None:
    names, at = path.split("."), At(runtime)
    other: Any = theirs.SandboxRestrictions.invalid_module_members_default
    assert MEMBERS.match_access(at, *names, include_use=include_use) == other.match_access(
        at, *names, include_use=include_use
    )
    mine, others = MEMBERS.child_matcher(*names), other.child_matcher(*names)
    assert (mine and plain(mine)) == (others and plain(others))


def test_unions_and_exemptions_as_temporals() -> None:
    def build(matcher: Any) -> Any:
        one = matcher(access={"a"}, children={"m": matcher(use={"x", "y"})})
        two = matcher(use={"b"}, children={"m": matcher(use={"z"}), "n": matcher.all})
        both = one | two
        return both.with_child_unrestricted("m", "y").with_child_unrestricted("b").with_child_unrestricted("q", "r")

    assert plain(build(SandboxMatcher)) == plain(build(theirs.SandboxMatcher))
    with pytest.raises(ValueError, match="Cannot combine only-runtime"):
        SandboxMatcher.all | SandboxMatcher.all_runtime
    with pytest.raises(ValueError, match="leaf_message without match_self"):
        SandboxMatcher(leaf_message="no")


class MyRunner(WorkflowRunner):
    pass


@pytest.mark.parametrize(
    "runner",
    [
        UnsandboxedWorkflowRunner(),
        SandboxedWorkflowRunner(),
        SandboxedWorkflowRunner(DEFAULT.with_passthrough_modules("numpy").with_passthrough_all_modules()),
        SandboxedWorkflowRunner(
            dataclasses.replace(DEFAULT, invalid_module_members=MEMBERS.with_child_unrestricted("datetime", "date"))
        ),
        SandboxedWorkflowRunner(dataclasses.replace(DEFAULT, invalid_module_members=SandboxMatcher.none)),
    ],
)
def test_defaults_and_leniency_are_accepted(runner: WorkflowRunner) -> None:
    Replayer(workflows=[Hello], workflow_runner=runner)


@pytest.mark.parametrize(
    ("runner", "what"),
    [
        (MyRunner(), "MyRunner"),
        (SandboxedWorkflowRunner(runner_class=MyRunner), "runner_class=MyRunner"),
        (
            SandboxedWorkflowRunner(
                DEFAULT.with_import_notification_policy(
                    workflow.SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
                )
            ),
            "import_notification_policy",
        ),
    ],
)
def test_what_cannot_be_enforced_is_refused(runner: WorkflowRunner, what: str) -> None:
    with pytest.raises(NotImplementedError, match=f"workflow_runner.*{what}"):
        Replayer(workflows=[Hello], workflow_runner=runner)
