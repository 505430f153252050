"""The private descriptor pool behind outlast.api, and the classes made from it.

Rule: the pool is ours alone, so that `temporalio`, which registers the same names in protobuf's default pool, can live
in the same process. Classes are made when first asked for: importing a module of outlast.api costs next to nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    EnumValueDescriptor,
    FieldDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message


def _load() -> tuple[DescriptorPool, Mapping[str, ServiceDescriptor]]:
    path = Path(__file__).with_name("descriptors.binpb")
    if not path.is_file():
        raise ImportError(f"{path} is missing: it is written at build time. Run `pip install -e .` in the source tree.")
    pool = DescriptorPool()
    services = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
        for service in file.service:
            name = f"{file.package}.{service.name}"
            services[name] = pool.FindServiceByName(name)
    return pool, MappingProxyType(services)


_LOADED: Final = _load()
POOL: Final[DescriptorPool] = _LOADED[0]
SERVICES: Final[Mapping[str, ServiceDescriptor]] = _LOADED[1]


def message_class(full_name: str) -> type[Message]:
    """The class of a message in our pool, always the same object for the same name.

    Args:
        full_name: protobuf's full name, "temporal.api.common.v1.Payload".

    Raises:
        KeyError: the pool has no such message.
    """
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(full_name))


def options(descriptor: MethodDescriptor | FieldDescriptor | Descriptor | EnumValueDescriptor) -> Message:
    """The options of a descriptor, as a message of our pool, so that `.Extensions[annotations.http]` works on it.

    protobuf's own `GetOptions()` answers with a class of the default pool, which knows none of our extensions.
    """
    given: Message = descriptor.GetOptions()
    return message_class(given.DESCRIPTOR.full_name).FromString(given.SerializeToString())


def exports(module: str, package: str, files: tuple[str, ...]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of the module that stands for a proto package.

    Top-level messages become classes, enums their wrappers, values of enums ints, extensions their descriptors. What
    has been asked for once is kept in the module and found without this function afterwards.

    Args:
        module: `__name__` of the calling module.
        package: full name of the proto package.
        files: names of all files of the package in the pool.
    """
    descriptors = [POOL.FindFileByName(name) for name in files]
    namespace = sys.modules[module].__dict__

    @cache
    def enum_values() -> dict[str, int]:
        enums: list[EnumDescriptor] = [enum for file in descriptors for enum in file.enum_types_by_name.values()]
        return {value.name: value.number for enum in enums for value in enum.values}

    def lookup(name: str) -> Any:
        for file in descriptors:
            if name in file.message_types_by_name:
                found = message_factory.GetMessageClass(file.message_types_by_name[name])
                found.__module__ = module  # protobuf leaves None; pickle needs the place
                return found
            if name in file.enum_types_by_name:
                return EnumTypeWrapper(file.enum_types_by_name[name])
            if name in file.extensions_by_name:
                return file.extensions_by_name[name]
        return enum_values()[name]

    def names() -> list[str]:
        found = [
            n for f in descriptors for n in (*f.message_types_by_name, *f.enum_types_by_name, *f.extensions_by_name)
        ]
        return sorted([*found, *enum_values()])

    def getattr_(name: str) -> Any:
        if name == "__all__":
            return names()
        try:
            value = namespace[name] = lookup(name)
        except KeyError:
            raise AttributeError(f"module {module!r} has no attribute {name!r}: {package} does not define it") from None
        return value

    return getattr_, names
