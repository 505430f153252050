"""The house rules that a program can check. Every bound holds for every file; exceptions are listed, with reasons."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES = 500
FUNCTION_LINES = 70
CLASS_LINES = 300
CLASS_ATTRIBUTES = 15

# Facades: their length is signatures and docstrings of public names, which users look up together.
LONG_FILES = {
    "src/outlast/workflow/_activities.py": "overloads of what runs an activity, one for every kind of callable",
}
LONG_FUNCTIONS: dict[str, str] = {}
LONG_CLASSES: dict[str, str] = {}
WIDE_CLASSES = {
    "src/outlast/engine/execution/state.py:ExecutionState": "the stored record of a run: one field for each fact",
    "src/outlast/client/_schedule_action.py:ScheduleActionStartWorkflow": "its fields are Temporal's",
    "src/outlast/engine/schedule/state.py:ScheduleState": "the stored record of a schedule: one field for each fact",
}

VAGUE = {"util", "utils", "helper", "helpers", "base", "misc", "manager", "impl"}
# Packages whose __init__ is the public list: only they have modules with an underscore.
USER_FACING = {"activity", "client", "common", "converter", "runtime", "service", "testing", "worker", "workflow"}
BRAINS = ("engine/execution", "replay")
NOUNS = {
    "activity",
    "child_workflow",
    "external_workflow",
    "marker",
    "properties",
    "query",
    "signal",
    "timer",
    "update",
}
# Written so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|\bfor " + r"now\b")
THIS_MACHINE = re.compile(r"/ro" + r"ot/|/wo" + r"rk/|/ho" + r"me/\w|/tm" + r"p/")


def _files() -> list[Path]:
    """What git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [ROOT / name for name in sorted(set(listed)) if (ROOT / name).is_file()]


FILES = _files()
PYTHON = [path for path in FILES if path.suffix == ".py"]
SOURCES = [path for path in PYTHON if path.is_relative_to(ROOT / "src")]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    """Lines from the name to the end, without the docstrings in between: explaining more is never what is too long."""
    assert node.end_lineno is not None
    inner = [n for n in ast.walk(node) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    documented = [n.body[0] for n in inner if ast.get_docstring(n, clean=False) is not None]
    explained = sum(d.end_lineno - d.lineno + 1 for d in documented if d.end_lineno is not None)
    return node.end_lineno - node.lineno + 1 - explained


def _definitions(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for path in PYTHON:
        for node in ast.walk(_tree(path)):
            if isinstance(node, kinds):
                yield f"{_name(path)}:{getattr(node, 'name', '')}", node


def _imports(path: Path) -> Iterator[str]:
    """The absolute names of what a file of src imports, wherever in the file: "module" or "module.name"."""
    package = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts[:-1])
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _compare(found: dict[str, int], limit: int, excepted: dict[str, str]) -> None:
    over = {name: size for name, size in found.items() if size > limit}
    too_big = {name: size for name, size in over.items() if name not in excepted}
    assert not too_big, f"larger than {limit}: cut along the nouns, or list with a reason"
    assert not set(excepted) - set(over), "listed as an exception, but small enough now"


def test_there_are_files_to_check() -> None:
    assert len(SOURCES) > 50


def test_files_are_short() -> None:
    code = [path for path in FILES if path.suffix in {".py", ".js", ".css", ".sql"}]
    _compare({_name(path): len(path.read_text().splitlines()) for path in code}, FILE_LINES, LONG_FILES)


def test_functions_are_short() -> None:
    found = {name: _lines(node) for name, node in _definitions(ast.FunctionDef, ast.AsyncFunctionDef)}  # type: ignore[arg-type]
    _compare(found, FUNCTION_LINES, LONG_FUNCTIONS)


def test_classes_are_short() -> None:
    found = {name: _lines(node) for name, node in _definitions(ast.ClassDef)}  # type: ignore[arg-type]
    _compare(found, CLASS_LINES, LONG_CLASSES)


def test_classes_have_few_attributes() -> None:
    found = {name: len(_attributes(node, _is_user_facing(name))) for name, node in _definitions(ast.ClassDef)}  # type: ignore[arg-type]
    _compare(found, CLASS_ATTRIBUTES, WIDE_CLASSES)


def _attributes(class_: ast.ClassDef, user_facing: bool) -> set[str]:
    """Fields declared in the body, and names assigned on self in any method.

    What a frozen record declares does not count: it is a value, written out where it is made, and cannot grow state.
    Nor do the declarations of user-facing packages, whose fields are Temporal's.
    """
    declared = {n.target.id for n in class_.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    stores = (n for n in ast.walk(class_) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store))
    declared = set() if user_facing or _is_frozen(class_) else declared
    return declared | {n.attr for n in stores if isinstance(n.value, ast.Name) and n.value.id == "self"}


def _is_user_facing(name: str) -> bool:
    return name.startswith(tuple(f"src/outlast/{package}/" for package in USER_FACING))


def _is_frozen(class_: ast.ClassDef) -> bool:
    calls = (n for n in [*class_.decorator_list, *class_.bases] if isinstance(n, ast.Call))
    keywords = [k for call in calls for k in call.keywords] + class_.keywords
    return any(k.arg == "frozen" and isinstance(k.value, ast.Constant) and k.value.value is True for k in keywords)


def test_names_say_what_is_inside() -> None:
    vague = [_name(path) for path in FILES if path.stem.strip("_").lower() in VAGUE]
    assert not vague


def test_underscore_modules_stand_only_in_user_facing_packages() -> None:
    private = [path for path in SOURCES if path.stem.startswith("_") and not path.stem.startswith("__")]
    misplaced = [_name(p) for p in private if p.relative_to(ROOT / "src" / "outlast").parts[0] not in USER_FACING]
    assert not misplaced


def test_every_module_says_what_it_is() -> None:
    silent = [_name(path) for path in PYTHON if path.stat().st_size and not ast.get_docstring(_tree(path))]
    assert not silent, "a module docstring says what lives here, and its rule"


def test_annotations_are_not_evaluated() -> None:
    marker = "from __future__ import annotations"
    without = [_name(path) for path in SOURCES if _annotated(path) and marker not in path.read_text()]
    assert not without


def _annotated(path: Path) -> bool:
    return any(isinstance(n, ast.AnnAssign | ast.FunctionDef | ast.AsyncFunctionDef) for n in ast.walk(_tree(path)))


@pytest.mark.parametrize("words", [UNFINISHED, THIS_MACHINE], ids=["unfinished", "this-machine"])
def test_forbidden_words(words: re.Pattern[str]) -> None:
    texts = [p for p in FILES if p.suffix in {".py", ".md", ".js", ".css", ".html", ".sql", ".toml", ".yml", ".yaml"}]
    found = [
        f"{_name(path)}:{number}: {line.strip()}"
        for path in texts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if words.search(line)
    ]
    assert not found


def test_messages_come_from_our_pool() -> None:
    door = "src/outlast/api/descriptors.py"
    others = {
        f"{_name(path)} imports {name}"
        for path in SOURCES
        for name in _imports(path)
        if re.search(r"^(google|temporalio)\..*_pb2(\.|$)", name) and _name(path) != door
    }
    assert not others, "protobuf's default pool holds other classes than ours: import from outlast.api"


@pytest.mark.parametrize("brain", BRAINS)
def test_nouns_do_not_import_each_other(brain: str) -> None:
    package = f"outlast.{brain.replace('/', '.')}."
    nouns = [path for path in SOURCES if path.parent == ROOT / "src" / "outlast" / brain and path.stem in NOUNS]
    assert nouns
    crossed = [
        f"{path.stem} imports {name}"
        for path in nouns
        for name in _imports(path)
        if name.startswith(package) and name.removeprefix(package).split(".")[0] in NOUNS - {path.stem}
    ]
    assert not crossed


def test_exceptions_have_reasons() -> None:
    for listed in (LONG_FILES, LONG_FUNCTIONS, LONG_CLASSES, WIDE_CLASSES):
        assert all(len(reason) > 20 for reason in listed.values())
