"""Your own targets: what a class can say, what it leads to, what is refused."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from semafuzz.cli import run
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Operation, Operations, Value
from semafuzz.targets.declared.api import DeclaredTarget, FaultInfo, OptionInfo, Violation, io, operation
from semafuzz.targets.declared.target import Declared
from semafuzz.targets.model.scenario import Scenario

HEAD = "from semafuzz.targets.declared.api import *\nclass Bank(DeclaredTarget):\n"
DOC = Path(__file__).resolve().parents[3] / "docs" / "own-target.md"


class Refused(Exception):
    """Legally declined."""


class Counter(DeclaredTarget):
    """Two counters.

    More about them.
    """

    roles = ("new",)
    instance_arguments: ClassVar = {"size": (1, 4)}
    refusals = (Refused,)
    options = (OptionInfo("limit", legal=(10, 0), illegal=(-1,)),)
    faults = (FaultInfo("lost", "the database is gone", ("database",), ConnectionError),)

    def start(self, configuration: Any) -> dict[str, Any]:
        if configuration["limit"] == -1:
            raise Refused("a limit is not negative")
        return {"limit": configuration["limit"], "sum": 0, "instances": {}}

    def set_up(self, world: dict[str, Any], instance: int, role: str, **arguments: Any) -> None:
        world["instances"][instance] = (role, arguments["size"])

    @operation
    def look(self, world: dict[str, Any]) -> int:
        return int(world["sum"])

    @operation(by=(1, 2), weight=3)
    def add(self, world: dict[str, Any], by: int) -> None:
        if world["sum"] + by > world["limit"]:
            raise Refused
        world["sum"] += by
        io("database save")

    @operation(before="new", after="open")
    def open(self, world: dict[str, Any], instance: int) -> None:
        world["instances"][instance] = ("open", world["instances"][instance][1])

    @operation(before="open", shared=True)
    def read(self, world: dict[str, Any], instance: int) -> None:
        assert world["instances"][instance][0] == "open"

    def check(self, world: dict[str, Any]) -> Any:
        assert world["sum"] < 5
        if world["sum"] == 4:
            yield Violation("four", f"the sum is {world['sum']}", "warning")
        if world["sum"] >= 3:
            yield f"the sum is {world['sum']}"


def add(by: int = 1) -> Operation:
    return Operation("add", {"by": by})


def instance(role: str = "new", size: int = 1) -> tuple[Operation, ...]:
    return (Operation("instance", {"instance": 1, "role": role, "size": size}),)


def on(name: str) -> Operation:
    return Operation(name, {"instance": 1})


def outcome_of(scenario: Scenario, target: Declared | None = None) -> Outcome:
    with (target or Counter.target()).open() as opened:
        program = opened.program(scenario)
        with controlled_session(opened.modules):
            return execute(program, SerialOrder(range(4)), ExecutionConfig(bytearray(1 << 16)))


def adding(*amounts: int, configuration: dict[str, Value] | None = None) -> Outcome:
    return outcome_of(Scenario(Operations((), (tuple(map(add, amounts)),)), configuration or {}))


def test_the_class_is_a_target() -> None:
    target = Counter.target()
    assert target.summary == "Two counters."
    table = {info.name: info for info in target.operations()}
    assert list(table) == ["look", "add", "open", "read"]
    assert (table["add"].weight, dict(table["add"].arguments)) == (3, {"by": (1, 2)})
    assert (table["open"].on_instance, table["open"].before, table["open"].after) == (True, "new", "open")
    assert (table["read"].before, table["read"].after, table["read"].shared) == ("open", "open", True)
    assert not table["look"].on_instance


def test_what_the_check_says_is_what_is_found() -> None:
    assert adding(1, 1).failures == []
    (said,) = adding(1, 2).failures
    assert (said.kind, said.message, said.severity) == ("invariant", "the sum is 3", "error")
    assert said.error_type == "yield f\"the sum is {world['sum']}\""
    four = adding(2, 2).failures
    assert [(one.error_type, one.severity) for one in four] == [("four", "warning"), (said.error_type, "error")]
    (raised,) = adding(2, 2, 2).failures
    assert (raised.kind, raised.error_type) == ("invariant", 'assert world["sum"] < 5')
    assert "does not hold" in raised.message


def test_every_execution_starts_anew() -> None:
    target = Counter.target()
    scenario = Scenario(Operations((), ((add(2),),)))
    assert [outcome_of(scenario, target).failures for _ in range(3)] == [[], [], []]


def test_configuration_has_a_value_for_each_option() -> None:
    assert adding(2, 2, configuration={"limit": 0}).failures == []
    with pytest.raises(UsageError, match="a limit is not negative"):
        adding(1, configuration={"limit": -1})
    with pytest.raises(UsageError, match="no option 'other'"):
        adding(1, configuration={"other": 1})


def test_faults_come_at_io_points() -> None:
    fault = Operation("lost", {"task": 0, "call": 2})
    ended = outcome_of(Scenario(Operations((), ((add(1), add(1), add(1)),)), {}, (fault,)))
    assert [event[3] for event in ended.events if str(event[3]).startswith("fault")] == ["fault lost at database save"]
    # Counted before the fault came, and operations on no instance go on.
    assert [one.message for one in ended.failures] == ["the sum is 3"]


def test_instances_are_set_up_in_their_roles() -> None:
    content = Operations(instance(size=4), ((on("open"), on("read")),))
    assert outcome_of(Scenario(content)).failures == []


def test_io_outside_control_does_nothing() -> None:
    io("database save")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Operations((), ((Operation("subtract"),),)), "no operation 'subtract'"),
        (Operations((), ((Operation("add"),),)), "takes \\['by'\\]"),
        (Operations((), ((add(7),),)), "takes as by one of"),
        (Operations((), ((add(True),),)), "takes as by one of"),
        (Operations((), ((on("open"),),)), "that the set-up does not make"),
        (Operations(instance("open"), ((on("open"),),)), "not one of this target"),
        (Operations(instance(size=2), ((on("open"),),)), "takes as size one of"),
        (Operations((*instance(), *instance()), ((on("open"),),)), "not one of this target"),
        (Operations((Operation("node"),), ((on("open"),),)), "no set-up 'node'"),
        (Operations(instance(), ((on("read"),),)), "order that the target does not allow"),
    ],
)
def test_programs_that_it_does_not_have_are_refused(content: Operations, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        outcome_of(Scenario(content))


def test_modules_that_are_a_text_are_refused() -> None:
    class Short(Counter):
        """Forgets the comma."""

        modules = "json"

    with (
        pytest.raises(UsageError, match=r"modules of Short is a text; write modules = \('json',\)"),
        Declared(Short()).open(),
    ):
        pass


def test_a_world_that_cannot_be_made_is_named() -> None:
    class Broken(Counter):
        """Cannot start."""

        def start(self, configuration: Any) -> Any:
            raise KeyError("no such thing")

    with pytest.raises(UsageError, match=r"Broken makes no world under .*no such thing' at \S+:\d+ \("):
        outcome_of(Scenario(Operations((), ((add(),),))), Broken.target())


def test_start_sees_virtual_time_and_seeded_chance() -> None:
    class Clocked(DeclaredTarget):
        """Reads what differs from run to run."""

        seen: ClassVar[list[object]] = []

        def start(self, configuration: Any) -> Any:
            import random
            import threading
            import time
            import uuid

            thread = threading.Thread(target=time.sleep, args=(3600,))
            thread.start()
            thread.join()
            self.seen.append((time.time(), random.random(), uuid.uuid4()))

        @operation
        def nothing(self, world: Any) -> None:
            pass

        def check(self, world: Any) -> None:
            import threading

            threading.Event().wait()

    target = Clocked.target()
    scenario = Scenario(Operations((), ((Operation("nothing"),),)))
    (first,), (second,) = outcome_of(scenario, target).failures, outcome_of(scenario, target).failures
    assert Clocked.seen[0] == Clocked.seen[1]
    assert first == second
    assert (first.kind, "nothing can wake" in first.message) == ("invariant", True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("@operation(by=())\ndef add(self, world, by): ...", "by takes \\(\\)"),
        ("@operation(by='12')\ndef add(self, world, by): ...", "by takes '12'"),
        ("@operation(by=(1.5,))\ndef add(self, world, by): ...", "by takes \\(1.5,\\)"),
        ("@operation\ndef add(self, world, by): ...", "parameter 'by' without values"),
        ("@operation(by=(1,))\ndef add(self, world): ...", "takes no parameter 'by'"),
        ("@operation(weight=0)\ndef add(self, world): ...", "weight 0"),
        ("@operation(before='new')\ndef add(self, world, instance): ...", "role 'new', in which none can be"),
        ("@operation(after='new')\ndef add(self, world): ...", "a role `after` and none `before`"),
        ("@operation\ndef add(self, world, instance): ...", "name the role `before`"),
        ("instance_arguments = {'size': 3}", "size takes 3"),
    ],
)
def test_classes_that_contradict_themselves_are_refused(body: str, words: str) -> None:
    source = "class Wrong(DeclaredTarget):\n" + textwrap.indent(body, "    ")
    with pytest.raises(UsageError, match=words):
        exec(source, {"DeclaredTarget": DeclaredTarget, "operation": operation})


# ------------------------------------------------------------ from the command line

Put = Callable[[str, str], Path]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # That of another test.
    monkeypatch.delitem(sys.modules, "bank", raising=False)
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


@pytest.mark.slow
def test_the_example_of_the_documentation(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, target, *_ = re.findall(r"```python\n(.*?)```", DOC.read_text(), re.DOTALL)
    assert len(target.splitlines()) <= 30
    (here / "bank.py").write_text(code)
    (here / "bank_target.py").write_text(target)
    fuzz = ["fuzz", "bank_target.py:Bank", "--schedules", "6000", "--seconds", "60"]
    assert run([*fuzz, "--json"]) == 1
    found = answer(capsys)["failures"]
    money = next(one for one in found if "the accounts have" in one["message"])
    stale = next(one for one in found if "has -" in one["message"])
    assert (money["sequential"], stale["sequential"], stale["preemptions"]) == (True, False, 1)
    trace = codec.read(Path(stale["trace"]))
    assert (trace.target, trace.release) == ("declared", "bank_target.py:Bank")
    assert str(here) not in Path(stale["trace"]).read_text()
    assert isinstance(trace.program, Operations)
    assert [len(task) for task in trace.program.tasks] == [1, 1]

    assert run(["replay", stale["trace"], "--json"]) == 1
    assert answer(capsys)["identical"] is True
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "elsewhere"))
    assert run(["replay", stale["trace"]]) == 4
    assert "--program FILE.py:Bank" in capsys.readouterr().err
    assert run(["replay", stale["trace"], "--program", "bank_target.py:Bank"]) == 1
    (here / "renamed.py").write_text(target + "\n# Changed.\n")
    assert run(["replay", stale["trace"], "--program", "renamed.py:Bank"]) == 1
    assert "bank_target.py:Bank has changed" in capsys.readouterr().err


def test_code_in_the_file_itself_is_seen(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "single.py").write_text(
        textwrap.dedent(
            """
            from semafuzz.targets.declared.api import DeclaredTarget, operation


            class Counter:
                def __init__(self):
                    self.value, self.calls = 0, []


            class Counting(DeclaredTarget):
                def start(self, configuration):
                    return Counter()

                @operation
                def add(self, world):
                    world.calls.append(1)
                    world.value += 1

                def check(self, world):
                    assert world.value == len(world.calls), world.value
            """
        )
    )
    assert run(["fuzz", "single.py:Counting", "--schedules", "400", "--json"]) == 1
    (found,) = answer(capsys)["failures"]
    assert (found["message"], found["preemptions"]) == ("AssertionError: 1", 1)
    assert run(["fuzz", "single.py:Counting", "--schedules", "40", "--model", "eventlet"]) == 0
    assert "declared single.py:Counting, eventlet model" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "name", "words"),
    [
        (None, "Bank", "there is no file wrong.py"),
        ("class Bank(:", "Bank", "does not parse, line 1"),
        ("import nothing_like_that", "Bank", "cannot be imported"),
        ("class Bank: ...", "Bank", "Bank has no public method"),
        ("Bank = 3", "Bank", "no class 'Bank'; it has no class"),
        (HEAD + "    ...", "Bank", "no operation"),
        (
            HEAD + "    def __init__(self, x): ...",
            "Bank",
            "takes no arguments",
        ),
        (
            HEAD + "    @operation\n    def f(self, world, x): ...",
            "Bank",
            "parameter 'x' without values",
        ),
        (
            HEAD + "    @operation\n    def f(self, world): ...",
            "Bank",
            "no method start",
        ),
        (
            HEAD + "    modules = ('nothing_like_that',)\n    @operation\n    def f(self, world): ...",
            "Bank",
            "under test cannot be imported",
        ),
        ("", "3", "no class '3'"),
        ("", "a.b", "not of the form FILE.py:CLASS"),
    ],
)
def test_bad_files_are_refused_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], source: str | None, name: str, words: str
) -> None:
    if source is not None:
        (here / "wrong.py").write_text(source)
    assert run(["fuzz", f"wrong.py:{name}"]) == 4
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_other_bad_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fuzz", "no_such_target"]) == 4
    assert "unknown target" in capsys.readouterr().err
    assert run(["fuzz", "declared"]) == 4
    (here / "good.py").write_text(HEAD + "    @operation\n    def f(self, world): ...")
    assert run(["fuzz", "good.py:Bank", "--release", "3"]) == 4
    assert "leave --release out" in capsys.readouterr().err


def test_a_trace_chooses_no_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither as its target nor as its release."""
    code = "from pathlib import Path\nPath('ran').touch()\n"
    (here / "evil.py").write_text(code)
    golden = json.loads((Path(__file__).parents[2] / "traces" / "golden_v1.json").read_text())
    golden["program"] = {"type": "operations", "setup": [], "tasks": []}
    for target, release in (("evil.py:Bank", ""), ("declared", "evil.py:Bank"), ("declared", "")):
        golden.update(target=target, release=release)
        text = json.dumps(golden, sort_keys=True)
        trace = codec.msgspec.json.decode(text, type=codec.Trace)
        codec.write(trace, here / "trace.json")
        assert run(["replay", "trace.json"]) == 4
        assert capsys.readouterr().err.startswith("semafuzz: ")
    assert not (here / "ran").exists()
