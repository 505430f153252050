"""One source, two SDKs: a file that imports ``outlast`` is loaded a second time with ``temporalio`` in its place.

Only import statements are changed, so line numbers stay, and what the file says in strings stays what it says. The two
SDKs have the same names in the same places; only the numbers in ``outlast.api.enums`` have no names in
``temporalio.api``, and serve both.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import ModuleType

from _pytest.assertion.rewrite import rewrite_asserts

_OURS = "outlast"
_THEIRS = "temporalio"
_SHARED = "outlast.api.enums"
_twins: dict[Path, ModuleType] = {}


class _Imports(ast.NodeTransformer):
    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in node.names:
            alias.name = _moved(alias.name)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.module and not node.level:
            node.module = _moved(node.module)
        return node


def _moved(name: str) -> str:
    head, dot, rest = name.partition(".")
    return _THEIRS + dot + rest if head == _OURS and not name.startswith(_SHARED) else name


def twin(path: Path) -> ModuleType:
    """The module in ``path``, loaded for Temporal's SDK; the same object at every call."""
    if path not in _twins:
        source = path.read_bytes()
        tree = _Imports().visit(ast.parse(source, path))
        rewrite_asserts(tree, source, str(path))
        module = ModuleType(f"temporalio_{path.stem}")
        module.__file__ = str(path)
        sys.modules[module.__name__] = _twins[path] = module
        exec(compile(tree, path, "exec", dont_inherit=True), module.__dict__)
    return _twins[path]
