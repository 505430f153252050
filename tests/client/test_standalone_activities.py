"""What the handle of a standalone activity does by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outlast.client import ActivityFailureError, Client
from outlast.exceptions import TimeoutError


async def test_the_deadline_is_one_of_each_call_and_not_of_the_waiting() -> None:
    async with await Client.connect("sqlite://:memory:") as client:
        handle = await client.start_activity(
            "nobody", id="a", task_queue="q", schedule_to_close_timeout=timedelta(milliseconds=200)
        )
        with pytest.raises(ActivityFailureError) as failed:
            await handle.result(rpc_timeout=timedelta(milliseconds=20))
        assert isinstance(failed.value.cause, TimeoutError)
