"""``outlast activity``: start activities without a workflow, end activities from outside, change how they are tried."""

from __future__ import annotations

import click

from ..lazy import LazyGroup

_HERE = "outlast.cli.activity"
_COMMANDS = {
    "start": f"{_HERE}.start:start",
    "execute": f"{_HERE}.start:execute",
    "list": f"{_HERE}.visibility:list_all",
    "count": f"{_HERE}.visibility:count",
    "describe": f"{_HERE}.describe:describe",
    "result": f"{_HERE}.outcome:result",
    "cancel": f"{_HERE}.close:cancel",
    "terminate": f"{_HERE}.close:terminate",
    "delete": f"{_HERE}.close:delete",
    "complete": f"{_HERE}.by_hand:complete",
    "fail": f"{_HERE}.by_hand:fail",
    "pause": f"{_HERE}.rest:pause",
    "unpause": f"{_HERE}.rest:unpause",
    "reset": f"{_HERE}.rest:reset",
    "update-options": f"{_HERE}.options:update_options",
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def activity() -> None:
    """Start activities without a workflow, end them from outside, change how they are tried."""
