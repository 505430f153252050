"""What the SDK itself logs, apart from workflows and activities: level, form, and to whom.

Rule: Temporal's configuration speaks of its Core; the counterparts here are the loggers ``outlast.service`` and
``outlast.worker``. The default configuration leaves them to the program.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

LOGGERS = ("outlast.service", "outlast.worker")
_CORE_TARGETS = (
    "temporalio_common",
    "temporalio_sdk_core",
    "temporalio_client",
    "temporalio_sdk",
    "temporal_sdk_bridge",
)
_LEVELS = {
    "OFF": logging.CRITICAL + 10,
    "ERROR": logging.ERROR,
    "WARN": logging.WARNING,
    "INFO": logging.INFO,
    "DEBUG": logging.DEBUG,
    "TRACE": logging.DEBUG,
}


@dataclass
class TelemetryFilter:
    """Levels: ``ERROR``, ``WARN``, ``INFO``, ``DEBUG`` or ``TRACE``."""

    core_level: str
    """Of the SDK itself."""
    other_level: str
    """Of the libraries inside Temporal's Core. There are none here, so it decides nothing."""

    def formatted(self) -> str:
        """As one text in the notation of Core."""
        return ",".join([self.other_level, *(f"{target}={self.core_level}" for target in _CORE_TARGETS)])


class LoggingFormat(Enum):
    """Form of what is written to the console."""

    COMPACT = "compact"
    PRETTY = "pretty"
    JSON = "json"


@dataclass
class LogForwardingConfig:
    """Hand what the SDK logs to a logger. Records get an attribute ``temporal_log``: the original record."""

    logger: logging.Logger
    append_target_to_name: bool = True
    """Name the record after both loggers."""
    prepend_target_on_message: bool = True
    """Begin the message with the name of the SDK's logger."""
    overwrite_log_record_time: bool = True
    """Keep the time of the original record. It is forwarded at once, so it is the same either way."""
    append_log_fields_to_message: bool = True
    """End the message with the fields of the original record. Records here have none beside their message."""


@dataclass(frozen=True)
class LoggingConfig:
    """Logging of the SDK itself."""

    filter: TelemetryFilter | str
    """Level; as a text ``LEVEL,target=LEVEL,...``, where any target of Temporal's Core means the SDK."""
    forwarding: LogForwardingConfig | None = None
    """To whom, instead of the handlers of the program."""
    format: LoggingFormat | None = None
    """Write to the console in this form, instead of the handlers of the program. Not used when forwarding."""
    default: ClassVar[LoggingConfig]
    """Leaves logging as the program has set it up."""


LoggingConfig.default = LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"))


def apply(config: LoggingConfig | None) -> None:
    """Set up the loggers of the SDK; the default configuration changes nothing.

    Raises:
        ValueError: the filter is not one.
    """
    if config is None or config == LoggingConfig.default:
        return
    text = config.filter if isinstance(config.filter, str) else config.filter.formatted()
    level = _level(text)
    handler: logging.Handler | None = None
    if config.forwarding is not None:
        handler = _Forwarding(config.forwarding)
    elif config.format is not None:
        handler = logging.StreamHandler()
        handler.setFormatter(_FORMATTERS[config.format])
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(level)
        for old in [h for h in logger.handlers if getattr(h, "_outlast_runtime", False)]:
            logger.removeHandler(old)
        logger.propagate = handler is None
        if handler is not None:
            handler._outlast_runtime = True  # type: ignore[attr-defined]
            logger.addHandler(handler)


def _level(text: str) -> int:
    general: int | None = None
    of_core: int | None = None
    for directive in filter(None, (part.strip() for part in text.split(","))):
        target, equals, name = directive.rpartition("=")
        level = _LEVELS.get(name.upper())
        if level is None:
            raise ValueError(
                f"LoggingConfig(filter={text!r}): {directive!r} is no directive; write LEVEL or target=LEVEL with"
                f" one of {', '.join(_LEVELS)}"
            )
        if not equals:
            general = level
        elif target in _CORE_TARGETS or target.startswith("outlast"):
            of_core = level if of_core is None else min(level, of_core)
    found = of_core if of_core is not None else general
    return logging.ERROR if found is None else found


class _Forwarding(logging.Handler):
    def __init__(self, config: LogForwardingConfig) -> None:
        super().__init__()
        self._config = config

    def emit(self, record: logging.LogRecord) -> None:
        to = self._config.logger
        if not to.isEnabledFor(record.levelno):
            return
        message = record.getMessage()
        if self._config.prepend_target_on_message:
            message = f"[{record.name}] {message}"
        forwarded = to.makeRecord(
            f"{to.name}-{record.name}" if self._config.append_target_to_name else to.name,
            record.levelno,
            record.pathname,
            record.lineno,
            message,
            (),
            record.exc_info,
            record.funcName,
            {"temporal_log": record},
        )
        to.handle(forwarded)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "target": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields)


_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_FORMATTERS: dict[LoggingFormat, logging.Formatter] = {
    LoggingFormat.COMPACT: logging.Formatter(_LINE),
    LoggingFormat.PRETTY: logging.Formatter(_LINE + "\n    at %(pathname)s:%(lineno)d"),
    LoggingFormat.JSON: _Json(),
}
