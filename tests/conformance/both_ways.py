"""Replaying a history in both SDKs, whichever worker wrote it."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
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


def replayers(path: str, names: list[str], converter_of: Callable[[ModuleType], Any]) -> Iterator[tuple[Any, Any]]:
    """Both SDKs' replayers of the file's workflows; with each, a function that makes its history out of either's.

    Args:
        converter_of: the data converter, from the file as loaded for the SDK.
    """
    for sdk, module in (("outlast", _ours(Path(path))), ("temporalio", twin(Path(path)))):
        client, worker = importlib.import_module(f"{sdk}.client"), importlib.import_module(f"{sdk}.worker")
        replayer = worker.Replayer(
            workflows=[getattr(module, name) for name in names],
            workflow_runner=worker.UnsandboxedWorkflowRunner(),
            data_converter=converter_of(module),
        )
        history = client.WorkflowHistory
        yield replayer, lambda fetched, history=history: history.from_json(fetched.workflow_id, fetched.to_json())


_loaded: dict[Path, ModuleType] = {}


def _ours(path: Path) -> ModuleType:
    if path not in _loaded:
        spec = importlib.util.spec_from_file_location(f"outlast_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = _loaded[path] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return _loaded[path]
