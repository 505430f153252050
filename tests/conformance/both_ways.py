"""Replaying a history in both SDKs, whichever worker wrote it."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from stage import Stage
from twins import twin


async def replay_both_ways(stage: Stage, handle: Any, path: str, name: str) -> None:
    """Replay the run's history with the workflow class ``name`` of the case's file: ours and Temporal's.

    Raises:
        Exception: the SDK's, when a replay fails.
    """
    history = (await handle.fetch_history()).to_json()
    for sdk, module in (("outlast", _ours(Path(path))), ("temporalio", twin(Path(path)))):
        client, worker = importlib.import_module(f"{sdk}.client"), importlib.import_module(f"{sdk}.worker")
        replayer = worker.Replayer(
            workflows=[getattr(module, name)], workflow_runner=worker.UnsandboxedWorkflowRunner()
        )
        await replayer.replay_workflow(client.WorkflowHistory.from_json(handle.id, history))


_loaded: dict[Path, ModuleType] = {}


def _ours(path: Path) -> ModuleType:
    if path not in _loaded:
        spec = importlib.util.spec_from_file_location(f"outlast_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = _loaded[path] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return _loaded[path]
