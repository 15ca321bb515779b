"""Shims do nothing for releases that do not need them."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from targets.nova import shims

pytestmark = pytest.mark.nova


@pytest.mark.parametrize("old", [True, False])
def test_names_stand_in_for_old_releases_only(monkeypatch: pytest.MonkeyPatch, old: bool) -> None:
    from oslo_utils import secretutils

    monkeypatch.setattr(shims, "_source_of", lambda module: "import pkg_resources" if old else "")
    monkeypatch.setattr(secretutils, "md5", None, raising=False)
    for name in ("netifaces", "pkg_resources"):
        # Put back, or taken out again, when the test ends.
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        del sys.modules[name]
    shims.stand_in_for_old_libraries()
    assert [name in sys.modules for name in ("netifaces", "pkg_resources")] == [old, old]
    if old:
        # pytest looks for namespace packages where this module is there.
        monkeypatch.syspath_prepend("nowhere")


def test_sources_are_read_and_not_imported() -> None:
    assert "class RequestContext" in shims._source_of("nova.context")
    assert "def patch(backend" in shims._source_of("nova.monkey_patch")
    assert shims._source_of("nova.no_such_module") == ""
    assert shims._source_of("no_such_package.module") == ""


def test_older_releases_are_not_asked_to_patch(monkeypatch: pytest.MonkeyPatch) -> None:
    from nova import monkey_patch

    asked: list[str] = []
    monkeypatch.setattr(monkey_patch, "patch", lambda backend="auto": asked.append(backend))
    for text in ("", "def _monkey_patch(): pass", "def patch(): pass", "def patch(backend='auto'): pass"):
        monkeypatch.setattr(shims, "_source_of", lambda module, text=text: text)
        shims.choose_threads()
    assert asked == ["auto", "threading"]
