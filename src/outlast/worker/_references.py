"""What a function's source refers to: dotted names with their lines.

Rule: only the syntax is looked at. Code that asks whether it runs in a workflow, or that switches the guard off, is
left out: its author knows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

_AWARE = frozenset(
    {"in_workflow", "in_sandbox", "is_replaying", "is_replaying_history_events", "is_sandbox_unrestricted",
     "TYPE_CHECKING", "_NotInWorkflowEventLoopError"}
)  # fmt: skip
_UNRESTRICTED = "sandbox_unrestricted"

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Reference:
    """One dotted name in a function.

    Attributes:
        path: the name as it is written: ``("datetime", "now")``.
        called: it is called.
        of_call: it is an attribute of what calling ``path[:of_call]`` gives; 0 when no call is inside.
    """

    path: tuple[str, ...]
    line: int
    called: bool
    of_call: int = 0


@dataclass(slots=True)
class References:
    """What one function refers to.

    Attributes:
        imports: names that the function imports itself, with the full name of what they stand for.
        modules: modules that it imports, with lines.
    """

    found: list[Reference] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)
    modules: list[tuple[str, int]] = field(default_factory=list)


def module_of(statement: ast.ImportFrom, package: str) -> str:
    """The full name of the module that names are imported from."""
    if not statement.level:
        return statement.module or ""
    above = package.split(".")
    above = above[: len(above) - statement.level + 1]
    return ".".join([*above, *([statement.module] if statement.module else [])])


def bound_by(statement: ast.Import | ast.ImportFrom, package: str) -> list[tuple[str, str]]:
    """Full names of what an import binds, with the names that it binds them to."""
    if isinstance(statement, ast.ImportFrom):
        module = module_of(statement, package)
        return [(f"{module}.{one.name}", one.asname or one.name) for one in statement.names]
    return [(one.name, one.asname or one.name.partition(".")[0]) for one in statement.names]


def enters(statement: ast.With | ast.AsyncWith, manager: str) -> bool:
    """Whether a with statement has the context manager of this name."""
    return any(
        isinstance(node, ast.Attribute | ast.Name) and _last(node) == manager
        for item in statement.items
        for node in ast.walk(item.context_expr)
    )


def is_aware(test: ast.AST) -> bool:
    """Whether a condition asks how the code is run."""
    return any(isinstance(node, ast.Attribute | ast.Name) and _last(node) in _AWARE for node in ast.walk(test))


def _is_for_workflows(test: ast.AST) -> bool:
    """Whether what comes after this condition has been met is for those outside workflows."""
    return is_aware(test) and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not))


def _last(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _leaves(statements: Sequence[ast.stmt]) -> bool:
    return bool(statements) and isinstance(statements[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def references_in(function: Function, package: str) -> References:
    """What a function, with the functions inside it, refers to."""
    return _Scan(function, package).result


class _Scan:
    """Collects the references of one function."""

    def __init__(self, function: Function, package: str) -> None:
        self._package = package
        self.result = References()
        self._local = _names_of_its_own(function, package)
        if isinstance(function, ast.Lambda):
            self._visit(function.body)
        else:
            self._block(function.body)

    def _visit(self, node: ast.AST) -> None:
        _VISIT.get(type(node), _Scan._parts)(self, node)

    # -- statements -----------------------------------------------------------------------------------------------

    def _block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._visit(statement)
            if isinstance(statement, ast.If) and _is_for_workflows(statement.test) and _leaves(statement.body):
                return

    def _parts(self, node: ast.AST) -> None:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                self._block(value)
            elif isinstance(value, ast.AST):
                if name not in ("annotation", "returns"):
                    self._visit(value)
            elif isinstance(value, list):
                for one in value:
                    if isinstance(one, ast.AST):
                        self._visit(one)

    def _conditional(self, node: Any) -> None:
        if not is_aware(node.test):
            self._parts(node)

    def _operation(self, node: ast.BoolOp) -> None:
        if not is_aware(node):
            self._parts(node)

    def _except(self, node: ast.ExceptHandler) -> None:
        if node.type is None or not is_aware(node.type):
            self._block(node.body)

    def _with(self, node: Any) -> None:
        if not enters(node, _UNRESTRICTED):
            self._parts(node)

    def _import(self, node: Any) -> None:
        for full, name in bound_by(node, self._package):
            whole = isinstance(node, ast.ImportFrom) or full.partition(".")[0] != name
            self.result.imports[name] = full if whole else name
            module = module_of(node, self._package) if isinstance(node, ast.ImportFrom) else full
            self.result.modules.append((module, node.lineno))

    def _inner(self, node: Any) -> None:
        self._block(node.body)

    # -- expressions ----------------------------------------------------------------------------------------------

    def _lambda(self, node: ast.Lambda) -> None:
        self._visit(node.body)

    def _call(self, node: ast.Call) -> None:
        self._refer(node.func, called=True)
        for argument in (*node.args, *node.keywords):
            self._visit(argument)

    def _mention(self, node: Any) -> None:
        self._refer(node, called=False)

    def _subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store | ast.Del):
            method = "__setitem__" if isinstance(node.ctx, ast.Store) else "__delitem__"
            self._refer(ast.Attribute(node.value, method, ast.Load(), lineno=node.lineno), called=True)
        else:
            self._visit(node.value)
        self._visit(node.slice)

    def _refer(self, node: ast.expr, *, called: bool) -> None:
        names: list[str] = []
        of_call = 0
        inner = node
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
            if isinstance(inner, ast.Call) and not of_call:
                of_call = len(names)
                for argument in (*inner.args, *inner.keywords):
                    self._visit(argument)
                inner = inner.func
        if not isinstance(inner, ast.Name):
            self._visit(inner)
            return
        if inner.id in self._local:
            return
        names.append(inner.id)
        path = tuple(reversed(names))
        called_at = len(path) - of_call if of_call else 0
        if called_at:
            self.result.found.append(Reference(path[:called_at], node.lineno, True))
        self.result.found.append(Reference(path, node.lineno, called, called_at))


_VISIT: Mapping[type[ast.AST], Callable[[_Scan, Any], None]] = {
    **dict.fromkeys((ast.If, ast.IfExp, ast.While, ast.Assert), _Scan._conditional),
    **dict.fromkeys((ast.With, ast.AsyncWith), _Scan._with),
    **dict.fromkeys((ast.Import, ast.ImportFrom), _Scan._import),
    **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef), _Scan._inner),
    **dict.fromkeys((ast.Name, ast.Attribute), _Scan._mention),
    ast.BoolOp: _Scan._operation,
    ast.Call: _Scan._call,
    ast.ExceptHandler: _Scan._except,
    ast.Lambda: _Scan._lambda,
    ast.Subscript: _Scan._subscript,
}


def _names_of_its_own(function: Function, package: str) -> set[str]:
    """Names that mean nothing outside the function; ``self`` is none of them, as a way to the class."""
    own: set[str] = set()
    others = {"self", "cls"}
    for node in ast.walk(function):
        if isinstance(node, ast.Global):
            others.update(node.names)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            others.update(name for _, name in bound_by(node, package))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            own.add(node.id)
        elif isinstance(node, ast.arg):
            own.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            own.add(node.name or "")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node is not function:
            own.add(node.name)
    return own - others
