"""``outlast schedule toggle``, ``trigger`` and ``backfill``."""

from __future__ import annotations

import click

from outlast.api.protobuf import Timestamp
from outlast.api.schedule.v1 import BackfillRequest, SchedulePatch, TriggerImmediatelyRequest
from outlast.api.workflowservice.v1 import PatchScheduleRequest

from ..connection import Session, connected
from ..reference import fresh_id
from .options import INSTANT, OVERLAP, SCHEDULE_ID, policy


async def _patch(session: Session, schedule_id: str, patch: SchedulePatch, said: str) -> None:
    request = PatchScheduleRequest(
        namespace=session.namespace,
        schedule_id=schedule_id,
        patch=patch,
        identity=session.identity,
        request_id=fresh_id(),
    )
    await session.service.patch_schedule(request, retry=True)
    session.printer.line(said)
    session.printer.data({"scheduleId": schedule_id})


@click.command()
@SCHEDULE_ID
@click.option("--pause", is_flag=True, help="Take no more actions.")
@click.option("--unpause", is_flag=True, help="Take actions again.")
@click.option("--reason", default="(no reason provided)", show_default=True, help="Why.")
@connected
async def toggle(session: Session, *, schedule_id: str, pause: bool, unpause: bool, reason: str) -> None:
    """Pause a schedule, or let it go on."""
    if pause == unpause:
        raise click.UsageError("give one of --pause and --unpause")
    patch = SchedulePatch(pause=reason) if pause else SchedulePatch(unpause=reason)
    await _patch(session, schedule_id, patch, "Schedule paused" if pause else "Schedule unpaused")


@click.command()
@SCHEDULE_ID
@OVERLAP
@connected
async def trigger(session: Session, *, schedule_id: str, overlap_policy: str) -> None:
    """Take one action now."""
    asked = TriggerImmediatelyRequest(overlap_policy=policy(overlap_policy))
    await _patch(session, schedule_id, SchedulePatch(trigger_immediately=asked), "Trigger request sent")


@click.command()
@SCHEDULE_ID
@OVERLAP
@click.option("--start-time", type=INSTANT, required=True, help="Beginning of the stretch; belongs to it.")
@click.option("--end-time", type=INSTANT, required=True, help="End of the stretch; belongs to it.")
@connected
async def backfill(
    session: Session, *, schedule_id: str, overlap_policy: str, start_time: Timestamp, end_time: Timestamp
) -> None:
    """Take the actions of a stretch of time now."""
    asked = BackfillRequest(start_time=start_time, end_time=end_time, overlap_policy=policy(overlap_policy))
    await _patch(session, schedule_id, SchedulePatch(backfill_request=[asked]), "Backfill request sent")
