"""The default runtime, and what is logged."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
import temporalio.runtime as theirs

from outlast.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    LoggingFormat,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from outlast.runtime._logging import LOGGERS


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger.level, logger.propagate, list(logger.handlers)) for logger in loggers]
    yield
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers[:] = handlers


def log_with(config: LoggingConfig | None) -> None:
    Runtime(telemetry=TelemetryConfig(logging=config))


def test_default_runtime() -> None:
    code = (
        "from outlast.runtime import Runtime, TelemetryConfig\n"
        "def fails(call):\n"
        "    try: call()\n"
        "    except RuntimeError as error: print(error)\n"
        "    else: print('ok')\n"
        "mine = Runtime(telemetry=TelemetryConfig())\n"
        "Runtime.prevent_default(); fails(Runtime.default)\n"
        "fails(lambda: Runtime.set_default(mine)); assert Runtime.default() is mine\n"
        "fails(lambda: Runtime.set_default(mine)); fails(Runtime.prevent_default)\n"
        "fails(lambda: Runtime.set_default(mine, error_if_already_set=False))\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code.replace("outlast", package)], capture_output=True, text=True, check=True
        ).stdout
        for package in ("outlast", "temporalio")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count("ok") == 2


def test_intervals_of_worker_heartbeats_are_checked() -> None:
    for right in (None, timedelta(seconds=1), timedelta(seconds=60)):
        runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=right)
        assert runtime.worker_heartbeat_interval == right
    for interval, error, message in (
        (timedelta(0), ValueError, "must be positive"),
        (timedelta(seconds=61), ValueError, r"heartbeat_interval \(61s\) must be between 1s and 60s"),
        (timedelta(milliseconds=999), ValueError, "must be between 1s and 60s"),
    ):
        with pytest.raises(error, match=message):
            Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=interval)


def test_the_default_leaves_logging_alone() -> None:
    logging.getLogger("outlast.worker").setLevel(logging.DEBUG)
    log_with(LoggingConfig.default)
    log_with(None)
    assert logging.getLogger("outlast.worker").level == logging.DEBUG


@pytest.mark.parametrize(
    ("filter", "level"),
    [
        (TelemetryFilter(core_level="DEBUG", other_level="ERROR"), logging.DEBUG),
        ("info", logging.INFO),
        ("ERROR,temporalio_sdk_core=TRACE", logging.DEBUG),
        ("WARN,h2=DEBUG", logging.WARNING),
        ("h2=DEBUG", logging.ERROR),
        ("off", logging.CRITICAL + 10),
    ],
)
def test_levels(filter: TelemetryFilter | str, level: int) -> None:
    log_with(LoggingConfig(filter=filter))
    assert [logging.getLogger(name).level for name in LOGGERS] == [level, level]


def test_filters_are_written_as_temporals_and_wrong_ones_refused() -> None:
    arguments = {"core_level": "INFO", "other_level": "WARN"}
    assert TelemetryFilter(**arguments).formatted() == theirs.TelemetryFilter(**arguments).formatted()
    with pytest.raises(ValueError, match="'LOUD' is no directive"):
        log_with(LoggingConfig(filter="WARN,LOUD"))


def test_forwarding(caplog: pytest.LogCaptureFixture) -> None:
    mine = logging.getLogger("mine")
    mine.setLevel(logging.INFO)
    log_with(LoggingConfig(filter="DEBUG", forwarding=LogForwardingConfig(mine)))
    logging.getLogger("outlast.worker").info("it is %s", "done")
    logging.getLogger("outlast.worker").debug("not for mine")
    log_with(
        LoggingConfig(
            filter="DEBUG",
            forwarding=LogForwardingConfig(mine, append_target_to_name=False, prepend_target_on_message=False),
        )
    )
    logging.getLogger("outlast.service").warning("again")
    assert [(r.name, r.levelname, r.getMessage(), r.temporal_log.name) for r in caplog.records] == [  # type: ignore[attr-defined]
        ("mine-outlast.worker", "INFO", "[outlast.worker] it is done", "outlast.worker"),
        ("mine", "WARNING", "again", "outlast.service"),
    ]


def test_console_formats(capsys: pytest.CaptureFixture[str]) -> None:
    for format in LoggingFormat:
        log_with(LoggingConfig(filter="INFO", format=format))
        logging.getLogger("outlast.worker").info("hello")
    compact, pretty, place, as_json = capsys.readouterr().err.splitlines()
    assert compact.endswith("INFO outlast.worker: hello")
    assert pretty.endswith("INFO outlast.worker: hello") and "test_runtime.py" in place
    assert json.loads(as_json)["message"] == "hello"
