"""Which Nova runs: the installed one, a fetched release, a source tree."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from semafuzz.cli import run
from semafuzz.harness.errors import CannotJudge, UsageError
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets.nova.releases import environments, fetching

Run = Callable[..., subprocess.CompletedProcess[str]]
TRANSLATOR = "nova/compute/pci_placement_translator.py"
FITTING = {
    "nova/__init__.py": "",
    "nova/compute/resource_tracker.py": (
        "class ResourceTracker:\n    def _get_compute_node(self, context, node_uuid): pass\n"
    ),
    TRANSLATOR: "def update_provider_tree_for_pci(): pass\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


# ------------------------------------------------------------ what fits


def test_a_source_with_all_that_is_needed_fits(tmp_path: Path) -> None:
    write(tmp_path, FITTING)
    assert environments.lacking(tmp_path) == []


def test_what_lacks_is_named(tmp_path: Path) -> None:
    (lacks,) = environments.lacking(write(tmp_path, {**FITTING, TRANSLATOR: "def another(): pass\n"}))
    assert "older than 26.0.0" in lacks


def test_a_method_is_asked_for_with_its_parameter(tmp_path: Path) -> None:
    tracker = "nova/compute/resource_tracker.py"
    need = environments.Need(tracker, "ResourceTracker._get_compute_node", "node_uuid", "it is older")
    method = "class ResourceTracker:\n    def _get_compute_node(self, context, {}): pass\n"
    write(tmp_path, {tracker: method.format("node_uuid")})
    assert environments.lacking(tmp_path, (need,)) == []
    write(tmp_path, {tracker: method.format("nodename")})
    assert environments.lacking(tmp_path, (need,)) == ["it is older"]
    write(tmp_path, {tracker: "class ResourceTracker: pass\n"})
    assert environments.lacking(tmp_path, (need,)) == ["it is older"]


def test_a_file_that_does_not_parse_is_left_to_the_import(tmp_path: Path) -> None:
    assert environments.lacking(write(tmp_path, {**FITTING, TRANSLATOR: "def (:"})) == []
    (tmp_path / TRANSLATOR).unlink()
    assert len(environments.lacking(tmp_path)) == 1


def test_a_folder_without_nova_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no Nova"):
        environments.of_source(tmp_path)


# ------------------------------------------------- the finder of one Nova


def test_nova_and_nothing_else_comes_from_the_folder(tmp_path: Path) -> None:
    write(tmp_path, {**FITTING, "semafuzz/__init__.py": "", "json.py": ""})
    finder = environments._Front(environments.Environment("source", "source", tmp_path))
    spec = finder.find_spec("nova")
    assert spec is not None
    assert spec.origin == str(tmp_path / "nova" / "__init__.py")
    assert finder.find_spec("json") is None
    assert finder.find_spec("semafuzz") is None
    context = importlib.metadata.DistributionFinder.Context
    assert [one.version for one in finder.find_distributions(context(name="nova"))] == ["0"]
    assert list(finder.find_distributions(context(name="click"))) == []
    write(tmp_path, {"nova-33.0.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: nova\nVersion: 33.0.2\n"})
    assert [one.version for one in finder.find_distributions(context(name="nova"))] == ["33.0.2"]


def test_a_second_nova_in_one_process_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("nova")
    module.__file__ = str(tmp_path / "one" / "nova" / "__init__.py")
    monkeypatch.setitem(sys.modules, "nova", module)
    with pytest.raises(UsageError, match="a process of its own"):
        environments.choose(environments.Environment("release", "33.0.2", tmp_path / "two"))


# ------------------------------------------------------ fetching releases

INSTALLER = """
import pathlib, sys
if {fails!r}:
    sys.exit({fails!r})
target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
(target / "nova").mkdir()
(target / "nova" / "__init__.py").write_text(sys.argv[-1])
"""


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Takes the place of uv and pip: writes a package, or fails with these words."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def use(fails: str = "") -> None:
        script = tmp_path / "installer.py"
        script.write_text(INSTALLER.format(fails=fails))
        monkeypatch.setattr(fetching, "_installers", lambda: iter([[sys.executable, str(script)]]))

    use()
    return use


def test_a_release_is_fetched_once(installer: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    folder = fetching.fetch("33.0.2")
    assert (folder / "nova" / "__init__.py").read_text() == "nova==33.0.2"
    assert fetching.all_fetched() == ["33.0.2"]
    installer("must not be called again")
    assert fetching.fetch("33.0.2") == folder
    assert capsys.readouterr().err.count("fetching") == 1
    assert ("33.0.2", "fetched, can be driven") not in environments.states(), "the file written here is no Nova"


def test_a_fetch_that_fails_leaves_nothing(installer: Callable[[str], None]) -> None:
    installer("ERROR: No matching distribution found for nova==33.0.9")
    with pytest.raises(UsageError, match=r"cannot be fetched \(ERROR: No matching distribution .*--source"):
        fetching.fetch("33.0.9")
    assert list(fetching.cache().iterdir()) == []
    assert fetching.fetched("33.0.9") is None


def test_half_a_folder_is_not_taken_for_a_release(installer: Callable[[str], None]) -> None:
    write(fetching.cache() / "33.0.2", {"nova/__init__.py": "half"})
    assert fetching.fetched("33.0.2") is None
    assert (fetching.fetch("33.0.2") / "nova" / "__init__.py").read_text() == "nova==33.0.2"
    (fetching.cache() / "33.0.2" / fetching.MARKER).write_text("{")
    assert fetching.all_fetched() == []


def test_another_process_may_be_quicker(installer: Callable[[str], None], tmp_path: Path) -> None:
    folder = fetching.fetch("33.0.2")
    late = write(fetching.cache() / ".33.0.2-late", {"nova/__init__.py": "late"})
    fetching._move(late, folder, "33.0.2")
    assert (folder / "nova" / "__init__.py").read_text() == "nova==33.0.2"


def test_without_an_installer_it_says_what_to_do(
    installer: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_installers", lambda: iter(()))
    with pytest.raises(UsageError, match="neither uv nor pip"):
        fetching.fetch("33.0.2")


@pytest.mark.parametrize("text", ["", "x", "33", "33.0.2 --index", "../33.0", "33.0.2; x", "-r", "33.0.2\n"])
def test_what_is_no_release_never_reaches_an_installer(text: str) -> None:
    with pytest.raises(UsageError, match="is not a release"):
        fetching.check_release(text)


def test_releases_are_in_order() -> None:
    mixed = ["33.0.2", "34.0.0", "33.0.0", "9.0.0", "34.0.0rc1", "33.0.10"]
    assert sorted(mixed, key=fetching.version_key) == [
        "9.0.0", "33.0.0", "33.0.2", "33.0.10", "34.0.0rc1", "34.0.0",
    ]  # fmt: skip
    assert sorted(fetching.KNOWN, key=fetching.version_key) == list(fetching.KNOWN)


def test_a_release_that_does_not_fit_cannot_be_driven_yet(
    installer: Callable[[str], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "KNOWN", ("15.1.5", "16.1.8"))
    with pytest.raises(UsageError, match=r"'15\.1\.5' cannot be driven yet: "):
        environments.of_release("15.1.5")
    assert dict(environments.states())["15.1.5"].startswith("cannot be driven yet")
    assert run(["fuzz", "--release", "15.1.5"]) == 4
    assert "cannot be driven yet" in capsys.readouterr().err


# --------------------------------------------------- real copies of Nova

TRACKER = environments.TRACKER
LOCKED = "    @utils.synchronized(COMPUTE_RESOURCE_SEMAPHORE, fair=True)\n"
METHOD = "    def build_failed(self, nodename):\n"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the installed Nova, as a source tree."""
    here = environments.installed()
    assert here is not None
    assert here.folder is not None
    folder = tmp_path_factory.mktemp("source")
    shutil.copytree(here.folder / "nova", folder / "nova", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    return folder


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of the lost failed build on the installed Nova."""
    from semafuzz.commands.common.release_process import settle_code
    from semafuzz.harness.runs.session import controlled_session
    from semafuzz.harness.schedulers.portfolio import Portfolio
    from semafuzz.harness.search.exploration import Exploration
    from semafuzz.targets import find_target
    from semafuzz.targets.model.scenario import Scenario
    from semafuzz.targets.model.trace_origin import origin_of

    target = find_target("nova")
    scenario = Scenario(Operations((), ((Operation("audit"),), (Operation("build_failed"),))))
    folder = tmp_path_factory.mktemp("trace")
    assert settle_code("nova", "", None, ()) == (None, "")
    with target.open() as opened, controlled_session(opened.modules) as laboratory:
        origin = origin_of(target, opened, scenario)
        search = Exploration(opened.program(scenario), Portfolio(), laboratory, origin=origin, folder=folder)
        return Path(search.run().failures[0].trace)


def changed(copy: Path, *replacements: tuple[str, str]) -> None:
    """Make the tracker of the copy the installed one with these replacements."""
    here = environments.installed()
    assert here is not None
    text = (Path(str(here.folder)) / TRACKER).read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    (copy / TRACKER).write_text(text)


ABOVE = ("class ResourceTracker(object):\n", "# one\n# two\n# three\nclass ResourceTracker(object):\n")
LOCK = (METHOD, LOCKED + METHOD)
GONE = (METHOD, METHOD.replace("build_failed", "build_has_failed"))


@pytest.mark.nova
@pytest.mark.slow
def test_source_copies_are_judged(semafuzz: Run, copy: Path, trace: Path) -> None:
    def judged(*replacements: tuple[str, str]) -> tuple[int, str]:
        changed(copy, *replacements)
        done = semafuzz("replay", str(trace), "--source", str(copy), "--json")
        return done.returncode, json.loads(done.stdout)["why"] if done.stdout else done.stderr

    assert judged() == (1, "under the recorded schedule")
    assert judged(ABOVE) == (1, "under the recorded schedule")
    code, why = judged(LOCK)
    assert code == 0, why
    assert "every schedule was run" in why
    code, why = judged(GONE)
    assert code == 125
    assert "recorded at step" in why
    assert "has no attribute 'build_failed'" in why
    code, why = judged(("import collections\n", "import collections\nimport no_such_module\n"))
    assert code == 125
    assert "ModuleNotFoundError: No module named 'no_such_module' in nova/compute/resource_tracker.py, line " in why
    code, why = judged(("    def set_service_ref(", "    def set_service_record("))
    assert code == 125
    assert "does not start in the world" in why


@pytest.mark.nova
@pytest.mark.slow
def test_git_bisect_finds_the_first_bad_commit(semafuzz: Run, copy: Path, trace: Path, tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        names = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", "-C", str(copy), *names, *arguments], check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q", "-b", "main")
    states = {"locked": [LOCK], "gone": [GONE], "comment": [ABOVE, LOCK], "unlocked": [ABOVE], "last": []}
    commits = {}
    for name, replacements in states.items():
        changed(copy, *replacements)
        git("add", TRACKER)
        git("commit", "-q", "-m", name)
        commits[name] = git("rev-parse", "HEAD").strip()
    git("bisect", "start", commits["last"], commits["locked"])
    command = [sys.executable, "-m", "semafuzz", "replay", str(trace), "--source", "."]
    said = git("bisect", "run", *command)
    shutil.rmtree(copy / ".git")
    assert f"{commits['unlocked']} is the first bad commit" in said


@pytest.mark.nova
@pytest.mark.slow
def test_a_checkout_in_the_current_folder_is_not_the_installed_nova(
    semafuzz: Run, copy: Path, trace: Path, tmp_path: Path
) -> None:
    write(tmp_path, {"nova/__init__.py": "raise RuntimeError('the wrong one')\n"})
    done = semafuzz("replay", str(trace))
    assert done.returncode == 1, done.stderr


@pytest.mark.nova
@pytest.mark.slow
def test_fuzz_takes_a_source_tree(semafuzz: Run, copy: Path, tmp_path: Path) -> None:
    changed(copy)
    arguments = ("fuzz", "--source", str(copy), "--schedules", "400", "--seconds", "60", "--seed", "1", "--json")
    done = semafuzz(*arguments)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])["failures"][0]["trace"]
    made = codec.read(tmp_path / found)
    assert made.release == "source"
    assert made.versions["nova"].startswith("source ")
    done = semafuzz("replay", found)
    assert done.returncode == 4
    assert "say which it is now with --source DIR" in done.stderr
    assert semafuzz("replay", found, "--source", str(copy)).returncode == 1


def test_what_goes_wrong_around_a_nova_is_not_blamed_on_it(tmp_path: Path) -> None:
    other = environments.Environment("release", "16.1.8", tmp_path)
    inside = compile("raise KeyError(1)", str(tmp_path / "nova" / "exception.py"), "exec")
    with pytest.raises(CannotJudge, match="does not start in the world"), environments.blamed_on(other):
        exec(inside)
    around = compile("raise KeyError(1)", str(Path(environments.__file__).parents[1] / "target.py"), "exec")
    with pytest.raises(KeyError), environments.blamed_on(other):
        exec(around)
    own = environments.Environment("installed", environments.DEFAULT)
    with pytest.raises(KeyError), environments.blamed_on(own):
        exec(inside)
