"""Fields of messages as users want them: None where a field is not set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any


def duration(message: Any, field: str) -> timedelta | None:
    """A duration field."""
    return getattr(message, field).ToTimedelta() if message.HasField(field) else None


def instant(message: Any, field: str) -> datetime | None:
    """A timestamp field, in UTC."""
    return getattr(message, field).ToDatetime(tzinfo=UTC) if message.HasField(field) else None
