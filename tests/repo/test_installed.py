"""What is built and installed: one name in site-packages, beside a project whose own packages
have the names of our folders."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bank_source import BANK

PROJECT = {
    "harness/__init__.py": "WORD = 'mine'\n",
    "reports/__init__.py": "WORD = 'mine'\n",
    "strategies/__init__.py": "WORD = 'mine'\n",
    "targets/__init__.py": "WORD = 'mine'\n",
    "harness/tools.py": "def word():\n    return 'mine'\n",
    "bank.py": "from harness import WORD\n" + BANK,
    "tests/test_mine.py": """
from harness import WORD, tools
import reports, strategies, targets


def test_mine():
    assert {WORD, tools.word(), reports.WORD, strategies.WORD, targets.WORD} == {"mine"}
""",
    "tests/test_race.py": """
import pytest
import bank


@pytest.mark.interleave(instrument=["bank"], schedules=200)
def test_two():
    bank.two()
""",
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "consumer.py": """
from semafuzz import Result, Target, explore, interleave, operation
from semafuzz import errors


class Mine(Target):
    \"\"\"Mine.\"\"\"

    @operation
    def act(self, world: object) -> None:
        pass


def program() -> None:
    pass


def verdict() -> str:
    try:
        result: Result = explore(program, schedules=5)
    except errors.UsageError:
        return ""
    return result.verdict


@interleave(schedules=3)
def test_program() -> None:
    program()
""",
}
Installed = Callable[[str], tuple[Path, Path]]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command outside of this session: what it would inherit from it is left out."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "COLUMNS": "160"}
    return subprocess.run([str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel, the sdist, and the wheel that is built from the sdist."""
    folder = tmp_path_factory.mktemp("built")

    def build(kind: str, where: Path, into: Path) -> Path:
        done = run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", into, cwd=where)
        assert done.returncode == 0, done.stdout + done.stderr
        (file,) = into.iterdir()
        return file

    wheel, sdist = build("wheel", root, folder / "wheel"), build("sdist", root, folder / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return {"wheel": wheel, "sdist": sdist, "again": build("wheel", unpacked, folder / "again"), "unpacked": unpacked}


@pytest.fixture(scope="module")
def installed(built: dict[str, Path], root: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A fresh environment with the product in it, and a project; what the product needs is
    that of this environment."""
    made: dict[str, tuple[Path, Path]] = {}

    def install(form: str) -> tuple[Path, Path]:
        if form not in made:
            folder = tmp_path_factory.mktemp(form)
            venv.EnvBuilder(with_pip=True, symlinks=True).create(folder / "venv")
            python = folder / "venv/bin/python"
            (site,) = (folder / "venv/lib").glob("python*/site-packages")
            before = {file.name for file in site.iterdir()}
            (site / "requirements_of_semafuzz.pth").write_text(sysconfig.get_path("purelib"))
            what = ["-e", root] if form == "editable" else [built[form]]
            options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
            done = run(python, "-m", "pip", "install", *options, "--force-reinstall", *what, cwd=folder)
            assert done.returncode == 0, done.stdout + done.stderr
            new = {file.name for file in site.iterdir()} - before - {"requirements_of_semafuzz.pth", "__pycache__"}
            assert {name.partition("-")[0].lstrip("_").removesuffix(".pth") for name in new} <= {
                "semafuzz", "editable_impl_semafuzz"
            }, new  # fmt: skip
            project = folder / "project"
            for name, text in PROJECT.items():
                (project / name).parent.mkdir(parents=True, exist_ok=True)
                (project / name).write_text(text)
            made[form] = python, project
        return made[form]

    return install


def test_what_is_built_holds_real_files_under_one_name(built: dict[str, Path]) -> None:
    for form in ("wheel", "again"):
        with zipfile.ZipFile(built[form]) as wheel:
            names = wheel.namelist()
        tops = {name.partition("/")[0] for name in names}
        assert {top for top in tops if not top.endswith(".dist-info")} == {"semafuzz"}
        assert {"semafuzz/harness/kernel/execution.py", "semafuzz/targets/nova/findings/own.toml"} <= set(names)
        assert {"semafuzz/reports/pages/assets/page.css", "semafuzz/py.typed"} <= set(names)
        assert len(names) == len(set(names))
        assert not [name for name in names if "/out/" in name or name.endswith(".pyc")]
    with zipfile.ZipFile(built["wheel"]) as one, zipfile.ZipFile(built["again"]) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
    unpacked = built["unpacked"]
    assert not [path for path in unpacked.rglob("*") if path.is_symlink()]
    assert {path.name for path in unpacked.iterdir() if path.is_dir()} == {"semafuzz"}


@pytest.mark.parametrize(
    "form", ["wheel", pytest.param("again", marks=pytest.mark.slow), pytest.param("editable", marks=pytest.mark.slow)]
)
def test_it_works_beside_packages_with_the_names_of_our_folders(installed: Installed, form: str) -> None:
    python, project = installed(form)
    plain = run(python, "-m", "pytest", "-q", "tests/test_mine.py", cwd=project)
    assert plain.returncode == 0, plain.stdout + plain.stderr
    marked = run(python, "-m", "pytest", "-q", "tests/test_race.py", cwd=project)
    assert marked.returncode == 1, marked.stdout + marked.stderr
    assert "semafuzz" in marked.stdout
    assert (project / ".semafuzz/.gitignore").read_text() == "*\n"
    checked = run(python.with_name("semafuzz"), "check", "bank.py:two", cwd=project)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    (replay,) = [line for line in checked.stdout.splitlines() if " replay " in line]
    replayed = run(python.with_name("semafuzz"), *replay.split()[1:], cwd=project)
    assert replayed.returncode == 1, replayed.stdout + replayed.stderr
    assert "the recorded one" in replayed.stdout


def test_a_consumer_that_imports_only_the_face_passes_strict_typing(installed: Installed) -> None:
    python, project = installed("wheel")
    done = run(
        sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "--cache-dir", project / "cache",
        "consumer.py", cwd=project,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
