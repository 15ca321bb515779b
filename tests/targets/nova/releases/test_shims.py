"""Shims do nothing for releases that do not need them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from semafuzz.targets.nova.releases import shims

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


def test_async_as_a_name_is_respelled_and_as_a_keyword_stays() -> None:
    source = b"# async\nx = api.async\nasync def f():\n    async with a: pass\n    async for b in c: pass\n'async'\n"
    respelled = shims._respelled(source).decode()
    assert respelled == source.decode().replace("api.async", "api.async_")
    compile(respelled, "respelled", "exec")


def test_only_modules_that_are_no_python_are_respelled(tmp_path: Path) -> None:
    for name, text in (("old", "x = y.async\n"), ("wrong", "x = = 1\n")):
        (tmp_path / f"{name}.py").write_text(text)

    def compiled(name: str) -> CodeType:
        path = str(tmp_path / f"{name}.py")
        return shims._RespellingLoader(name, path).source_to_code(Path(path).read_bytes(), path)

    assert "async_" in compiled("old").co_names
    with pytest.raises(SyntaxError):
        compiled("wrong")


def test_newer_releases_get_no_names_of_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in for dropped names looks at the release first."""
    calls = []
    for name in ("_load_by_paths", "_name_tenants", "_retry_always", "_name_idle_timeout"):
        monkeypatch.setattr(shims, name, lambda name=name: calls.append(name))
    shims.stand_in_for_newer_libraries()
    assert calls == []
    monkeypatch.setattr(shims, "_source_of", lambda module: "joinedload_all kwargs['tenant'] retry_on_request")
    shims.stand_in_for_newer_libraries()
    assert calls == ["_load_by_paths", "_name_tenants", "_retry_always"]


def test_the_plain_lock_of_old_releases_is_seen_and_each_hosts_own() -> None:
    from oslo_concurrency import lockutils

    from semafuzz.targets.nova.world.named_locks import TRACKER_LOCK, forget_locks, running_host, visible_sections

    forget_locks()
    with visible_sections():
        names = []
        for host in ("host1", "host2"):
            token = running_host.set(host)
            with lockutils.lock(TRACKER_LOCK) as lock:
                names.append(lock._name if hasattr(lock, "_name") else "")
            running_host.reset(token)
        # Held by one host, it is free for the other: another way round would hang here.
        token = running_host.set("host1")
        with lockutils.internal_lock(TRACKER_LOCK):
            running_host.set("host2")
            with lockutils.internal_lock(TRACKER_LOCK):
                pass
        running_host.reset(token)
        assert not hasattr(lockutils.internal_lock("another"), "_name")
    assert names == ["host1/compute_resources", "host2/compute_resources"]
    forget_locks()
