"""When a schedule acts, as users write it.

Source: temporal.api.schedule.v1.ScheduleSpec, StructuredCalendarSpec, IntervalSpec, Range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import outlast.api.schedule.v1 as schedule_api

from ._read_fields import duration, instant


@dataclass(frozen=True)
class ScheduleRange:
    """Numbers that match."""

    start: int
    """The first one."""

    end: int = 0
    """The last one; ``start`` if it is less."""

    step: int = 0
    """From one to the next; 0 is 1."""

    def __post_init__(self) -> None:
        if self.end < self.start:
            object.__setattr__(self, "end", self.start)
        if self.step == 0:
            object.__setattr__(self, "step", 1)

    @staticmethod
    def _from_protos(ranges: Sequence[schedule_api.Range]) -> Sequence[ScheduleRange]:
        return tuple(ScheduleRange(start=each.start, end=each.end, step=each.step) for each in ranges)

    @staticmethod
    def _to_protos(ranges: Sequence[ScheduleRange]) -> Sequence[schedule_api.Range]:
        return tuple(schedule_api.Range(start=each.start, end=each.end, step=each.step) for each in ranges)


@dataclass
class ScheduleCalendarSpec:
    """Wall times that match: every field has to. The defaults are midnight of every day."""

    second: Sequence[ScheduleRange] = (ScheduleRange(0),)
    """0 to 59."""

    minute: Sequence[ScheduleRange] = (ScheduleRange(0),)
    """0 to 59."""

    hour: Sequence[ScheduleRange] = (ScheduleRange(0),)
    """0 to 23."""

    day_of_month: Sequence[ScheduleRange] = (ScheduleRange(1, 31),)
    """1 to 31."""

    month: Sequence[ScheduleRange] = (ScheduleRange(1, 12),)
    """1 to 12."""

    year: Sequence[ScheduleRange] = ()
    """2000 to 2100; every year if empty."""

    day_of_week: Sequence[ScheduleRange] = (ScheduleRange(0, 6),)
    """0 to 6; Sunday is 0."""

    comment: str | None = None
    """What it is for."""

    @staticmethod
    def _from_proto(spec: schedule_api.StructuredCalendarSpec) -> ScheduleCalendarSpec:
        return ScheduleCalendarSpec(
            second=ScheduleRange._from_protos(spec.second),
            minute=ScheduleRange._from_protos(spec.minute),
            hour=ScheduleRange._from_protos(spec.hour),
            day_of_month=ScheduleRange._from_protos(spec.day_of_month),
            month=ScheduleRange._from_protos(spec.month),
            year=ScheduleRange._from_protos(spec.year),
            day_of_week=ScheduleRange._from_protos(spec.day_of_week),
            comment=spec.comment or None,
        )

    def _to_proto(self) -> schedule_api.StructuredCalendarSpec:
        return schedule_api.StructuredCalendarSpec(
            second=ScheduleRange._to_protos(self.second),
            minute=ScheduleRange._to_protos(self.minute),
            hour=ScheduleRange._to_protos(self.hour),
            day_of_month=ScheduleRange._to_protos(self.day_of_month),
            month=ScheduleRange._to_protos(self.month),
            year=ScheduleRange._to_protos(self.year),
            day_of_week=ScheduleRange._to_protos(self.day_of_week),
            comment=self.comment or "",
        )


@dataclass
class ScheduleIntervalSpec:
    """Times at a fixed distance: the epoch + n * ``every`` + ``offset``."""

    every: timedelta
    """At least a second."""

    offset: timedelta | None = None
    """Less than ``every``."""

    @staticmethod
    def _from_proto(spec: schedule_api.IntervalSpec) -> ScheduleIntervalSpec:
        return ScheduleIntervalSpec(every=spec.interval.ToTimedelta(), offset=duration(spec, "phase"))

    def _to_proto(self) -> schedule_api.IntervalSpec:
        spec = schedule_api.IntervalSpec()
        spec.interval.FromTimedelta(self.every)
        if self.offset:
            spec.phase.FromTimedelta(self.offset)
        return spec


@dataclass
class ScheduleSpec:
    """All times that one of ``calendars``, ``intervals`` and ``cron_expressions`` matches, and none of ``skip``."""

    calendars: Sequence[ScheduleCalendarSpec] = field(default_factory=list)
    """Wall times."""

    intervals: Sequence[ScheduleIntervalSpec] = field(default_factory=list)
    """Times at a fixed distance."""

    cron_expressions: Sequence[str] = field(default_factory=list)
    """Cron strings. The server turns them into calendars, so that a description has none."""

    skip: Sequence[ScheduleCalendarSpec] = field(default_factory=list)
    """Wall times that are left out."""

    start_at: datetime | None = None
    """Times before it do not match."""

    end_at: datetime | None = None
    """Times after it do not match."""

    jitter: timedelta | None = None
    """Every action is put off by up to this much, by a different amount each."""

    time_zone_name: str | None = None
    """IANA name of the zone of all wall times; UTC if None."""

    @staticmethod
    def _from_proto(spec: schedule_api.ScheduleSpec) -> ScheduleSpec:
        return ScheduleSpec(
            calendars=[ScheduleCalendarSpec._from_proto(each) for each in spec.structured_calendar],
            intervals=[ScheduleIntervalSpec._from_proto(each) for each in spec.interval],
            cron_expressions=spec.cron_string,
            skip=[ScheduleCalendarSpec._from_proto(each) for each in spec.exclude_structured_calendar],
            start_at=instant(spec, "start_time"),
            end_at=instant(spec, "end_time"),
            jitter=duration(spec, "jitter"),
            time_zone_name=spec.timezone_name or None,
        )

    def _to_proto(self) -> schedule_api.ScheduleSpec:
        spec = schedule_api.ScheduleSpec(
            structured_calendar=[each._to_proto() for each in self.calendars],
            cron_string=self.cron_expressions,
            interval=[each._to_proto() for each in self.intervals],
            exclude_structured_calendar=[each._to_proto() for each in self.skip],
            timezone_name=self.time_zone_name or "",
        )
        if self.start_at:
            spec.start_time.FromDatetime(self.start_at)
        if self.end_at:
            spec.end_time.FromDatetime(self.end_at)
        if self.jitter:
            spec.jitter.FromTimedelta(self.jitter)
        return spec
