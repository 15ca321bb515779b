"""The audit of classes: tricky cases, each decided by hand, and what it says beside the verdict."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from semafuzz.harness.audit.class_audit import audit_class
from semafuzz.harness.audit.facts import ClassAudit
from semafuzz.harness.audit.sources import Sources
from semafuzz.harness.errors import CodeError
from tests.audit.cases import CASES, HEAD


def audited(tmp_path: Path, source: str, lock: str = "_lock", name: str = "Case") -> ClassAudit:
    file = tmp_path / "case.py"
    file.write_text(source)
    sources = Sources((tmp_path,))
    return audit_class(sources, sources.read(file, "case").classes[name], lock)


def class_of(body: str) -> str:
    return HEAD + "\n\nclass Case(Base):\n" + textwrap.indent(body, "    ") + "\n"


@pytest.mark.parametrize("name", list(CASES))
def test_what_is_true_is_said(name: str, tmp_path: Path) -> None:
    body, verdict = CASES[name]
    compile(class_of(body), "case.py", "exec")
    found = audited(tmp_path, class_of(body)).methods["run"]
    assert found.verdict == verdict, found


def test_there_are_forty_and_more() -> None:
    assert len(CASES) >= 40
    assert len({verdict for _, verdict in CASES.values()}) == 3


def test_the_way_to_an_unguarded_change_is_shown(tmp_path: Path) -> None:
    body = "def run(self):\n    self._one()\ndef _one(self):\n    self._two()\ndef _two(self):\n    self.total = 1\n"
    found = audited(tmp_path, class_of(body))
    ((change, way),) = found.methods["run"].unguarded
    assert change.what == "self.total"
    assert [step.partition(" at ")[0] for step in way] == ["Case._one", "Case._two"]
    assert found.methods["_two"].verdict == "possibly unguarded"
    assert found.methods["_two"].entered[0].startswith("Case._one at case:")


def test_a_helper_is_guarded_by_all_of_its_callers(tmp_path: Path) -> None:
    body = "def run(self):\n    with self._lock:\n        self._help()\ndef _help(self):\n    self.total = 1\n"
    found = audited(tmp_path, class_of(body)).methods["_help"]
    assert (found.verdict, found.locks) == ("proven guarded", ("all callers",))


def test_a_function_that_is_handed_out_is_entered_without_the_lock(tmp_path: Path) -> None:
    body = "def run(self):\n    with self._lock:\n        return self._later\ndef _later(self):\n    self.total = 1\n"
    found = audited(tmp_path, class_of(body)).methods["_later"]
    assert found.verdict == "possibly unguarded"
    assert found.entered[0].startswith("handed out by Case.run")


def test_the_lock_is_found_where_nobody_names_it(tmp_path: Path) -> None:
    found = audited(tmp_path, class_of(CASES["plain with"][0]), lock="")
    assert (found.lock, found.inferred) == ("_lock", True)
    with pytest.raises(CodeError, match="makes no lock"):
        audited(tmp_path, "class Case:\n    def run(self): pass\n", lock="")


def test_a_lock_that_is_asked_for_by_its_name(tmp_path: Path) -> None:
    source = (
        "import utils\nNAME = 'things'\nclass Case:\n"
        "    @utils.synchronized(NAME, fair=True)\n    def run(self):\n        self.total = 1\n"
        "    @utils.synchronized('other')\n    def other(self):\n        self.total = 1\n"
        "    def block(self):\n        with utils.lock(NAME):\n            self.total = 1\n"
    )
    found = audited(tmp_path, source, lock="things")
    assert {name: one.verdict for name, one in found.methods.items()} == {
        "run": "proven guarded",
        "block": "proven guarded",
        "other": "possibly unguarded",
    }
    assert found.methods["run"].locks == ("decorator at case:4",)
