"""kill -9 while a parent and its children work for each other: nothing is lost between runs, nothing happens twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest
from killed_family import CHILDREN, PARENT, child_id
from server_process import Program

from outlast.client import Client, WorkflowExecutionStatus

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
KILLS = 12
END_S = 90
"""Only a lost child takes so long."""


async def test_a_family_outlasts_its_application(tmp_path: Path) -> None:
    dice = random.Random(3)
    database = tmp_path / "family.db"
    program = Program(str(HERE / "killed_family.py"), str(database), ready="ready", folder=tmp_path)
    for _ in range(KILLS):
        await program.start()
        await asyncio.sleep(dice.uniform(0, 0.25))
        if program.process.returncode is None:
            await program.kill()
    async with asyncio.timeout(END_S):
        await program.start()
        assert await program.end() == [str(CHILDREN)]
    async with await Client.connect(f"sqlite:///{database}") as client:
        history = await client.get_workflow_handle(PARENT).fetch_history()
        assert [event.event_id for event in history.events] == list(range(1, len(history.events) + 1))
        kinds = Counter(str(event.WhichOneof("attributes")) for event in history.events)
        for kind, count in (
            ("start_child_workflow_execution_initiated", CHILDREN + 1),
            ("child_workflow_execution_started", CHILDREN + 1),
            ("external_workflow_execution_signaled", CHILDREN),
            ("child_workflow_execution_completed", CHILDREN),
        ):
            assert kinds[f"{kind}_event_attributes"] == count
        for number in range(CHILDREN):
            child = client.get_workflow_handle(child_id(number))
            names = [str(event.WhichOneof("attributes")) for event in (await child.fetch_history()).events]
            assert names.count("workflow_execution_signaled_event_attributes") == 1
        last = client.get_workflow_handle(child_id(-1))
        async with asyncio.timeout(END_S):
            async for _event in last.fetch_history_events(wait_new_event=True):
                pass
        assert (await last.describe()).status == WorkflowExecutionStatus.TERMINATED
        assert (await client.count_workflows()).count == CHILDREN + 2
