"""A corpus that is kept on another filesystem: nothing is lost, and one run has it at a time."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from semafuzz.campaign.remote import copy as remote_copy
from semafuzz.campaign.remote import lease as lease_module
from semafuzz.campaign.remote.copy import copied, folder_of, is_address
from semafuzz.campaign.remote.filesystem import UNFINISHED, RemoteError, RemoteFolder
from semafuzz.campaign.remote.lease import NAME, Lease, leased
from semafuzz.harness.errors import UsageError
from tests.conftest import Run

URL = "memory://corpora/one"
NIGHT = ("nightly", "reference", "--no-pages", "--set", "defect=missing_lock", "--schedules", "600", "--seed", "7")


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The caches of two machines; the first is the one that tests are on."""
    import fsspec

    both = [tmp_path / "one", tmp_path / "two"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(both[0]))
    monkeypatch.setattr(lease_module, "SETTLED", 0.0)
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    yield both
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def put(name: str, text: str, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine keeps a file in the corpus."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine))
    with copied(URL) as folder:
        (folder / "findings").mkdir(exist_ok=True)
        (folder / "findings" / name).write_text(text)


def seen(machine: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a machine has of the corpus."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine))
    with copied(URL) as folder:
        return {path.name: path.read_text() for path in sorted((folder / "findings").glob("*"))}


def there() -> dict[str, str]:
    remote = RemoteFolder(URL)
    return {one.name: (remote.read(one.name) or b"").decode() for one in remote.files("findings")}


def test_what_is_an_address() -> None:
    assert is_address("s3://bucket/findings")
    assert not is_address("findings")
    assert not is_address("/var/findings")


def test_a_night_on_another_machine_knows_what_the_first_found(semafuzz: Run, tmp_path: Path) -> None:
    corpus = f"file://{tmp_path}/corpus"
    answers = [
        semafuzz(*NIGHT, "--corpus", corpus, "--json", XDG_CACHE_HOME=str(tmp_path / machine))
        for machine in ("one", "two")
    ]
    first, second = [json.loads(one.stdout) for one in answers]
    assert [one.returncode for one in answers] == [1, 0]
    assert first["new"]
    assert not second["new"]
    assert second["known"] == first["known"]
    assert len(list((tmp_path / "corpus" / "findings").glob("*.trace.json"))) == first["known"]
    assert (tmp_path / "corpus" / "summary.md").is_file()
    assert not (tmp_path / "corpus" / NAME).exists()


def test_what_one_machine_keeps_another_has(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.trace.json", "one", machines[0], monkeypatch)
    put("b.trace.json", "two", machines[1], monkeypatch)
    assert seen(machines[0], monkeypatch) == {"a.trace.json": "one", "b.trace.json": "two"}
    put("a.trace.json", "smaller", machines[1], monkeypatch)
    assert seen(machines[0], monkeypatch)["a.trace.json"] == "smaller"


def test_a_machine_without_a_copy_empties_nothing(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.trace.json", "one", machines[0], monkeypatch)
    assert seen(machines[1], monkeypatch) == {"a.trace.json": "one"}
    assert there() == {"findings/a.trace.json": "one"}


def test_who_deletes_a_trace_there_has_forgotten_it(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.trace.json", "one", machines[0], monkeypatch)
    RemoteFolder(URL).remove("findings/a.trace.json")
    assert seen(machines[0], monkeypatch) == {}
    assert there() == {}


def test_half_a_file_is_none(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    RemoteFolder(URL).create(f"findings/{UNFINISHED}1-a.trace.json", b"ha")
    assert seen(machines[0], monkeypatch) == {}


def test_a_name_that_is_none_of_ours_is_not_followed(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert remote_copy._is_ours("findings/a.trace.json")
    for name in (
        "findings/../a.trace.json", "a.trace.json", "other/a.trace.json", "findings/a/b.trace.json", "findings/..",
        "findings/", "findings/..\\a.trace.json", "findings/.gitkeep", "findings/a.trace.json\n",
    ):  # fmt: skip
        assert not remote_copy._is_ours(name), name
    RemoteFolder(URL).create("findings/.gitkeep", b"")
    assert seen(machines[0], monkeypatch) == {}
    assert "findings/.gitkeep" in there()


def test_a_copy_that_is_lost_in_the_night_removes_no_finding(
    machines: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.trace.json", "one", machines[0], monkeypatch)
    with copied(URL) as folder:
        shutil.rmtree(folder / "findings")
    assert there() == {"findings/a.trace.json": "one"}
    assert seen(machines[0], monkeypatch) == {"a.trace.json": "one"}


def test_what_ended_the_night_is_what_is_told(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    real = RemoteFolder.write

    def refuse(self: RemoteFolder, name: str, data: bytes) -> str:
        if name == NAME:
            return real(self, name, data)
        raise RemoteError("memory://: no room")

    monkeypatch.setattr(RemoteFolder, "write", refuse)

    def interrupted() -> None:
        with copied(URL) as folder:
            (folder / "findings").mkdir()
            (folder / "findings" / "a.trace.json").write_text("one")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as told:
        interrupted()
    assert "no room" in told.value.__notes__[0]


def test_what_was_changed_on_both_sides_is_set_aside(
    machines: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put("a.trace.json", "one", machines[0], monkeypatch)
    here = folder_of(URL)
    (here / "findings" / "a.trace.json").write_text("never put back")
    put("a.trace.json", "smaller", machines[1], monkeypatch)
    assert seen(machines[0], monkeypatch) == {"a.trace.json": "smaller"}
    assert (here / "set-aside" / "a.trace.json").read_text() == "never put back"
    assert "changed elsewhere too" in capsys.readouterr().err


def test_one_run_at_a_time(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.trace.json", "one", machines[0], monkeypatch)
    with copied(URL):
        with pytest.raises(UsageError, match="on this machine; wait"):
            seen(machines[0], monkeypatch)
        with pytest.raises(UsageError, match="another run uses the corpus memory"):
            seen(machines[1], monkeypatch)
    assert seen(machines[1], monkeypatch) == {"a.trace.json": "one"}


def test_the_lease_of_a_killed_run_ends(machines: list[Path]) -> None:
    folder = RemoteFolder(URL)
    Lease(folder, "killed", 600, time.time).take()
    with pytest.raises(UsageError, match="another run"), leased(folder):
        pass
    with leased(folder, now=lambda: time.time() + 601) as lease:
        assert lease.is_ours()
    assert folder.read(NAME) is None


def test_a_lease_that_has_run_out_is_nobodys(machines: list[Path]) -> None:
    folder, now = RemoteFolder(URL), [0.0]
    lease = Lease(folder, "one", 600, lambda: now[0])
    lease.take()
    assert lease.is_ours()
    now[0] = 601.0
    assert not lease.is_ours()
    lease.renew()
    assert not lease.is_ours(), "another may have it"


def test_a_lease_is_renewed_while_it_is_used(machines: list[Path]) -> None:
    folder = RemoteFolder(URL)
    with leased(folder, seconds=0.2):
        first = folder.read(NAME)
        deadline = time.monotonic() + 30
        while folder.read(NAME) == first:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_damaged_lease_is_named(machines: list[Path]) -> None:
    RemoteFolder(URL).create(NAME, b"{")
    with pytest.raises(UsageError, match=r"lease.json is damaged; delete it"), copied(URL):
        pass


def test_who_has_lost_the_lease_puts_nothing_back(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RemoteFolder(URL)

    def lose_it() -> None:
        with copied(URL) as here:
            (here / "findings").mkdir()
            (here / "findings" / "a.trace.json").write_text("one")
            folder.remove(NAME)
            Lease(folder, "other", 600, time.time).take()

    with pytest.raises(UsageError, match="another run has taken the corpus"):
        lose_it()
    assert there() == {}
    folder.remove(NAME)
    assert seen(machines[0], monkeypatch) == {"a.trace.json": "one"}
    assert there() == {"findings/a.trace.json": "one"}


def test_what_could_not_be_put_back_is_put_back_by_the_next(
    machines: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RemoteFolder.write

    def refuse(self: RemoteFolder, name: str, data: bytes) -> str:
        if name.startswith("findings"):
            raise RemoteError("memory://: no room")
        return real(self, name, data)

    monkeypatch.setattr(RemoteFolder, "write", refuse)
    with pytest.raises(UsageError, match=r"no room; what is in .* stays"):
        put("a.trace.json", "one", machines[0], monkeypatch)
    monkeypatch.setattr(RemoteFolder, "write", real)
    assert there() == {}
    assert seen(machines[0], monkeypatch) == {"a.trace.json": "one"}
    assert there() == {"findings/a.trace.json": "one"}


def test_traces_are_there_before_their_records(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real = RemoteFolder.write
    monkeypatch.setattr(RemoteFolder, "write", lambda self, name, data: (order.append(name), real(self, name, data))[1])
    with copied(URL) as here:
        (here / "findings").mkdir()
        for name in ("a.known.json", "b.trace.json"):
            (here / "findings" / name).write_text("{}")
        (here / "summary.md").write_text("# Night")
    assert [name for name in order if name != NAME] == ["findings/b.trace.json", "findings/a.known.json", "summary.md"]


def test_what_did_not_change_is_not_written_again(machines: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.trace.json", "one", machines[0], monkeypatch)
    real, written = RemoteFolder.write, list[str]()

    def write(self: RemoteFolder, name: str, data: bytes) -> str:
        written.append(name)
        return real(self, name, data)

    monkeypatch.setattr(RemoteFolder, "write", write)
    assert seen(machines[0], monkeypatch) == {"a.trace.json": "one"}
    assert set(written) == {NAME}


@pytest.mark.parametrize(
    ("url", "said"),
    [("nothing://here", "cannot use the corpus nothing://here"), ("file://", "has no folder; give one")],
)
def test_an_address_that_is_none_is_said(machines: list[Path], url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said), copied(url):
        pass


def test_a_lease_is_data(machines: list[Path]) -> None:
    folder = RemoteFolder(URL)
    for data in (b"[]", b'{"owner": 1, "until": 2}', b"x" * 5000, msgspec.json.encode({"owner": "a"})):
        folder.remove(NAME)
        folder.create(NAME, data)
        with pytest.raises(UsageError, match="damaged"), leased(folder):
            pass
