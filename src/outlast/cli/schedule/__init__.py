"""``outlast schedule``: workflows that start at set times."""

from __future__ import annotations

import click

from ..lazy import LazyGroup

_HERE = "outlast.cli.schedule"
_COMMANDS = {
    "create": f"{_HERE}.definition:create",
    "update": f"{_HERE}.definition:update",
    "describe": f"{_HERE}.describe:describe",
    "list": f"{_HERE}.listing:list_all",
    "toggle": f"{_HERE}.patch:toggle",
    "trigger": f"{_HERE}.patch:trigger",
    "backfill": f"{_HERE}.patch:backfill",
    "list-matching-times": f"{_HERE}.listing:list_matching_times",
    "delete": f"{_HERE}.definition:delete",
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def schedule() -> None:
    """Workflows that start at set times: by calendars, cron strings or intervals."""
