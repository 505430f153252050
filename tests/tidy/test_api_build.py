"""The build hook: what it writes is complete, is what the package uses, and needs no temporalio at run time."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from outlast.api import annotations, descriptors
from outlast.api.enums.v1 import EVENT_TYPE_TIMER_FIRED, EventType
from outlast.api.workflowservice.v1 import StartWorkflowExecutionRequest

ROOT = Path(__file__).parents[2]
API = Path(descriptors.__file__).parent


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _modules(directory: Path) -> list[Path]:
    found = (path.relative_to(directory) for path in directory.rglob("*.py"))
    return sorted(p for p in found if p.name not in {"__init__.py", "descriptors.py"})


def test_the_build_is_repeatable_and_skipped_when_nothing_changed(hook: ModuleType, tmp_path: Path) -> None:
    assert hook.write(tmp_path)
    assert not hook.write(tmp_path)
    assert _modules(tmp_path) == _modules(API)
    for path in tmp_path.rglob("*.pyi"):
        assert path.read_text() == (API / path.relative_to(tmp_path)).read_text()
    (tmp_path / "stale.py").touch()
    (tmp_path / hook.STAMP).write_text("other versions")
    assert hook.write(tmp_path)
    assert not (tmp_path / "stale.py").exists()


@pytest.mark.parametrize("path", _modules(API), ids=str)
def test_every_name_of_a_stub_is_there_at_run_time(path: Path) -> None:
    module = importlib.import_module(".".join(["outlast", "api", *path.with_suffix("").parts]))
    stub = ast.parse((API / path).with_suffix(".pyi").read_text())
    classes = [node.name for node in stub.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    values = [
        node.target.id for node in stub.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    values = [name for name in values if name not in {"DESCRIPTOR"} and not name.startswith(("Global___", "_"))]
    extensions = {name for name in values if name.endswith("_FIELD_NUMBER")}
    public = {*classes, *values} - extensions
    assert public
    assert public == set(module.__all__)
    assert all(hasattr(module, name) for name in public)


def test_the_services_are_there_with_their_routes() -> None:
    names = {name.rpartition(".")[2] for name in descriptors.SERVICES}
    assert names == {"WorkflowService", "OperatorService", "TestService"}
    service = descriptors.SERVICES["temporal.api.workflowservice.v1.WorkflowService"]
    rule = descriptors.options(service.methods_by_name["StartWorkflowExecution"]).Extensions[annotations.http]
    assert rule.post == "/namespaces/{namespace}/workflows/{workflow_id}"
    assert descriptors.message_class(service.methods_by_name["StartWorkflowExecution"].input_type.full_name) is (
        StartWorkflowExecutionRequest
    )


def test_enum_values_are_ints_and_wrappers_know_their_names() -> None:
    assert EVENT_TYPE_TIMER_FIRED == 18
    assert type(EVENT_TYPE_TIMER_FIRED) is int
    assert EventType.Name(EVENT_TYPE_TIMER_FIRED) == "EVENT_TYPE_TIMER_FIRED"


def test_a_name_that_is_not_there_is_refused_with_the_place() -> None:
    with pytest.raises(AttributeError, match=r"'outlast.api.common.v1' has no attribute 'Paylode'"):
        importlib.import_module("outlast.api.common.v1").Paylode
    with pytest.raises(KeyError):
        descriptors.message_class("temporal.api.common.v1.Paylode")


def test_the_package_never_imports_what_it_was_built_from() -> None:
    program = (
        "import sys, outlast.api.workflowservice.v1, outlast.vocab.payloads, outlast.vocab.errors\n"
        "sys.exit(any(m.split('.')[0] in {'temporalio', 'grpc_tools', 'hatchling'} for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
