"""Replay a history with the real ``temporalio``: its own Replayer, its own core, no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import temporalio.api.history.v1 as temporal_history
from replay_script import Script
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from twins import twin

temporalio_flows = twin(Path(__file__).with_name("replay_flows.py"))


async def replay_with_temporalio(script: Script, workflow: Any = None) -> None:
    """Raises what Temporal's SDK raises when the code, loaded for it, does not follow this history."""
    history = temporal_history.History.FromString(script.history().SerializeToString())
    workflow = workflow or getattr(temporalio_flows, script.workflow_type)
    replayer = Replayer(workflows=[workflow], workflow_runner=UnsandboxedWorkflowRunner())
    await replayer.replay_workflow(WorkflowHistory("wf", list(history.events)))
