"""Traces in and out: exact, strict, bounded."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semafuzz.harness.errors import TraceError
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.choices import RecordedChoice
from semafuzz.harness.traces.schema import (
    FORMAT,
    Choice,
    Expected,
    Function,
    Interruption,
    Necessity,
    Operation,
    Operations,
    Trace,
)

DIGEST = "0" * 64
FOLDER = Path(__file__).parent
NEEDED = Necessity((Interruption(5, 1, "task-1", "m:1 (f)", 0, "task-0", True),), ())


def trace(**changes: Any) -> Trace:
    values: dict[str, Any] = {
        "format": FORMAT,
        "target": "nova",
        "release": "34.0.0",
        "model": "threads",
        "program": Operations(
            (Operation("instance", {"instance": 1, "role": "new", "flavor": 1}),),
            ((Operation("claim", {"instance": 1}),), (Operation("audit"),)),
        ),
        "seed": 7,
        "configuration": {"ram_allocation_ratio": 1.5},
        "faults": (),
        "words": ("begin task 0", "read Stats.x in f"),
        "choices": (Choice(0, 1, (0, 1), (0, 0)), Choice(5, 0, (0, 1), (1, 0), True)),
        "expected": Expected("invariant", "a message", "abc", DIGEST, 12, "I1", ("invariant", "I1"), ("m:1 (f)",)),
        "versions": {"python": "3.11.7"},
        "hash_seed": "0",
    }
    return Trace(**{**values, **changes})


def test_a_trace_comes_back_as_it_was() -> None:
    assert codec.decode(codec.encode(trace())) == trace()
    other = trace(program=Function("a.py", "f", DIGEST, ("m",)))
    assert codec.decode(codec.encode(other)) == other


@pytest.mark.parametrize(
    ("name", "changes"), [("golden_v1.json", {"format": 1}), ("golden_v2.json", {"format": 2, "necessity": NEEDED})]
)
def test_every_format_stays_readable(name: str, changes: dict[str, Any]) -> None:
    """Each golden file was written by the first version that had its format; a change
    that breaks one needs a new format number."""
    golden = (FOLDER / name).read_bytes()
    assert codec.decode(golden) == trace(**changes)
    assert codec.encode(trace(**changes)) == golden


def test_choices_of_version_1_are_replayed_as_before() -> None:
    assert recorded_choices(codec.decode((FOLDER / "golden_v1.json").read_bytes())) == [
        RecordedChoice(0, 1, (0, 1), ("begin task 0", "begin task 0"), False),
        RecordedChoice(5, 0, (0, 1), ("read Stats.x in f", "begin task 0"), True),
    ]


def test_a_trace_need_not_say_what_is_needed() -> None:
    assert b"necessity" not in codec.encode(trace())
    assert codec.decode(codec.encode(trace())).necessity is None


texts = st.text(max_size=20)
values = st.integers(-(2**40), 2**40) | texts | st.booleans() | st.none()
operations = st.builds(Operation, texts, st.dictionaries(texts, values, max_size=3))


@given(
    st.lists(st.lists(operations, max_size=3).map(tuple), max_size=3).map(tuple),
    st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False) | texts | st.none(), max_size=3),
    st.lists(texts, min_size=1, max_size=4).map(tuple),
)
@pytest.mark.wide
def test_any_trace_comes_back(tasks: Any, configuration: Any, words: Any) -> None:
    made = trace(program=Operations((), tasks), configuration=configuration, words=words, choices=())
    assert codec.decode(codec.encode(made)) == made


def edited(**changes: Any) -> bytes:
    content = json.loads(codec.encode(trace()))
    content.update(changes)
    return json.dumps(content).encode()


def interruption(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(NEEDED.preemptions[0])
    return {**found, **changes}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a trace"),
        (b"\xff\xfe", "not a trace"),
        (b"[]", "not a trace"),
        (b"{}", "not a trace"),
        (b"not json", "not a trace"),
        (b"[" * 200_000, "nested"),
        (b'{"a":' * 200_000, "nested"),
        (edited(format=99), "format 99"),
        (edited(format="1"), "not a trace"),
        (edited(surprise=1), "broken"),
        (edited(seed=-1), "broken"),
        (edited(model="processes"), "broken"),
        (edited(target=5), "broken"),
        (edited(program={"type": "pickle", "data": "x"}), "broken"),
        (edited(choices=[{"step": 1, "chosen": 0, "enabled": [1], "pending": [0]}]), "contradicts"),
        (edited(choices=[{"step": 1, "chosen": 0, "enabled": [0], "pending": [9]}]), "lacks"),
        (edited(choices=[{"step": 1, "chosen": 0, "enabled": [0], "pending": [0]}] * 2), "out of order"),
        (edited(format=1, necessity={"faults": [], "preemptions": []}), "no field `necessity`"),
        (edited(necessity=None), "canonical"),
        (edited(necessity={"faults": [True], "preemptions": []}), "judges 1 faults"),
        (edited(necessity={"faults": [], "preemptions": [interruption(step=4)]}), "no preemption at step 4"),
        (edited(necessity={"faults": [], "preemptions": [interruption(task=0)]}), "no preemption"),
        (edited(necessity={"faults": [], "preemptions": [interruption(instead=1)]}), "no preemption"),
        (edited(necessity={"faults": [], "preemptions": [interruption(needed=1)]}), "broken"),
        (edited(seed=8), "canonical"),
        (codec.encode(trace()) + b" ", "canonical"),
        (codec.encode(trace()).replace(b'"seed": 7', b'"seed": 6, "seed": 7'), "canonical"),
    ],
)
def test_what_is_no_trace_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(TraceError, match=words):
        codec.decode(data)


def test_size_is_bounded_before_reading(tmp_path: Path) -> None:
    big = tmp_path / "big.json"
    with big.open("wb") as file:
        file.truncate(codec.MAX_BYTES + 1)
    with pytest.raises(TraceError, match="larger than"):
        codec.read(big)
    with pytest.raises(TraceError, match="larger than"):
        codec.decode(b"x" * (codec.MAX_BYTES + 1))


@settings(max_examples=300)
@given(st.data())
def test_damaged_bytes_are_refused_or_read(data: st.DataObject) -> None:
    whole = bytearray(codec.encode(trace()))
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, len(whole) - 1))
        whole[where] = data.draw(st.integers(0, 255))
    with contextlib.suppress(TraceError):
        codec.decode(bytes(whole))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="there is no trace"):
        codec.read(tmp_path / "none.json")
    with pytest.raises(TraceError, match="is a folder"):
        codec.read(tmp_path)


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "deep" / "t.json"
    assert codec.write(trace(), target) == target
    assert codec.read(target) == trace()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        codec.write(trace(seed=9), target)
    assert codec.read(target) == trace()
    assert [path.name for path in target.parent.iterdir()] == ["t.json"]


def test_a_trace_of_0_1_0_is_read_with_the_names_of_today() -> None:
    """Modules that stand for a program's surroundings have moved since; a user's have not."""
    place = "targets.reference.tracker|Tracker.claim|self.used"
    moved = "targets.nova.conductor|Conductor.call|x"
    other = "targets.mine|f|y"
    identity = ("exception", "KeyError", moved, place, other)
    made = trace()
    old = msgspec.structs.replace(
        made, versions={"semafuzz": "0.1.0"}, expected=msgspec.structs.replace(made.expected, identity=identity)
    )
    read = codec.decode(codec.encode(old)).expected.identity
    assert read == (
        "exception",
        "KeyError",
        "semafuzz.targets.nova.in_memory.conductor|Conductor.call|x",
        "semafuzz.targets.reference.tracker|Tracker.claim|self.used",
        other,
    )
    new = msgspec.structs.replace(old, versions={"semafuzz": "0.2.0"})
    assert codec.decode(codec.encode(new)).expected.identity == identity
