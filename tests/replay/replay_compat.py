"""Replay a history with the real ``temporalio``: its own Replayer, its own core, no server."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import temporalio.api.history.v1 as temporal_history
from replay_script import Script
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner


def _load_flows() -> ModuleType:
    source = Path(__file__).with_name("replay_flows.py").read_text().replace("outlast", "temporalio")
    module = ModuleType("temporalio_flows")
    sys.modules[module.__name__] = module
    exec(compile(source, "temporalio_flows.py", "exec"), module.__dict__)
    return module


temporalio_flows = _load_flows()


async def replay_with_temporalio(script: Script, workflow: Any = None) -> None:
    """Raises what Temporal's SDK raises when the code, loaded for it, does not follow this history."""
    history = temporal_history.History.FromString(script.history().SerializeToString())
    workflow = workflow or getattr(temporalio_flows, script.workflow_type)
    replayer = Replayer(workflows=[workflow], workflow_runner=UnsandboxedWorkflowRunner())
    await replayer.replay_workflow(WorkflowHistory("wf", list(history.events)))
