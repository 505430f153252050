"""The table of routes that the UI goes by is what the service's descriptors say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import outlast.server
from outlast.api import annotations, descriptors

WEB = Path(outlast.server.__file__).with_name("web")
_SERVICES = ("temporal.api.workflowservice.v1.WorkflowService", "temporal.api.operatorservice.v1.OperatorService")
_ENTRY = re.compile(r'(\w+): \[\s*("\w+"),\s*("[^"]+"),?\s*\]')


def _routes() -> dict[str, tuple[str, str]]:
    text = (WEB / "routes.js").read_text()
    return {name: (json.loads(verb), json.loads(path)) for name, verb, path in _ENTRY.findall(text)}


def _bindings(rpc: str) -> set[tuple[str, str]]:
    for service in _SERVICES:
        method = descriptors.SERVICES[service].methods_by_name.get(rpc)
        if method is not None:
            rule = descriptors.options(method).Extensions[annotations.http]  # type: ignore[attr-defined]
            rules = [rule, *rule.additional_bindings]
            bindings = {(kind.upper(), getattr(each, kind)) for each in rules if (kind := each.WhichOneof("pattern"))}
            return bindings or {("POST", f"/api/v1/{service}/{rpc}")}
    raise AssertionError(f"no service has {rpc}")


def test_the_table_is_read() -> None:
    assert len(_routes()) == (WEB / "routes.js").read_text().count("/api/v1/") > 15


@pytest.mark.parametrize("rpc", _routes())
def test_a_route_is_a_binding_of_its_rpc(rpc: str) -> None:
    assert _routes()[rpc] in _bindings(rpc)


def test_every_route_is_used_and_every_call_has_one() -> None:
    sources = "".join(path.read_text() for path in WEB.rglob("*.js") if path.name != "routes.js")
    called = set(re.findall(r'(?:call|page)\(\s*"(\w+)"', sources))
    assert called == set(_routes())


def test_nothing_becomes_markup_or_leaves_the_server() -> None:
    for path in WEB.rglob("*"):
        if path.suffix in {".js", ".css", ".html"}:
            text = path.read_text()
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
            ), path
            assert not re.search(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w-]+\.\w", text), path
    page = (WEB / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
