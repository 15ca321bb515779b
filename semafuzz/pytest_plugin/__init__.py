"""The pytest plugin: ``@pytest.mark.interleave``, saved traces as tests, a summary.

Hooks only; what they do is in the modules beside this one and imported when it is
first needed, so that a session without a marked test pays for next to nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from semafuzz.pytest_plugin import options
from semafuzz.pytest_plugin.interleave_warning import InterleaveWarning
from semafuzz.pytest_plugin.summary import MACHINE, Summary

if TYPE_CHECKING:
    from semafuzz.pytest_plugin.kept_traces import KeptTraces

__all__ = ["InterleaveWarning"]

_settings = pytest.StashKey[options.Settings]()
_kept: pytest.StashKey[KeptTraces] = pytest.StashKey()
_summary = pytest.StashKey[Summary]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and keys of the configuration file."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, read what was asked for."""
    config.addinivalue_line("markers", options.MARKER)
    settings = config.stash[_settings] = options.read_settings(config)
    _announce_folder(config, settings.out)
    if settings.profile and not config.getoption("hypothesis_profile", None):
        from hypothesis import settings as hypothesis_settings

        from semafuzz.strategies.generate import profiles

        # A session inside another one, as pytester makes them, leaves that one its profile.
        before = hypothesis_settings.get_current_profile_name()
        config.add_cleanup(lambda: hypothesis_settings.load_profile(before))
        profiles.load(settings.profile)
    if settings.folders or settings.replay is not None:
        from semafuzz.pytest_plugin.kept_traces import KeptTraces

        config.stash[_kept] = KeptTraces(settings, config)


def _announce_folder(config: pytest.Config, folder: Path) -> None:
    """State machines put their traces there, too; a session inside another one leaves
    that one its folder."""
    before = os.environ.get("SEMAFUZZ_OUT")
    os.environ["SEMAFUZZ_OUT"] = str(folder)

    def put_back() -> None:
        if before is None:
            os.environ.pop("SEMAFUZZ_OUT", None)
        else:
            os.environ["SEMAFUZZ_OUT"] = before

    config.add_cleanup(put_back)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All workers of xdist explore under the seed of the controller."""
    node.workerinput["interleave_seed"] = node.config.stash[_settings].base.seed


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What differs from a session without options."""
    settings = config.stash[_settings]
    lines = []
    if settings.profile:
        lines.append(f"interleave: profile {settings.profile}, seed {settings.base.seed}")
    lines += [f"interleave: traces in {folder}" for folder in settings.folders]
    return lines


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember which traces are there already, for the summary."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_summary] = Summary(session.config.stash[_settings].out)


# ------------------------------------------------------------- collection


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """An item for each scheduler, and one for each trace kept of the test."""
    if metafunc.definition.get_closest_marker("interleave") is not None:
        from semafuzz.pytest_plugin import items

        config = metafunc.config
        items.parametrize(metafunc, config.stash[_settings], config.stash.get(_kept, None))


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: Any) -> Generator[None, Any, Any]:
    """Traces belong to one set of parameters of their test: drop the other combinations."""
    made = yield
    kept: KeptTraces | None = collector.config.stash.get(_kept, None)
    settings = collector.config.stash[_settings]
    if isinstance(made, list) and (kept is not None or not settings.searches):
        from semafuzz.pytest_plugin import items

        return [one for one in made if items.belongs(one, settings, kept)]
    return made


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A folder of traces that was asked for is not skipped, whatever its name."""
    kept = config.stash.get(_kept, None)
    return False if kept is not None and kept.leads_to(collection_path) else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The traces in the folders that were asked for."""
    kept = parent.config.stash.get(_kept, None)
    if kept is None or not kept.has(file_path):
        return None
    from semafuzz.pytest_plugin.kept_traces import TraceFile

    return TraceFile.of(parent, file_path, kept)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Traces that were met as part of their test are not items of their own too."""
    kept = config.stash.get(_kept, None)
    if kept is not None:
        kept.settle(config, items)


# ---------------------------------------------------------------- running


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse the marker where it would have no effect."""
    if item.get_closest_marker("interleave") is not None:
        from semafuzz.pytest_plugin import items

        items.refuse_other_kinds(item)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Explore a marked test instead of calling it."""
    if pyfuncitem.get_closest_marker("interleave") is None:
        return None
    from semafuzz.pytest_plugin import items

    items.run(pyfuncitem, pyfuncitem.config.stash[_settings])
    return True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """What was found goes with the report, to the controller of xdist too."""
    report = yield
    if call.when == "call" and (item.get_closest_marker("interleave") is not None or hasattr(item, "trace")):
        from semafuzz.pytest_plugin import outcomes

        outcomes.annotate(report, item, call)
    machines = sys.modules.get("semafuzz.strategies.machines.session")
    if call.when == "call" and machines is not None:
        report.user_properties += [(MACHINE, f"{name}: {line}") for name, line in machines.covered_machines]
        machines.covered_machines.clear()
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The section with the findings, one line each, the replay command last."""
    summary = config.stash.get(_summary, None)
    if summary is not None:
        summary.write(terminalreporter, config)
