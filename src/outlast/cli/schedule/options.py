"""Options that several commands about schedules share."""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.enums import v1 as _e
from outlast.api.protobuf import Timestamp

from .. import values
from ..options import Option

_POLICIES: Final = ("Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll")

SCHEDULE_ID: Final[Option] = click.option("--schedule-id", "-s", required=True, help="Id of the schedule.")
OVERLAP: Final[Option] = click.option(
    "--overlap-policy",
    type=click.Choice(_POLICIES, case_sensitive=False),
    default="Skip",
    show_default=True,
    help="What is done when a workflow of the schedule is still running.",
)


class _Instant(click.ParamType[Timestamp]):
    """An RFC 3339 time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Timestamp:
        if isinstance(value, Timestamp):
            return value
        message = Timestamp()
        try:
            message.FromJsonString(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write 2026-01-31T12:00:00Z", param, ctx)
        return message


INSTANT: Final = _Instant()


def policy(name: str) -> int:
    """The number of an overlap policy."""
    return values.enum_number(_e.ScheduleOverlapPolicy, name)
