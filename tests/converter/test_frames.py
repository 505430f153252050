"""Stack traces begin in the user's code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import TracebackType

import pytest

from outlast.api.failure.v1 import Failure
from outlast.common import RetryPolicy
from outlast.converter import DataConverter
from outlast.converter._frames import from_users_code


def _raised_by(work: Callable[[], object]) -> ValueError:
    with pytest.raises(ValueError, match=r".") as raised:
        work()
    error = raised.value
    assert error.__traceback__ is not None
    # This test's own frame is the user's; what lies below it is what is looked at.
    return error.with_traceback(error.__traceback__.tb_next)


def _names(found: TracebackType | None) -> list[str]:
    names = []
    while found is not None:
        names.append(found.tb_frame.f_code.co_name)
        found = found.tb_next
    return names


async def _charge() -> None:
    json.loads("no JSON")


def test_frames_that_led_to_the_users_code_are_left_out_and_those_below_it_stay() -> None:
    error = _raised_by(lambda: asyncio.run(_charge()))
    found = error.__traceback__
    assert found is not None
    led = found.tb_next  # below the lambda: asyncio's frames, then ours
    assert _names(led)[:1] == ["run"]
    kept = _names(from_users_code(led))
    assert kept[0] == "_charge" and kept[-1] == "raw_decode"
    error.__traceback__ = led
    failure = Failure()
    converter = DataConverter.default
    converter.failure_converter.to_failure(error, converter.payload_converter, failure)
    assert failure.stack_trace.split(", in ")[1].startswith("_charge")


def test_an_error_of_the_sdk_alone_has_no_frame_of_the_user_and_keeps_its_own_in_the_failure() -> None:
    error = _raised_by(RetryPolicy(maximum_attempts=-1)._validate)
    assert _names(error.__traceback__) == ["_validate"]
    assert from_users_code(error.__traceback__) is None
    failure = Failure()
    converter = DataConverter.default
    converter.failure_converter.to_failure(error, converter.payload_converter, failure)
    assert "in _validate" in failure.stack_trace
