"""Writes src/outlast/api/: Temporal's messages as one descriptor set, one tiny module per proto package, and stubs.

Rule: nothing about an individual message is written by hand. The descriptors come from the `temporalio` package of the
build environment, which the built package never needs.

hatchling calls ApiBuildHook for wheels and for editable installs. `write(target)` does the same from Python.
Work is skipped while the inputs (this file and the versions of the packages it reads) are the same as last time.
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INPUTS = ("temporalio", "protobuf", "googleapis-common-protos", "grpcio-tools", "mypy-protobuf")

# The roots; everything that they import comes along. All *_pb2 modules of a package, or one module by its own name.
SOURCES = (
    "temporalio.api.workflowservice.v1",
    "temporalio.api.operatorservice.v1",
    "temporalio.api.testservice.v1",
    "temporalio.api.errordetails.v1",
    "temporalio.api.sdk.v1",
    "google.rpc.status_pb2",
    "google.rpc.code_pb2",
    *(
        f"google.protobuf.{name}_pb2"
        for name in ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
    ),
)

# Proto packages outside temporal.api that get a module. Packages not named here are in the pool only.
GOOGLE_MODULES = {"google.protobuf": "protobuf", "google.rpc": "rpc", "google.api": "annotations"}
TEMPORAL_PREFIX = "temporal.api."

DESCRIPTOR_SET = "descriptors.binpb"
STAMP = ".stamp"
HAND_WRITTEN = frozenset({"__init__.py", "descriptors.py"})

MODULE = '''\
"""Proto package {package}. Written by hatch_build.py: do not edit."""

from outlast.api import descriptors

__getattr__, __dir__ = descriptors.exports(__name__, "{package}", {files})
'''


class ApiBuildHook(BuildHookInterface[Any]):
    """hatchling's entry point: makes src/outlast/api/ complete before a wheel or an editable install is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the files; `version` is hatchling's word for the kind of wheel and makes no difference here."""
        write(Path(self.root, "src", "outlast", "api"))


def write(target: Path) -> bool:
    """Bring `target` up to date. Returns False when nothing had to be done."""
    stamp = _stamp()
    if (target / STAMP).is_file() and (target / STAMP).read_text() == stamp and (target / DESCRIPTOR_SET).is_file():
        return False
    files = _collect()
    modules = {f.package: name for f in files if (name := _module_name(f))}
    with tempfile.TemporaryDirectory() as scratch:
        generated = Path(scratch, "api")
        generated.mkdir()
        _write_descriptor_set(files, generated / DESCRIPTOR_SET)
        _write_modules(files, modules, generated)
        _write_stubs(files, modules, generated, Path(scratch))
        _clear(target)
        shutil.copytree(generated, target, dirs_exist_ok=True)
    (target / STAMP).write_text(stamp)
    return True


def _stamp() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return "\n".join([digest, *(f"{name} {installed_version(name)}" for name in INPUTS)]) + "\n"


def _collect() -> list[Any]:
    """The FileDescriptorProtos of SOURCES and of all that they import, dependencies first."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    ordered: dict[str, Any] = {}

    def add(file: Any) -> None:
        if file.name in ordered:
            return
        for dependency in file.dependencies:
            add(dependency)
        proto = FileDescriptorProto()
        file.CopyToProto(proto)
        ordered[file.name] = proto

    for source in SOURCES:
        for name in _generated_modules(source):
            add(importlib.import_module(name).DESCRIPTOR)
    return list(ordered.values())


def _generated_modules(source: str) -> list[str]:
    if source.endswith("_pb2"):
        return [source]
    paths = importlib.import_module(source).__path__
    return sorted(f"{source}.{module.name}" for module in pkgutil.iter_modules(paths) if module.name.endswith("_pb2"))


def _module_name(file: Any) -> str | None:
    """The module below outlast.api that shows this file; None when the file is in the pool only."""
    if file.syntax != "proto3":  # descriptor.proto: only the options of the others need it
        return None
    if file.package.startswith(TEMPORAL_PREFIX):
        return str(file.package.removeprefix(TEMPORAL_PREFIX))
    return GOOGLE_MODULES.get(file.package)


def _write_descriptor_set(files: Iterable[Any], path: Path) -> None:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    path.write_bytes(FileDescriptorSet(file=files).SerializeToString(deterministic=True))


def _write_modules(files: list[Any], modules: Mapping[str, str], target: Path) -> None:
    for package, name in modules.items():
        path = target.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        names = tuple(f.name for f in files if _module_name(f) == name)
        path.write_text(MODULE.format(package=package, files=names))
        if path.parent != target:
            path.with_name("__init__.py").touch()


def _write_stubs(files: list[Any], modules: Mapping[str, str], target: Path, scratch: Path) -> None:
    """One stub per module: the files of a package are merged into one, named so that protoc's output imports match.

    Go, too, has one package per proto package and allows no cycle between packages, so merging creates none.
    """
    merged = list(_merged(files))
    descriptor_set = scratch / "merged.binpb"
    _write_descriptor_set(merged, descriptor_set)
    output = scratch / "stubs"
    output.mkdir()
    plugin = shutil.which("protoc-gen-mypy", path=str(Path(sys.executable).parent)) or shutil.which("protoc-gen-mypy")
    wanted = [f.name for f in merged if f.name.startswith("outlast/api/")]
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc"),
            *(f"--plugin=protoc-gen-mypy={plugin}", f"--descriptor_set_in={descriptor_set}", f"--mypy_out={output}"),
            *wanted,
        ],
        check=True,
    )
    for name in modules.values():
        path = Path("outlast", "api", *name.split("."))
        text = output.joinpath(path.with_name(path.name + "_pb2.pyi")).read_text()
        target.joinpath(*name.split(".")).with_suffix(".pyi").write_text(_stub_text(text, modules))


def _merged(files: list[Any]) -> Iterator[Any]:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    def home(file: Any) -> str:
        name = _module_name(file)
        return f"outlast/api/{name.replace('.', '/')}.proto" if name else str(file.name)

    homes = {f.name: home(f) for f in files}
    for name in dict.fromkeys(homes.values()):
        result = FileDescriptorProto(name=name)
        for part in (f for f in files if homes[f.name] == name):
            own = FileDescriptorProto()
            own.CopyFrom(part)
            for field in ("name", "dependency", "public_dependency", "weak_dependency", "source_code_info"):
                own.ClearField(field)
            result.MergeFrom(own)
            dependencies = {homes[d] for d in part.dependency} - {name}
            result.dependency.extend(sorted(dependencies - set(result.dependency)))
        yield result


def _stub_text(text: str, modules: Mapping[str, str]) -> str:
    for name in modules.values():
        tail = name.rpartition(".")[2]
        text = text.replace(f"outlast.api.{name}_pb2", f"outlast.api.{name}")
        text = text.replace(f"import {tail}_pb2 as ", f"import {tail} as ")
    # An enum value is a plain int here, as it is at run time: state and tables hold ints, not one NewType per enum.
    return text.replace(
        'ValueType = _typing.NewType("ValueType", _builtins.int)', "ValueType: _typing.TypeAlias = _builtins.int"
    )


def _clear(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in target.iterdir():
        if path.name in HAND_WRITTEN:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()
