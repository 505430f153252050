"""``outlast workflow``: start workflows, talk to them, look at them, end them."""

from __future__ import annotations

import click

from ..lazy import LazyGroup

_HERE = "outlast.cli.workflow"
_COMMANDS = {
    "start": f"{_HERE}.start:start",
    "execute": f"{_HERE}.start:execute",
    "signal": f"{_HERE}.signal:signal",
    "signal-with-start": f"{_HERE}.signal:signal_with_start",
    "query": f"{_HERE}.query:query",
    "update": f"{_HERE}.update:update",
    "start-update-with-start": f"{_HERE}.update_with_start:start_update_with_start",
    "execute-update-with-start": f"{_HERE}.update_with_start:execute_update_with_start",
    "describe": f"{_HERE}.describe:describe",
    "list": f"{_HERE}.visibility:list_all",
    "count": f"{_HERE}.visibility:count",
    "show": f"{_HERE}.history:show",
    "trace": f"{_HERE}.trace:trace",
    "result": f"{_HERE}.history:result",
    "stack": f"{_HERE}.query:stack",
    "metadata": f"{_HERE}.query:metadata",
    "cancel": f"{_HERE}.close:cancel",
    "terminate": f"{_HERE}.close:terminate",
    "delete": f"{_HERE}.close:delete",
    "reset": f"{_HERE}.reset:reset",
    "pause": f"{_HERE}.options:pause",
    "unpause": f"{_HERE}.options:unpause",
    "update-options": f"{_HERE}.options:update_options",
    "fix-history-json": f"{_HERE}.history_json:fix_history_json",
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def workflow() -> None:
    """Start workflows, talk to them, look at them, end them."""
