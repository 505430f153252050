"""``outlast activity start`` and ``execute``."""

from __future__ import annotations

from typing import Any

import click

from outlast.api.common.v1 import Payloads

from ..connection import Session, connected
from ..inputs import payload_options
from ..start_options import titled
from . import starting
from .outcome import poll, show_outcome


@click.command()
@starting.START_OPTIONS
@payload_options()
@connected
async def start(session: Session, *, input: Payloads | None, **options: Any) -> None:
    """Start an activity without a workflow and print its ids."""
    data = await starting.start(session, starting.start_request(session, options, input))
    session.printer.record("Running execution:", titled(data), data)


@click.command()
@starting.START_OPTIONS
@payload_options()
@connected
async def execute(session: Session, *, input: Payloads | None, **options: Any) -> None:
    """Start an activity without a workflow and print its result; exit status 1 if it does not complete."""
    data = await starting.start(session, starting.start_request(session, options, input))
    session.printer.card("Running execution:", titled(data))
    session.printer.line()
    response = await poll(session, data["activityId"], data["runId"])
    show_outcome(session, data["activityId"], response)
