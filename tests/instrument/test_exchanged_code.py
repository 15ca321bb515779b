"""Instrumenting what is imported, what is imported already, and taking it back."""

from __future__ import annotations

import gc
import importlib
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from semafuzz.harness.errors import UsageError
from semafuzz.harness.instrument import hooks
from semafuzz.harness.instrument.apply import ImportHook, importing, instrumented
from semafuzz.harness.runs.session import controlled_session

from .conftest import in_task

Importer = Callable[[str], ModuleType]

SAMPLE = """
import functools

def logged(function):
    @functools.wraps(function)
    def around(*args):
        return function(*args)
    return around

class Box:
    def __init__(self):
        self.value = 1
    @logged
    def decorated(self):
        return self.value
    @staticmethod
    def static(box):
        return box.value
    @property
    def computed(self):
        return self.value
    def fails(self):
        if self.value:

            raise LookupError(
                self.value)

class Other:
    def __init__(self):
        self.value = 2
    def read(self):
        return self.value
    def less(self):
        return self.value - 1
    @property
    def computed(self):
        return self.value

def closed(box):
    def inner():
        return box.value
    return inner

def counter():
    count = 0
    def increase():
        nonlocal count
        count += 1
        return count
    return increase

kept = closed(Box())
counting = counter()
pair = (lambda box: box.value), (lambda box: box.first)
twice = (lambda box: box.value), (lambda box: box.value)
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Importer]:
    """Imports a source under a name that is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def imported(source: str) -> ModuleType:
        name = f"sample_{len(made)}_{tmp_path.name}"
        made.append(name)
        (tmp_path / f"{name}.py").write_text(source)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield imported
    for name in made:
        sys.modules.pop(name, None)


def functions_of(module: ModuleType) -> dict[int, object]:
    return {
        id(one): one.__code__
        for one in gc.get_objects()
        if type(one) is FunctionType and one.__globals__ is vars(module)
    }


def test_code_and_names_are_put_back(load: Importer) -> None:
    module = load(SAMPLE)
    before, names = functions_of(module), set(vars(module))
    with instrumented([module]) as applied:
        assert applied.exchanged
        assert functions_of(module) != before
        assert set(vars(module)) - names == {f"__sf_{name}__" for name in hooks.HOOKS}
    assert functions_of(module) == before
    assert set(vars(module)) == names
    assert not applied.exchanged


def test_everything_is_put_back_after_an_error(load: Importer) -> None:
    module = load(SAMPLE)
    before = functions_of(module)
    broken = ModuleType("broken")
    with pytest.raises(UsageError, match="broken has no source"), instrumented([module, broken]):
        raise AssertionError("not reached")
    assert functions_of(module) == before


@pytest.mark.parametrize("way", ["decorated", "static", "bound", "closure", "elsewhere"])
@pytest.mark.wide
def test_functions_are_exchanged_wherever_they_are_held(load: Importer, way: str) -> None:
    module = load(SAMPLE)
    box = module.Box()
    calls = {
        "decorated": box.decorated,
        "static": lambda: module.Box.static(box),
        "bound": module.Other().less,
        "closure": module.kept,
        "elsewhere": lambda held=[module.Box.__dict__["static"].__func__]: held[0](box),
    }
    with controlled_session([module]):
        watched = in_task(calls[way])
    assert watched.answer == 1
    assert any(access.endswith(".value") for access in watched.accesses)
    with controlled_session():
        assert in_task(calls[way]).accesses == []


def test_a_closure_of_another_shape_is_left_and_named(load: Importer) -> None:
    module = load(SAMPLE)
    with instrumented([module]) as applied:
        assert [name.removeprefix(module.__name__) for name in applied.left] == [".counter.<locals>.increase"]
        assert module.counting() == 1
        assert module.counter()() == 1
    assert module.counting() == 2


def test_no_closure_is_left_where_nothing_is_shared(load: Importer) -> None:
    with instrumented([load("def f(a):\n    return lambda: a\ng = f(1)\n")]) as applied:
        assert applied.left == []


def test_lambdas_of_one_line_stay_apart(load: Importer) -> None:
    module = load(SAMPLE)
    box = module.Box()
    box.first = "first"
    with controlled_session([module]):
        answers = [in_task(lambda one=one: one(box)) for one in (*module.pair, *module.twice)]
    assert [watched.answer for watched in answers] == [1, "first", 1, 1]
    assert [watched.accesses for watched in answers] == [
        [f"read Box.{n}"] for n in ("value", "first", "value", "value")
    ]


def test_a_function_that_cannot_be_told_apart_is_left(load: Importer) -> None:
    """Its code was changed after the import: which of the line's lambdas it was is unknown."""
    module = load(SAMPLE)
    changed = module.pair[0]
    changed.__code__ = changed.__code__.replace(co_consts=(*changed.__code__.co_consts, "changed"))
    with instrumented([module]) as applied:
        assert f"{module.__name__}.<lambda>" in applied.left
        assert changed(module.Box()) == 1


def test_a_line_with_another_number_of_functions_is_left(load: Importer) -> None:
    """``while True: ... else`` is dropped by the compiler and not by the rewriting."""
    module = load("f = lambda: 1\nwhile f:\n    break\nelse: a, b = (lambda: 1), (lambda: 2)\n")
    with instrumented([module]) as applied:
        assert applied.left == []
        assert module.f() == 1


def test_a_closure_that_is_not_that_of_the_source_is_refused(load: Importer) -> None:
    module = load(SAMPLE)
    old = module.kept
    renamed = old.__code__.replace(co_freevars=("bax",))
    old.__code__ = renamed
    with pytest.raises(UsageError, match="inner"), instrumented([module]):
        raise AssertionError("not reached")
    assert old.__code__ is renamed


def test_only_some_classes(load: Importer) -> None:
    module = load(SAMPLE)
    box, other = module.Box(), module.Other()
    with instrumented([module], {module.__name__: ["Other"]}), controlled_session():
        assert in_task(lambda: box.static(box)).accesses == []
        assert in_task(other.read).accesses == ["read Other.value"]


def test_properties_count_as_rewritten_only_while_they_are(load: Importer) -> None:
    """What one search instruments must not change what the next one sees."""
    owner = load(SAMPLE)
    user = load("def use(box):\n    return box.computed\n")
    for modules, expected in (
        ([owner, user], ["read Box.value"]),
        ([user], ["read Box.computed"]),
        ([owner, user], ["read Box.value"]),
    ):
        with controlled_session(modules):
            box = owner.Box()
            assert in_task(lambda box=box: user.use(box)).accesses == expected


def test_line_numbers_are_kept(load: Importer) -> None:
    module = load(SAMPLE)

    def lines() -> list[tuple[str, int | None]]:
        with pytest.raises(LookupError) as caught:
            module.Box().fails()
        return [(frame.name, frame.lineno) for frame in traceback.extract_tb(caught.tb) if "sample_" in frame.filename]

    before = lines()
    with instrumented([module]):
        assert lines() == before


@pytest.mark.parametrize("module", [sys, ModuleType("made"), importlib.import_module("_struct")])
def test_a_module_without_source_is_refused(module: ModuleType) -> None:
    with pytest.raises(UsageError, match="no source"), instrumented([module]):
        raise AssertionError("not reached")


class TestImporting:
    """The import hook."""

    def test_fresh_modules_are_instrumented(self, load: Importer, tmp_path: Path) -> None:
        (tmp_path / "fresh_one.py").write_text(SAMPLE)
        with importing(["fresh_one"]), controlled_session():
            module = importlib.import_module("fresh_one")
            try:
                watched = in_task(module.Box().decorated)
            finally:
                del sys.modules["fresh_one"]
        assert watched.accesses == ["read Box.value"]
        assert not list(tmp_path.glob("**/fresh_one*.pyc"))

    def test_others_are_not(self, load: Importer) -> None:
        with importing(["fresh_one"]), controlled_session():
            module = load(SAMPLE)
            assert in_task(module.Box().decorated).accesses == []
        assert not hasattr(module, "__sf_attr__")

    def test_the_hook_is_removed(self) -> None:
        before = list(sys.meta_path)
        with importing(["fresh_one"]):
            assert isinstance(sys.meta_path[0], ImportHook)
        assert sys.meta_path == before

    @pytest.mark.parametrize("name", ["no_such_module", "_struct", "sys"])
    def test_what_has_no_source_is_left_to_others(self, name: str) -> None:
        assert ImportHook([name]).find_spec(name, None) is None

    def test_a_package_is_found(self, load: Importer, tmp_path: Path) -> None:
        folder = tmp_path / "fresh_package"
        folder.mkdir()
        (folder / "__init__.py").write_text("from fresh_package import part\n")
        (folder / "part.py").write_text("def read(owner):\n    return owner.x\n")
        with importing(["fresh_package.part"]):
            package = importlib.import_module("fresh_package")
        assert hasattr(package.part, "__sf_attr__")
        assert not hasattr(package, "__sf_attr__")
        for name in ("fresh_package", "fresh_package.part"):
            del sys.modules[name]


def test_coverage_counts_the_lines_of_instrumented_code(tmp_path: Path) -> None:
    pytest.importorskip("coverage")
    (tmp_path / "counted.py").write_text(
        textwrap.dedent(
            """
            class Box:
                def __init__(self):
                    self.value = 0
                def act(self):
                    seen = self.value
                    if seen:
                        self.value = 5
                    self.value += 1
            """
        )
    )
    (tmp_path / "main.py").write_text(
        textwrap.dedent(
            """
            import coverage
            counter = coverage.Coverage(data_file=None, include=["*/counted.py"], config_file=False)
            counter.start()
            import counted
            from semafuzz import TaskProgram, explore
            program = TaskProgram(counted.Box, [counted.Box.act, lambda box: None], under_test=[counted])
            assert explore(program, schedules=5).verdict != "uncontrolled"
            counter.stop()
            print(counter.analysis("counted.py")[2])
            """
        )
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "main.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": "", "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("[8]\n", 0), done.stderr


def test_code_that_is_called_after_the_session_runs(load: Importer) -> None:
    """A callback that was made meanwhile, by code that was looked into."""
    source = """
    import weakref

    class Kept:
        pass

    heard, references = [], []

    def watch(kept):
        references.append(weakref.ref(kept, lambda reference: heard.append(1) if heard is not None else None))
    """
    module = load(textwrap.dedent(source))
    held = [module.Kept()]
    with instrumented([module]):
        in_task(lambda: module.watch(held[0]))
    held.clear()
    gc.collect()
    assert module.heard == [1]
