"""Modules of users, written and imported for one test."""

from __future__ import annotations

import importlib.util
import itertools
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

_number = itertools.count()

HEAD = """
import asyncio, concurrent.futures, os, random, secrets, socket, subprocess, threading, time, uuid
import datetime as clock
import multiprocessing as mp
import sqlite3, urllib.request, pathlib, tempfile, shutil, logging, json, re
from datetime import date, datetime as dt, timedelta
from os import environ, getcwd
from pathlib import Path
from random import choice as pick
from time import sleep as nap, time as seconds
from uuid import uuid4
from outlast import activity, workflow
"""


class Module(Protocol):
    """Imports source text as a module with a file of its own."""

    def __call__(self, source: str, name: str = "") -> ModuleType: ...


def workflow_source(body: str, top: str = "") -> str:
    """A module with a workflow ``W`` whose run method has this body."""
    return (
        f"{HEAD}{textwrap.dedent(top)}\n"
        "@workflow.defn\nclass W:\n    @workflow.run\n    async def run(self) -> None:\n"
        f"{textwrap.indent(textwrap.dedent(body).strip(), ' ' * 8)}\n"
    )


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Module]:
    """Imports modules, and forgets them afterwards."""
    before = set(sys.modules)

    def load(source: str, name: str = "") -> ModuleType:
        name = name or f"user_module_{next(_number)}"
        path = tmp_path / f"{name}.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        made = importlib.util.module_from_spec(spec)
        sys.modules[name] = made
        spec.loader.exec_module(made)
        return made

    yield load
    for name in set(sys.modules) - before:
        if name.startswith("user_"):
            del sys.modules[name]
