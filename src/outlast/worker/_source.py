"""Parsed source files: their functions, and what they import.

Rule: nothing is imported or run, and every file is parsed once.
"""

from __future__ import annotations

import ast
import gc
import linecache
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType

from ._references import Function, References, bound_by, enters, is_aware, module_of, references_in

_PASSED_THROUGH = "imports_passed_through"


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed file.

    Attributes:
        lines: as ``linecache`` has them; another list when the file has changed.
        functions: by first line and name.
        imported: modules that it imports, with lines, except those that are passed through.
        passed_through: those, and the names that the file knows them by.
    """

    lines: list[str]
    functions: dict[tuple[int, str], Function]
    imported: Sequence[tuple[str, int]]
    passed_through: frozenset[str]
    references: dict[tuple[int, str], References] = field(default_factory=dict)


_sources: dict[str, Source] = {}


def source_of(filename: str, package: str) -> Source | None:
    """The file, parsed; None when there is no source to be had.

    Args:
        package: what relative imports start from.
    """
    linecache.checkcache(filename)
    lines = linecache.getlines(filename)
    known = _sources.get(filename)
    if known is not None and known.lines is lines:
        return known
    tree = _parsed(lines)
    if tree is None:
        return None
    source = _sources[filename] = Source(lines, dict(_functions(tree)), *_imports(tree, package))
    return source


def references_of(source: Source, code: CodeType, package: str) -> References | None:
    """What the function with this code refers to; None when its file does not have it there any more."""
    key = code.co_firstlineno, code.co_name
    known = source.references.get(key)
    if known is None:
        function = source.functions.get(key)
        if function is None:
            return None
        known = source.references[key] = references_in(function, package)
    return known


def _parsed(lines: list[str]) -> ast.Module | None:
    # Python 3.11 counts the depth of its recursion wrong when the garbage collector runs code while it builds a tree.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return ast.parse("".join(lines)) if lines else None
    except (SyntaxError, ValueError, RecursionError):
        return None
    finally:
        if collecting:
            gc.enable()


def _functions(tree: ast.Module) -> Iterator[tuple[tuple[int, str], Function]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # The code of a decorated function begins with the first decorator.
            yield (min([node.lineno, *(one.lineno for one in node.decorator_list)]), node.name), node
        elif isinstance(node, ast.Lambda):
            yield (node.lineno, "<lambda>"), node


def _imports(tree: ast.Module, package: str) -> tuple[list[tuple[str, int]], frozenset[str]]:
    """The modules that a file imports where it is imported itself: restricted ones, and those passed through."""
    imported: list[tuple[str, int]] = []
    passed: set[str] = set()

    def visit(statements: Sequence[ast.stmt], through: bool) -> None:
        for statement in statements:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                bound = bound_by(statement, package)
                full = [name for name, _ in bound]
                modules = [module_of(statement, package)] if isinstance(statement, ast.ImportFrom) else full
                if through:
                    passed.update(modules, full, (name for _, name in bound))
                else:
                    imported.extend((module, statement.lineno) for module in modules)
                continue
            if isinstance(statement, ast.If) and is_aware(statement.test):
                continue
            within = through or (isinstance(statement, ast.With) and enters(statement, _PASSED_THROUGH))
            for inner in ("body", "orelse", "finalbody"):
                if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                    visit(getattr(statement, inner, ()), within)

    visit(tree.body, False)
    return imported, frozenset(passed)
