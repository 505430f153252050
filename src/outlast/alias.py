"""Makes ``import temporalio`` mean this package, for programs and plugins that were written for Temporal's SDK.

Rule: an alias is the module itself, never a copy, so classes are the same under both names. The finder stands first in
``sys.meta_path``, and an installed ``temporalio`` is not looked at. Messages, which Temporal keeps in ``*_pb2`` modules
and re-exports from their packages, are found under both names.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_THEIRS, _OURS = "temporalio", "outlast"


class _Alias(Loader):
    """Hands an imported module of ours out under another name."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._target)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has written the alias's specification into the module; it ran long ago, under its own name.
        module.__spec__ = self._spec


class _AliasFinder(MetaPathFinder):
    """Finds every ``temporalio`` module in ``outlast``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _THEIRS and not fullname.startswith(f"{_THEIRS}."):
            return None
        name = _target(fullname)
        if not _exists(name):
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: outlast stands in for temporalio here (outlast.install_as_temporalio),"
                f" and has no {name}; docs/parity.md lists what it does not have",
                name=fullname,
            )
        return ModuleSpec(fullname, _Alias(name), is_package=True)


def _target(fullname: str) -> str:
    name = _OURS + fullname.removeprefix(_THEIRS)
    package, _, module = name.rpartition(".")
    if module.endswith("_pb2") and name.startswith(f"{_OURS}.api."):
        return package
    return name


def _exists(name: str) -> bool:
    try:
        return name == _OURS or importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def install() -> None:
    """Put the finder in place; see ``outlast.install_as_temporalio``."""
    if any(isinstance(finder, _AliasFinder) for finder in sys.meta_path):
        return
    real = sys.modules.get(_THEIRS)
    if real is not None:
        raise RuntimeError(
            f"temporalio is already imported (from {getattr(real, '__file__', None)}), so outlast cannot stand in for"
            " it: call outlast.install_as_temporalio() before anything imports temporalio, in the first lines of the"
            " program"
        )
    sys.meta_path.insert(0, _AliasFinder())
