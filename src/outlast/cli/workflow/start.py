"""``outlast workflow start`` and ``execute``."""

from __future__ import annotations

from typing import Any

import click

from outlast.api.common.v1 import Payloads

from ..connection import Session, connected
from ..inputs import payload_options
from ..start_options import titled
from . import starting
from .following import follow_progress
from .outcome import show_outcome


@click.command()
@starting.START_OPTIONS
@payload_options()
@connected
async def start(session: Session, *, input: Payloads | None, fail_existing: bool, **options: Any) -> None:
    """Start a workflow and print its ids."""
    request = starting.start_request(session, options, input)
    run_id = await starting.start(session, request, fail_existing=fail_existing)
    data = starting.started(session, request, run_id)
    session.printer.record("Running execution:", titled(data), data)


@click.command()
@starting.START_OPTIONS
@payload_options()
@click.option("--detailed", is_flag=True, help="Show the events with all their fields.")
@connected
async def execute(
    session: Session, *, input: Payloads | None, fail_existing: bool, detailed: bool, **options: Any
) -> None:
    """Start a workflow, follow it to its end, and print its result; exit status 1 if it does not complete."""
    request = starting.start_request(session, options, input)
    run_id = await starting.start(session, request, fail_existing=fail_existing)
    data = starting.started(session, request, run_id)
    session.printer.card("Running execution:", titled(data))
    session.printer.line()
    history = await follow_progress(session, request.workflow_id, run_id, detailed=detailed, continues=True)
    show_outcome(session, history, dict(data), detailed=detailed)
