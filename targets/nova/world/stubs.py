"""Stubs around a compute manager: services that have nothing to do.

Networks, volumes, images and shares are there but empty, and notifications, instance actions
and faults (records that nobody here reads) are left out. What the manager keeps to itself can be
heard (:func:`captured_faults`).
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any
from unittest import mock

from semafuzz.targets.nova.in_memory.conductor import EPOCH
from semafuzz.targets.nova.world.network import ports_of
from semafuzz.targets.nova.world.null_service import NULL_SERVICE, NullService
from semafuzz.targets.nova.world.pools import delivering, shut_down, spawn_on


class Images(NullService):
    """Images: each is there, and says nothing of itself."""

    def get(self, context: Any, image: str, *args: object, **options: object) -> dict[str, Any]:
        """What is known of an image."""
        return {"properties": {}}


_LEFT_OUT = (
    "_notify_about_instance_usage", "_update_scheduler_instance_info", "_delete_scheduler_instance_info",
    # There are no server groups, certificates for images or consoles.
    "_validate_instance_group_policy", "_check_trusted_certs", "_clean_instance_console_tokens",
    # A file with the node's uuid, events of the hypervisor.
    "_ensure_existing_node_identity", "init_virt_events",
)  # fmt: skip


def none_of(context: Any, uuid: str, *args: object, **options: object) -> Any:
    """The block devices of an instance."""
    from nova import objects

    return objects.BlockDeviceMappingList(context=context, objects=[])


@contextmanager
def without_notifications() -> Iterator[None]:
    """For the time of the block: no notifications, no instance actions, no faults, no
    block devices. None of them is read by what is under test, and each would be calls."""
    from nova import exception_wrapper, objects, rpc
    from nova.compute import manager, utils
    from nova.image import glance
    from nova.network import model

    said: dict[str, Callable[..., None]]
    said = {name: _noop for name in dir(utils) if name.startswith("notify_")}
    said["add_instance_fault_from_exc"] = _record_fault
    # Ports are those that the instance comes with.
    said["refresh_info_cache_for_instance"] = _noop
    with ExitStack() as changes:
        for name, function in said.items():
            if hasattr(utils, name):
                changes.enter_context(mock.patch.object(utils, name, function))
        changes.enter_context(mock.patch.object(utils, "EventReporter", NULL_SERVICE))
        for name in [one for one in dir(exception_wrapper) if one.startswith("_emit_")]:
            changes.enter_context(mock.patch.object(exception_wrapper, name, _noop))
        changes.enter_context(mock.patch.multiple(rpc, NOTIFIER=NULL_SERVICE, LEGACY_NOTIFIER=NULL_SERVICE))
        changes.enter_context(mock.patch.object(objects.BlockDeviceMappingList, "get_by_instance_uuid", none_of))
        changes.enter_context(mock.patch.object(objects.Instance, "get_network_info", ports_of))
        for name in _LEFT_OUT:
            if hasattr(manager.ComputeManager, name):
                changes.enter_context(mock.patch.object(manager.ComputeManager, name, _noop))
        changes.enter_context(mock.patch.object(manager, "timeutils", _Clock()))
        changes.enter_context(
            mock.patch.object(manager.LOG, "exception", partial(_log_and_tell, manager.LOG.exception))
        )
        if hasattr(manager.loopingcall, "RetryDecorator"):
            # The network service never fails, and a retry is a thread of a library, which then idles for ever.
            changes.enter_context(mock.patch.object(manager.loopingcall, "RetryDecorator", _without_retries))
        if hasattr(glance, "generate_image_url"):
            # For a notification, which is made before it is known whether anybody listens.
            changes.enter_context(mock.patch.object(glance, "generate_image_url", _noop))
        # Networks are allocated beside a build, and there are none.
        changes.enter_context(mock.patch.object(model, "NetworkInfoAsyncWrapper", _no_ports))
        if hasattr(manager.utils, "spawn_n"):
            changes.enter_context(mock.patch.object(manager.utils, "spawn_n", _spawn_build))
        if hasattr(manager, "thread_pool_factory"):
            changes.enter_context(mock.patch.object(manager.thread_pool_factory, "spawn_on", spawn_on))
            shut = mock.patch.object(manager.thread_pool_factory, "shutdown_all_executors", shut_down)
            changes.enter_context(shut)
        yield


def _without_retries(**options: object) -> Callable[[Callable[..., object]], Callable[..., object]]:
    return lambda function: function


class _Clock:
    """``oslo_utils.timeutils`` for the manager, which stamps rows: it is always the same time."""

    def __getattr__(self, name: str) -> Any:
        from oslo_utils import timeutils

        return getattr(timeutils, name)

    def utcnow(self, with_timezone: bool = False) -> datetime.datetime:
        """When every execution happens."""
        return EPOCH if with_timezone else EPOCH.replace(tzinfo=None)


def _spawn_build(function: Callable[..., object], *args: object, **options: object) -> None:
    """Up to 31 a build has a thread of its own, of no pool."""
    delivering.get().later(partial(function, *args, **options))


def _no_ports(*args: object, **options: object) -> Any:
    from nova.network.model import NetworkInfo

    return NetworkInfo()


_told: ContextVar[list[Exception]] = ContextVar("told")


@contextmanager
def captured_faults() -> Iterator[list[Exception]]:
    """What the manager keeps to itself during the block: what it logs with its traceback, and
    faults of instances, the reason of one that it wraps in place of it."""
    told: list[Exception] = []
    token = _told.set(told)
    try:
        yield told
    finally:
        _told.reset(token)


def _record_fault(context: Any, instance: Any, fault: Exception, *args: object, **options: object) -> None:
    from nova import exception

    if isinstance(fault, exception.RescheduledException | exception.BuildAbortException):
        reason = fault.__context__
        fault = reason if isinstance(reason, Exception) else fault
    _told.get([]).append(fault)


def _log_and_tell(log: Callable[..., None], *args: object, **options: object) -> None:
    error = sys.exc_info()[1]
    if isinstance(error, Exception):
        _told.get([]).append(error)
    log(*args, **options)


def _noop(*args: object, **options: object) -> None:
    return None
