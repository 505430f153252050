"""Which modules are the user's: those that the determinism guard looks into.

Rule: the packages of the workflows are, wherever they are installed; the standard library, what lies in
``site-packages`` and the SDK itself are not.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_OWN = "outlast"
_INSTALLED = tuple(
    {
        str(Path(sysconfig.get_path(name)).absolute()) + "/"
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        if sysconfig.get_path(name)
    }
)
_SITES = ("/site-packages/", "/dist-packages/")


class UserCode:
    """What counts as the user's for the workers of some workflow classes."""

    __slots__ = ("_known", "_packages")

    def __init__(self, workflows: Iterable[type]) -> None:
        self._packages = {_top(workflow.__module__) for workflow in workflows} - {_OWN}
        self._known: dict[str, bool] = {}

    def has(self, module: str | None) -> bool:
        """Whether the module of this name is the user's."""
        if not module:
            return False
        known = self._known.get(module)
        if known is None:
            known = self._known[module] = self._is_users(module)
        return known

    def _is_users(self, name: str) -> bool:
        top = _top(name)
        if top in self._packages:
            return True
        if top == _OWN or (top in sys.stdlib_module_names and name != "__main__"):
            return False
        file: Any = getattr(sys.modules.get(name), "__file__", None)
        if not isinstance(file, str):
            return False
        path = str(Path(file).absolute()).replace("\\", "/")
        return not path.startswith(_INSTALLED) and not any(site in path for site in _SITES)


def _top(module: str) -> str:
    return module.partition(".")[0]
