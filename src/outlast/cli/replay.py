"""``outlast replay``: does today's code still do what recorded, or live, histories say?"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import click

from outlast.client import Client, WorkflowHistory
from outlast.testing import histories_in
from outlast.worker import Replayer
from outlast.workflow._definition import Definition


def _workflows(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> list[type]:
    # As `python -m` does: the user's modules lie where the command is given.
    sys.path.insert(0, str(Path.cwd()))
    return [_workflow(value) for value in values]


def _workflow(value: str) -> type:
    module_name, _, class_name = value.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except ValueError as error:
        raise click.BadParameter(f"{value!r}: write module:Class") from error
    except ImportError as error:
        raise click.BadParameter(f"{value!r}: module {module_name!r} cannot be imported: {error}") from error
    except AttributeError as error:
        raise click.BadParameter(f"{value!r}: module {module_name!r} has no {class_name!r}") from error
    if not isinstance(found, type) or Definition.from_class(found) is None:
        raise click.BadParameter(f"{value!r} is no workflow; it needs @workflow.defn")
    return found


@click.command()
@click.option("--workflows", multiple=True, required=True, callback=_workflows, help="module:Class; repeatable.")
@click.option("--histories", type=click.Path(path_type=Path), help="Folder with *.json histories.")
@click.option("--from", "address", help="Server or sqlite:/// database to take live histories from.")
@click.option("--namespace", "-n", default="default", show_default=True)
@click.option("--query", "-q", default="", help="List filter: which workflows of --from.")
@click.option("--last", default=100, show_default=True, type=click.IntRange(1), help="So many of --from, latest first.")
def replay(
    workflows: list[type], histories: Path | None, address: str | None, namespace: str, query: str, last: int
) -> None:
    """Replay histories against today's code; exit status 1 if one diverges."""
    if (histories is None) == (address is None):
        raise click.UsageError("say where the histories come from: --histories DIR, or --from ADDRESS")
    try:
        source = _live(address, namespace, query, last, workflows) if address else _recorded(histories or Path())
        diverged = asyncio.run(_replay(workflows, source))
    except (OSError, RuntimeError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    if diverged:
        raise SystemExit(1)


async def _recorded(folder: Path) -> AsyncIterator[WorkflowHistory]:
    for history in histories_in(folder):
        yield history


async def _live(
    address: str, namespace: str, query: str, last: int, workflows: list[type]
) -> AsyncIterator[WorkflowHistory]:
    names = {Definition.must_from_class(one).name for one in workflows}
    async with await Client.connect(address, namespace=namespace) as client:
        skipped = 0
        async for execution in client.list_workflows(query or None, limit=last):
            if execution.workflow_type not in names and None not in names:
                skipped += 1
                continue
            yield await client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
        if skipped:
            click.echo(f"{skipped} workflows are of other types and were not replayed")


async def _replay(workflows: list[type], histories: AsyncIterator[WorkflowHistory]) -> int:
    total = diverged = 0
    async with Replayer(workflows=workflows).workflow_replay_iterator(histories) as results:
        async for result in results:
            history, total = result.history, total + 1
            name = f"{history.workflow_id} ({len(history.events)} events)"
            if result.replay_failure is None:
                click.echo(f"same      {name}")
                continue
            diverged += 1
            click.echo(f"DIVERGES  {name}")
            click.echo("\n".join(f"    {line}" for line in str(result.replay_failure).splitlines()))
    click.echo(f"{total} replayed, {diverged} diverged")
    return diverged
