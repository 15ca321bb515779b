"""The installed Nova, opened under control once for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.targets import find_target

Opened = tuple[Any, ControlledSession]


@pytest.fixture(scope="module")
def nova() -> Iterator[Opened]:
    with find_target("nova").open() as opened, controlled_session(opened.modules) as laboratory:
        yield opened, laboratory
