"""Golden histories: a folder of JSON files that today's code has to replay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from outlast.client import WorkflowHistory
from outlast.worker import Replayer


def histories_in(folder: Path | str) -> list[WorkflowHistory]:
    """The histories of a folder, one for each ``*.json``, by name; the file's name is the workflow id.

    Raises:
        FileNotFoundError: there is no such folder, or it has no histories.
        ValueError: a file is no history; the message names it.
    """
    paths = sorted(Path(folder).glob("*.json"))
    if not paths:
        raise FileNotFoundError(f"{Path(folder)} has no *.json files; write some with WorkflowHistory.to_json()")
    found = []
    for path in paths:
        try:
            found.append(WorkflowHistory.from_json(path.stem, path.read_text()))
        except ValueError as error:
            raise ValueError(f"{path} is no workflow history: {error}") from error
    return found


async def replay_histories(folder: Path | str, *, workflows: Sequence[type], **options: Any) -> None:
    """Replay every history of a folder.

    Args:
        folder: with the JSON that ``WorkflowHistory.to_json``, the CLI and the UI write.
        workflows: the classes as they are now.
        options: further parameters of ``Replayer``.

    Raises:
        AssertionError: the code does something else than a history says; the message tells of each.
    """

    async def every() -> AsyncIterator[WorkflowHistory]:
        for history in histories_in(folder):
            yield history

    async with Replayer(workflows=workflows, **options).workflow_replay_iterator(every()) as results:
        failures = [
            f"{result.history.workflow_id}: {result.replay_failure}"
            async for result in results
            if result.replay_failure is not None
        ]
    assert not failures, "\n\n".join(failures)
