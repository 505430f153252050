"""``outlast demo``: an order whose application is killed after the charge, and which finishes nevertheless."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.console import Console


@click.command()
def demo() -> None:
    """Kill an application in the middle of an order, and watch the order finish."""
    from outlast.demo import story  # the SDK: the other commands start faster and smaller without it

    console = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="outlast-demo-") as folder:
        try:
            story.tell(console, Path(folder))
        except story.DemoFailed as failed:
            raise click.ClickException(str(failed)) from failed
