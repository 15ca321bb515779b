"""Making a tracker and its report client, in each release's way.

Up to 19 a tracker makes a client for itself, and up to 18 it reaches it through a client
of the scheduler. What they are in the end is the same: Nova's own, on our adapter.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from types import MappingProxyType, SimpleNamespace
from typing import Any

Key = tuple[str, str]
"""The names of a module and of what it has."""


def called(function: Any, *arguments: Any, **options: Any) -> Any:
    """Call ``function`` with those ``options`` that it takes in this release."""
    known = inspect.signature(function).parameters
    return function(*arguments, **{name: value for name, value in options.items() if name in known})


def make_tracker(host: str, driver: Any, adapter: Any) -> Any:
    """A ResourceTracker whose report client talks to ``adapter``."""
    from nova.compute import resource_tracker
    from nova.scheduler.client import report

    client = _make_client(report, adapter)
    make = resource_tracker.ResourceTracker
    if "reportclient" in inspect.signature(make).parameters:
        return make(host, driver, reportclient=client)
    with ExitStack() as stack:
        stack.enter_context(replaced(report, "SchedulerReportClient", lambda: client))
        if hasattr(resource_tracker, "query"):
            # 19: a client of the scheduler's queries, which nobody asks.
            stack.enter_context(replaced(resource_tracker.query, "SchedulerQueryClient", lambda: None))
        tracker = make(host, driver)
    if hasattr(tracker, "scheduler_client"):
        # 18 and older: clients that are made when they are first used.
        tracker.reportclient = tracker.scheduler_client.reportclient = client
        tracker.scheduler_client.queryclient = None
    return tracker


def _make_client(report: Any, adapter: Any) -> Any:
    make = report.SchedulerReportClient
    if "adapter" in inspect.signature(make).parameters:
        return make(adapter=adapter)
    # 17 makes its adapter from the configuration, 16 a session of keystone.
    session = SimpleNamespace(
        load_auth_from_conf_options=lambda *which: None,
        load_session_from_conf_options=lambda *which, auth=None: adapter,
    )
    with ExitStack() as stack:
        if hasattr(report, "utils"):
            stack.enter_context(replaced(report.utils, "get_ksa_adapter", lambda service: adapter))
        else:
            stack.enter_context(replaced(report, "keystone", session))
        return make()


class _PerTask:
    """What stands in a module's place for a name: for a task what it wants, for others the real one."""

    def __init__(self, key: Key, real: Any) -> None:
        self._key, self.real, self.users = key, real, 0

    def _value(self) -> Any:
        return _wanted.get().get(self._key, self.real)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._value()(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value(), name)


_wanted: ContextVar[Mapping[Key, Any]] = ContextVar("wanted", default=MappingProxyType({}))
_standing_in: dict[Key, _PerTask] = {}


@contextmanager
def replaced(module: Any, name: str, by: Any) -> Iterator[None]:
    """For the time of the block ``module.name`` is ``by``, for this task. Others may enter
    such a block before it ends: two services of one host can start beside each other."""
    key = (module.__name__, name)
    token = _wanted.set({**_wanted.get(), key: by})
    standing = _standing_in.get(key)
    if standing is None:
        standing = _standing_in[key] = _PerTask(key, getattr(module, name))
        setattr(module, name, standing)
    standing.users += 1
    try:
        yield
    finally:
        _wanted.reset(token)
        standing.users -= 1
        if not standing.users:
            setattr(module, name, _standing_in.pop(key).real)
