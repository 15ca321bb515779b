"""What the tracker and the managers write to the log: nothing of what is planted in an
instance, in the request and in the configuration and is nobody else's business."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

pytest.importorskip("nova")

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation, Operations, Value
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.operations.table import TABLE
from semafuzz.targets.nova.stage import NovaStage
from semafuzz.targets.nova.world.world import World
from tests.rotation import in_turn

pytestmark = pytest.mark.nova
SECRETS = {"user_data": "cGxhbnRlZC11c2VyLWRhdGE=", "password": "planted-password", "token": "planted-token"}
IN_MEMORY = {
    "remove_node", "build_failed", "build_succeeded", "read_node", "reload",
    # Refused where there is nothing to call off or to confirm again, and no second node.
    "abort_migration_away", "abort_migration_here", "boot_extra", "confirm_again",
}  # fmt: skip
"""Operations of the tracker that make no call of their own: what can fail in their runs is around them."""
OPTIONS = {"api_database": "connection", "keystone_authtoken": "password", "placement": "password"}


class Kept(logging.Handler):
    """Every record as Nova's two formats write it: lines for people, and JSON."""

    def __init__(self) -> None:
        from oslo_config import cfg
        from oslo_log import formatters, log

        super().__init__(logging.DEBUG)
        options = cfg.ConfigOpts()
        log.register_options(options)
        options([], default_config_files=[], default_config_dirs=[])
        self.lines: list[str] = []
        self._formatters = (formatters.ContextFormatter(config=options), formatters.JSONFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [formatter.format(record) for formatter in self._formatters]


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened:
        yield opened


@pytest.fixture
def log() -> Iterator[Kept]:
    """The log of Nova at its most talkative."""
    handler, logger = Kept(), logging.getLogger("nova")
    disabled, level = logging.root.manager.disable, logger.level
    logging.disable(logging.NOTSET)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logging.disable(disabled)


def flavor_of(name: str) -> int:
    """One with devices where the operation is about them, a plain one on a second node, else one with own CPUs."""
    return 11 if "port" in name or "device" in name else 1 if "extra" in name else 3


def plant(world: World) -> None:
    """Put secrets where real ones are: user data, the administrator's password, the token
    of the request, passwords of other services."""
    from nova.conf import CONF

    for row in world.conductor.tables["instance"].values():
        row["user_data"] = SECRETS["user_data"]
        row["system_metadata"] = {**row["system_metadata"], "password_0": SECRETS["password"]}
    for group, name in OPTIONS.items():
        if group in CONF and name in CONF[group]:
            CONF.set_override(name, SECRETS["password"], group=group)


def perform(nova: OpenTarget, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from nova.conf import CONF

    setup = []
    needs_devices = "port" in name or "device" in name
    if TABLE[name].before or needs_devices:
        arguments: dict[str, Value] = {"instance": 1, "role": TABLE[name].before or "active"}
        setup = [Operation("instance", {**arguments, "flavor": flavor_of(name)})]
    stage = nova.stage(setup, {"world": "fast"})  # type: ignore[attr-defined]
    assert isinstance(stage, NovaStage)
    stage.restore()
    world = stage._world
    plain = world.context

    def context() -> object:
        made = plain()
        made.auth_token = SECRETS["token"]
        return made

    monkeypatch.setattr(world, "context", context)
    plant(world)
    try:
        stage.perform(Operation(name, {"instance": 1} if TABLE[name].arguments else {}))
    except stage.refusals:
        assert name in IN_MEMORY
    finally:
        for group, option in OPTIONS.items():
            if group in CONF and option in CONF[group]:
                CONF.clear_override(option, group=group)


@pytest.mark.parametrize("name", TABLE)
def test_nothing_planted_is_logged(nova: OpenTarget, log: Kept, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    perform(nova, name, monkeypatch)
    found = [line for line in log.lines for secret in SECRETS.values() if secret in line]
    assert found == []


def test_the_log_is_looked_at(nova: OpenTarget, log: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check fires where something is logged, and operations do log."""
    from nova.compute import resource_tracker

    real = resource_tracker.ResourceTracker.instance_claim

    def talkative(
        self: object, context: object, instance: object, node: str, allocations: object, limits: object
    ) -> object:
        resource_tracker.LOG.debug("claiming %s", instance.user_data)  # type: ignore[attr-defined]
        return real(self, context, instance, node, allocations, limits)

    monkeypatch.setattr(resource_tracker.ResourceTracker, "instance_claim", talkative)
    perform(nova, "claim", monkeypatch)
    assert len(log.lines) > 3
    assert any(SECRETS["user_data"] in line for line in log.lines)


class Planted:
    """A start state with the secrets in it, in the place of a plain one."""

    def __init__(self, stage: NovaStage, monkeypatch: pytest.MonkeyPatch) -> None:
        self._restore = stage.restore
        self._stage = stage
        self._patch = monkeypatch

    def restore(self) -> None:
        self._restore()
        world = self._stage._world
        plain = type(world).context.__get__(world)

        def context() -> object:
            made = plain()
            made.auth_token = SECRETS["token"]
            return made

        self._patch.setattr(world, "context", context)
        plant(world)


def programs_with_faults(name: str, calls: list[str]) -> list[Operation]:
    """Each fault of the target at the first and the last call that it fits."""
    found = []
    for fault in find_target("nova").faults():
        fitting = sum(map(fault.fits, calls))
        found += [Operation(fault.name, {"task": 0, "call": number}) for number in sorted({1, fitting} - {0})]
    return found


def io_of(outcome: Outcome) -> list[str]:
    return [str(name) for kind, _, _, name, _ in outcome.events if kind == op.IO]


@pytest.mark.parametrize("name", in_turn(TABLE, 5))
def test_nothing_planted_is_logged_after_a_fault(
    nova: OpenTarget, log: Kept, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nova.conf import CONF

    needs_devices = "port" in name or "device" in name
    role: dict[str, Value] = {
        "instance": 1,
        "role": TABLE[name].before or "active",
        "flavor": flavor_of(name),
    }
    setup = (Operation("instance", role),) if TABLE[name].before or needs_devices else ()
    task = (Operation(name, {"instance": 1} if TABLE[name].arguments else {}),)
    content = Operations(setup, (task,))
    ran = met = 0
    try:
        with controlled_session(nova.modules, instrument=False):
            points = bytearray(1 << 16)
            calls = []
            for faults in ((), None):
                chosen = [()] if faults == () else [(one,) for one in programs_with_faults(name, calls)]
                for planned in chosen:
                    program = nova.program(Scenario(content, {"world": "fast"}, planned))
                    assert isinstance(program, StagedProgram)
                    assert isinstance(program.stage, NovaStage)
                    with monkeypatch.context() as patch:
                        patch.setattr(program.stage, "restore", Planted(program.stage, patch).restore)
                        setting = ExecutionConfig(points, "eventlet", 0)
                        outcome = program.run_controlled(SerialOrder((0,)), setting)
                    calls = calls if planned else [one for one in io_of(outcome) if not one.endswith(" done")]
                    ran += 1
                    met += any("fault " in str(event[3]) for event in outcome.events) if planned else 0
    finally:
        for group, option in OPTIONS.items():
            if group in CONF and option in CONF[group]:
                CONF.clear_override(option, group=group)
    assert 2 * met >= ran - 1 or name in IN_MEMORY, "most faults were met"
    assert log.lines or not met, "and something was logged"
    found = [line for line in log.lines for secret in SECRETS.values() if secret in line]
    assert found == []
