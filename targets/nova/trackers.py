"""Making a tracker and its report client, in each release's way.

Up to 19 a tracker makes a client for itself, and up to 18 it reaches it through a client
of the scheduler. What they are in the end is the same: Nova's own, on our adapter.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any


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
        stack.enter_context(_replaced(report, "SchedulerReportClient", lambda: client))
        if hasattr(resource_tracker, "query"):
            # 19: a client of the scheduler's queries, which nobody asks.
            stack.enter_context(_replaced(resource_tracker.query, "SchedulerQueryClient", lambda: None))
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
            stack.enter_context(_replaced(report.utils, "get_ksa_adapter", lambda service: adapter))
        else:
            stack.enter_context(_replaced(report, "keystone", session))
        return make()


@contextmanager
def _replaced(module: Any, name: str, by: Any) -> Iterator[None]:
    real = getattr(module, name)
    setattr(module, name, by)
    try:
        yield
    finally:
        setattr(module, name, real)
