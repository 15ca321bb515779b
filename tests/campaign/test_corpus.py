"""What is known stays known: whole files, one user at a time, nothing believed blindly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from semafuzz.campaign.corpus import Corpus, Known
from semafuzz.harness.errors import UsageError

ONE = Known("reference", "", "abc", "invariant", "error", "text", "audit()", ("audit",), "night")
OTHER = msgspec.structs.replace(ONE, release="34.0.0", message="../../<script>")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    made = Corpus(tmp_path / "corpus")
    with made.held():
        pass
    return made


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace.json"
    path.write_bytes(b"{}")
    return path


def test_what_is_added_is_known(corpus: Corpus, trace: Path) -> None:
    assert corpus.all() == []
    for known in (ONE, OTHER, ONE):
        corpus.add(known, trace)
    assert {repr(one) for one in corpus.all()} == {repr(ONE), repr(OTHER)}
    assert corpus.trace_of(ONE).read_bytes() == b"{}"
    corpus.note(msgspec.structs.replace(ONE, state="gone", changed="n"))
    assert sorted(one.state for one in corpus.all()) == ["gone", "kept"]


def test_who_deletes_a_trace_has_forgotten_the_finding(corpus: Corpus, trace: Path) -> None:
    corpus.add(ONE, trace)
    corpus.trace_of(ONE).unlink()
    assert corpus.all() == []


def test_no_text_of_a_target_is_a_path(corpus: Corpus, trace: Path) -> None:
    hostile = msgspec.structs.replace(ONE, target="../../x", release="/etc/passwd", signature="\0\n")
    corpus.add(hostile, trace)
    assert corpus.all() == [hostile]
    assert {path.parent for path in corpus.folder.rglob("*.json")} == {corpus.folder / "findings"}


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"target": 1}', b"\xff", b"{" * 100_000, b" " * (1 << 21)])
def test_a_damaged_record_is_named_and_nothing_is_lost(corpus: Corpus, trace: Path, damaged: bytes) -> None:
    corpus.add(ONE, trace)
    (record,) = corpus.folder.rglob("*.known.json")
    record.write_bytes(damaged)
    with pytest.raises(UsageError, match="delete it"):
        corpus.all()
    assert corpus.trace_of(ONE).exists()


def test_a_record_under_another_name_is_refused(corpus: Corpus, trace: Path) -> None:
    corpus.add(ONE, trace)
    (record,) = corpus.folder.rglob("*.known.json")
    record.rename(record.with_name("0123456789abcdef.known.json"))
    with pytest.raises(UsageError, match="not the record of that name"):
        corpus.all()


def test_one_user_at_a_time(corpus: Corpus) -> None:
    with corpus.held(), pytest.raises(UsageError, match="another run uses the corpus"), Corpus(corpus.folder).held():
        pass
    with corpus.held():
        pass


def test_who_is_killed_holds_it_no_longer(corpus: Corpus) -> None:
    code = "import os, sys; from pathlib import Path; from semafuzz.campaign.corpus import Corpus\n"
    code += "with Corpus(Path(sys.argv[1])).held(): os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", code, str(corpus.folder)], check=False)
    assert done.returncode == -9
    with corpus.held():
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="give another --corpus"), Corpus(tmp_path / "corpus").held():
        pass


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "corpus").write_text("")
    with pytest.raises(UsageError, match="give another --corpus"), Corpus(tmp_path / "corpus").held():
        pass
