"""What a worker can run: definitions by name, the dynamic one under None.

Rule: everything that is wrong with what the user registers is an error of the constructor, and names the culprit.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from outlast.activity._definition import Definition as ActivityDefinition
from outlast.workflow._definition import Definition as WorkflowDefinition


def activity_definitions(activities: Sequence[Callable[..., Any]]) -> Mapping[str | None, ActivityDefinition]:
    """Definitions of the activities by type.

    Raises:
        ValueError: two have one name.
        TypeError: one was not decorated, is a class, has broken type hints, or is a second dynamic one.
    """
    found: dict[str | None, ActivityDefinition] = {}
    for activity in activities:
        definition = ActivityDefinition.must_from_callable(activity)
        name = definition.name
        if inspect.isclass(activity):
            raise TypeError(
                f"Activity named {name} is a class instead of an instance; register {activity.__name__}(...)"
            )
        if name in found:
            if name is None:
                raise TypeError("More than one dynamic activity; a worker takes one")
            raise ValueError(
                f"More than one activity named {name}: {_place(found[name].fn)} and {_place(activity)}; "
                "give one of them another name with @activity.defn(name=...)"
            )
        _warn_about_self(name, activity)
        definition.hints  # noqa: B018  read now, so that hints which cannot be read fail the start and not a task
        found[name] = definition
    return found


def workflow_definitions(workflows: Sequence[type]) -> Mapping[str | None, WorkflowDefinition]:
    """Definitions of the workflow classes by type.

    Raises:
        ValueError: two have one name, or one was not decorated.
        TypeError: a second dynamic one.
    """
    found: dict[str | None, WorkflowDefinition] = {}
    for workflow in workflows:
        definition = WorkflowDefinition.must_from_class(workflow)
        name = definition.name
        if name in found:
            if name is None:
                raise TypeError("More than one dynamic workflow; a worker takes one")
            raise ValueError(
                f"More than one workflow named {name}: {_place(found[name].cls)} and {_place(workflow)}; "
                "give one of them another name with @workflow.defn(name=...)"
            )
        definition.hints  # noqa: B018  as for activities
        found[name] = definition
    return found


def names(definitions: Mapping[str | None, Any]) -> str:
    """The registered names, for messages."""
    return ", ".join(sorted(name for name in definitions if name)) or "none"


def _place(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '?')}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"


def _warn_about_self(name: str | None, activity: Callable[..., Any]) -> None:
    if inspect.isfunction(activity) and next(iter(inspect.signature(activity).parameters), None) == "self":
        warnings.warn(
            f"Activity named {name} has a first parameter named self but is not bound to an instance, "
            "did you mean to register it from an instance of the class?",
            stacklevel=4,
        )
