"""Documents that somebody made to do harm: a clear refusal, never a crash, a hang or much memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semafuzz.harness.errors import TraceError
from semafuzz.harness.traces import codec

HERE = Path(__file__).parent
GOLDEN = [(HERE / name).read_bytes() for name in ("golden_v1.json", "golden_v2.json")]
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**53, 2**64, 10**400, 1.5, "", "\x1b[2J", "<script>alert(1)</script>", "../../etc/passwd",
    "\u2028", "\ud800", "x" * 5000, [], [[]], {}, {"a": 1}, "__import__('os')", float("nan"), float("inf"),
)  # fmt: skip
TOKENS = (
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\u0000",
    b"\\",
    b"\xff",
    b"\xed\xa0\x80",
    b"1e999",
    b"-",
    b"NaN",
    b"null",
    b"\n",
)


def of_bytes(whole: bytes, generator: random.Random) -> bytes:
    """Bytes replaced, cut out, doubled, or brought in from another trace."""
    data = bytearray(whole)
    for _ in range(generator.randint(1, 6)):
        start = generator.randrange(len(data) or 1)
        end = min(len(data), start + generator.randint(0, 40))
        other = generator.choice(GOLDEN)
        place = generator.randrange(len(other))
        data[start:end] = generator.choice(
            [
                bytes([generator.randrange(256)]),
                b"",
                bytes(data[start:end]) * 3,
                generator.choice(TOKENS),
                other[place : place + 40],
            ]
        )
    return bytes(data)


def of_parts(whole: bytes, generator: random.Random) -> bytes:
    """Parts of the document replaced, left out, doubled or renamed; laid out as we do."""
    document = json.loads(whole)
    for _ in range(generator.randint(1, 3)):
        parts: list[tuple[Any, Any]] = []

        def collect(part: Any, parts: list[tuple[Any, Any]] = parts) -> None:
            for key in part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ():
                parts.append((part, key))
                collect(part[key])

        collect(document)
        owner, key = generator.choice(parts)
        what = generator.randrange(4)
        if what == 0:
            owner[key] = generator.choice(VALUES)
        elif what == 1:
            del owner[key]
        elif isinstance(owner, dict):
            owner[str(generator.choice(VALUES))[:300]] = owner[key]
        else:
            owner.insert(key, owner[key])
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=generator.random() < 0.5)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def survive(number: int) -> None:
    """Decode what this number stands for; a refusal has to be one line that can be printed."""
    generator = random.Random(number)
    mutate: Callable[[bytes, random.Random], bytes] = generator.choice([of_bytes, of_parts])
    data = mutate(generator.choice(GOLDEN), generator)
    refusal, read = "", b""
    try:
        read = codec.encode(codec.decode(data))
    except TraceError as error:
        refusal = str(error)
    assert read in (b"", data)
    assert bool(read) != bool(refusal)
    assert refusal.isprintable(), number
    assert len(refusal) < 600, number
    assert read or ";" in refusal, f"{number}: it says what to do"


@pytest.mark.wide
def test_some_thousand_mutated_documents() -> None:
    for number in range(3000):
        survive(number)


@pytest.mark.slow
def test_a_hundred_thousand_mutated_documents() -> None:
    for number in range(100_000):
        survive(number)


def test_some_mutations_are_read_and_most_are_not() -> None:
    read = 0
    for number in range(400):
        generator = random.Random(number)
        try:
            codec.decode(of_parts(generator.choice(GOLDEN), generator))
        except TraceError:
            continue
        read += 1
    assert 0 < read < 200


MEASURE = """
import json, resource, sys
from pathlib import Path
from semafuzz.harness.errors import TraceError
from semafuzz.harness.traces import codec

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    codec.read(Path(sys.argv[1]))
    print("read")
except TraceError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def filled(where: str, part: bytes, before: bytes = b"[", after: bytes = b"]") -> bytes:
    """A trace of the greatest size, with as many of a part as there is room for."""
    document = json.loads(GOLDEN[1])
    *owners, last = where.split(".")
    owner = document
    for name in owners:
        owner = owner[name]
    owner[last] = "@@"
    frame = json.dumps(document, indent=1, sort_keys=True).encode()
    many = (codec.MAX_BYTES - len(frame) - 100) // len(part)
    return frame.replace(b'"@@"', before + (part * many).rstrip(b",\n ") + after)


CHOICE = b'{"chosen":0,"enabled":[0],"pending":[0],"step":0},'
LARGE = {
    "short words": filled("words", b'"ab",'),
    "short words, a line each": filled("words", b'"ab",\n'),
    "choices": filled("choices", CHOICE),
    "choices, a line each": filled("choices", CHOICE.replace(b",", b",\n")),
    "empty lists": filled("choices", b"[],"),
    "unknown": filled("zzz", b"1,\n"),
    "enabled tasks": filled("choices", b"7,\n", b'[{"chosen":0,\n"enabled":[', b'],\n"pending":[0],\n"step":0}]'),
    "escapes": filled("target", b"\\u0001", b'"', b'"'),
    "a long string": filled("target", b"x", b'"', b'"'),
    "versions": filled("versions", b'"a":"b",\n', b"{", b"}"),
    "deep": b"[" * codec.MAX_BYTES,
    "spaces": b" " * codec.MAX_BYTES,
}


OF_EACH_KIND = ("short words", "short words, a line each", "choices, a line each", "deep")
"""Those that need the most, and those that are refused first."""


@pytest.mark.unmeasured
@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the figure is Linux's")
@pytest.mark.parametrize(
    "what",
    [what if what in OF_EACH_KIND else pytest.param(what, marks=pytest.mark.slow) for what in LARGE],
)
@pytest.mark.wide(first=False)
def test_the_largest_take_less_than_200_megabytes(what: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(LARGE[what])
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    *said, megabytes = done.stdout.splitlines()
    assert int(megabytes) < 200
    assert said != ["read"]
