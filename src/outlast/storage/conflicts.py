"""Who came first: the check that every store makes before it keeps a unit.

Rule: checks come before the first write, so a unit that is refused has written nothing. A unit is read in order: its
later commits see its earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from outlast.storage.errors import Conflict
from outlast.storage.port import Commit
from outlast.storage.rows import RunKey


def check(
    unit: Sequence[Commit],
    version_of: Callable[[RunKey], int],
    current_of: Callable[[str, str], str | None],
) -> None:
    """Compare what a unit expects with what is stored.

    Args:
        version_of: the stored version of a run, 0 when there is none.
        current_of: the current run of (namespace id, workflow id), None when there is none.

    Raises:
        Conflict: for the first expectation that does not hold.
    """
    versions: dict[RunKey, int] = {}
    pointers: dict[tuple[str, str], str] = {}
    for change in unit:
        key = change.key
        found = versions[key] if key in versions else version_of(key)
        if found != change.expected_version:
            raise Conflict(f"version of {key}", change.expected_version, found)
        versions[key] = change.version
        pointer = change.current
        if pointer is None:
            continue
        workflow = (key.namespace_id, key.workflow_id)
        current = pointers[workflow] if workflow in pointers else current_of(*workflow)
        if current != pointer.expected_run_id:
            raise Conflict(f"current run of workflow {key.workflow_id!r}", pointer.expected_run_id, current)
        pointers[workflow] = pointer.run_id


def check_namespace(
    namespace_id: str, name: str, expected: bytes | None, stored: bytes | None, named: str | None
) -> None:
    """Compare what a change of a namespace expects with what is stored.

    Args:
        stored: the data under the id, None when there is none.
        named: the id that has the name, None when there is none.

    Raises:
        Conflict: the data differs, or the name is another's.
    """
    if named is not None and named != namespace_id:
        raise Conflict(f"id of namespace {name!r}", namespace_id, named)
    if stored != expected:
        raise Conflict(f"namespace {name!r}", _size(expected), _size(stored))


def _size(data: bytes | None) -> str:
    return "nothing" if data is None else f"{len(data)} bytes of data"
