"""The compute managers of both hosts: Nova's own ``ComputeManager``, and the messages
between them.

The manager's methods run as released. Around it stands nothing: networks, volumes,
images and shares are there but empty, and notifications, instance actions and faults
(records that nobody here reads) are left out. Messages between managers go through
Nova's own ``ComputeAPI``, so that Nova decides which host gets which arguments: what
arrives are copies. A call is answered at once; a cast is delivered when the method that
sent it has returned, as part of the same operation.
"""

from __future__ import annotations

import datetime
import inspect
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from targets.nova.boundary import leave
from targets.nova.conductor import EPOCH
from targets.nova.faults import DONE
from targets.nova.processes import ProcessEndedError, die_if_killed, running_in, running_process
from targets.nova.sections import running_host

if TYPE_CHECKING:
    from targets.nova.world import World


class Nothing:
    """A service that has nothing to do: whatever is asked of it, there is none."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: object, **options: object) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *raised: object) -> None:
        return None


class _Images(Nothing):
    """Images: each is there, and says nothing of itself."""

    def get(self, context: Any, image: str, *args: object, **options: object) -> dict[str, Any]:
        """What is known of an image."""
        return {"properties": {}}


NOTHING = Nothing()
_ABSENT = ("network_api", "volume_api", "manila_api", "share_manager", "compute_task_api", "query_client")

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
def nobody_listens() -> Iterator[None]:
    """For the time of the block: no notifications, no instance actions, no faults, no
    block devices. None of them is read by what is under test, and each would be calls."""
    from nova import exception_wrapper, objects, rpc
    from nova.compute import manager, utils
    from nova.image import glance
    from nova.network import model

    said = {name: _say_nothing for name in dir(utils) if name.startswith("notify_")}
    said["add_instance_fault_from_exc"] = _tell
    with ExitStack() as changes:
        for name, function in said.items():
            changes.enter_context(mock.patch.object(utils, name, function))
        changes.enter_context(mock.patch.object(utils, "EventReporter", NOTHING))
        for name in [one for one in dir(exception_wrapper) if one.startswith("_emit_")]:
            changes.enter_context(mock.patch.object(exception_wrapper, name, _say_nothing))
        changes.enter_context(mock.patch.multiple(rpc, NOTIFIER=NOTHING, LEGACY_NOTIFIER=NOTHING))
        changes.enter_context(mock.patch.object(objects.BlockDeviceMappingList, "get_by_instance_uuid", none_of))
        changes.enter_context(mock.patch.object(objects.Instance, "get_network_info", _no_ports))
        for name in _LEFT_OUT:
            if hasattr(manager.ComputeManager, name):
                changes.enter_context(mock.patch.object(manager.ComputeManager, name, _say_nothing))
        changes.enter_context(mock.patch.object(manager, "timeutils", _Clock()))
        changes.enter_context(
            mock.patch.object(manager.LOG, "exception", partial(_log_and_tell, manager.LOG.exception))
        )
        if hasattr(glance, "generate_image_url"):
            # For a notification, which is made before it is known whether anybody listens.
            changes.enter_context(mock.patch.object(glance, "generate_image_url", _say_nothing))
        # Networks are allocated beside a build, and there are none.
        changes.enter_context(mock.patch.object(model, "NetworkInfoAsyncWrapper", _no_ports))
        if hasattr(manager.utils, "spawn_n"):
            changes.enter_context(mock.patch.object(manager.utils, "spawn_n", _spawn_build))
        if hasattr(manager, "thread_pool_factory"):
            changes.enter_context(mock.patch.object(manager.thread_pool_factory, "spawn_on", spawn_here))
        yield


def spawn_here(pool: Any, function: Callable[..., object], *args: object, **options: object) -> Any:
    """What the manager leaves to a pool of threads is done in order: at once where it waits
    for the result (audits of several nodes), else when its own method has returned."""
    future: Future[object] = Future()
    if getattr(pool, "name", "") == "UPDATE_RESOURCES":
        try:
            future.set_result(function(*args, **options))
        except Exception as error:
            future.set_exception(error)
        return future

    def run() -> None:
        # As an executor does it. What it raises, nobody in Nova asks for: it is a failure here.
        future.set_running_or_notify_cancel()
        try:
            result = function(*args, **options)
        except Exception as error:
            future.set_exception(error)
            raise
        future.set_result(result)

    _delivering.get().later(run)
    return future


class _Pool:
    """An executor of the manager, up to where it had its own."""

    name = "LIVE_MIGRATION"

    def submit(self, function: Callable[..., object], *args: object, **options: object) -> Any:
        """Likewise."""
        return spawn_here(self, function, *args, **options)


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
    _delivering.get().later(partial(function, *args, **options))


def _no_ports(*args: object, **options: object) -> Any:
    from nova.network.model import NetworkInfo

    return NetworkInfo()


_told: ContextVar[list[Exception]] = ContextVar("told")


@contextmanager
def faults_told() -> Iterator[list[Exception]]:
    """What the manager keeps to itself during the block: what it logs with its traceback, and
    faults of instances, the reason of one that it wraps in place of it."""
    told: list[Exception] = []
    token = _told.set(told)
    try:
        yield told
    finally:
        _told.reset(token)


def _tell(context: Any, instance: Any, fault: Exception, *args: object, **options: object) -> None:
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


def _say_nothing(*args: object, **options: object) -> None:
    return None


class _Client:
    """What ``ComputeAPI`` sends with: the client of oslo.messaging, as far as it asks."""

    def __init__(self, bus: Bus, host: str = "") -> None:
        self._bus = bus
        self._host = host

    def prepare(self, server: str = "", **options: object) -> _Client:
        """A client for messages to one host."""
        return _Client(self._bus, server)

    def can_send_version(self, version: str) -> bool:
        """Both hosts are of one release."""
        return True

    def call(self, context: Any, method: str, **arguments: Any) -> Any:
        """A message whose answer is waited for."""
        return self._bus.call(context, self._host, method, arguments)

    def cast(self, context: Any, method: str, **arguments: Any) -> None:
        """A message that is sent, and that is all."""
        self._bus.cast(context, self._host, method, arguments)


_delivering: ContextVar[Bus] = ContextVar("delivering")
_refused: ContextVar[str] = ContextVar("refused", default="")


class UnsentError(Exception):
    """The queue of messages took no message."""


class Bus:
    """Carries messages between the managers of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._casts: dict[int, deque[Callable[[], object]]] = {}

    def rpcapi(self) -> Any:
        """Nova's side of sending: its own ``ComputeAPI``."""
        from nova.compute.rpcapi import ComputeAPI

        client = _Client(self)
        # A router gives a client for each cell, of which there is one here.
        router = SimpleNamespace(client=lambda context: client)
        kind: Any = type("ComputeAPI", (ComputeAPI,), {"router": router})
        return object.__new__(kind)

    def call(self, context: Any, host: str, method: str, arguments: Mapping[str, Any]) -> Any:
        """Perform a method of another host's manager now."""
        from oslo_messaging.exceptions import MessagingTimeout

        leave(f"message {method}")
        try:
            answer = self._deliver(self._sent(context, arguments), host, method)
        except ProcessEndedError:
            # Whoever waits for the answer is told that none came.
            die_if_killed()
            raise MessagingTimeout(f"Timed out waiting for a reply ({method})") from None
        leave(f"message {method}{DONE}")
        return self._sent(context, {"answer": answer})["answer"]

    @contextmanager
    def refusing(self, method: str) -> Iterator[None]:
        """In the block, messages of this task for a method cannot be sent: UnsentError."""
        token = _refused.set(method)
        try:
            yield
        finally:
            _refused.reset(token)

    def cast(self, context: Any, host: str, method: str, arguments: Mapping[str, Any]) -> None:
        """Have it performed once the running method has returned."""
        if method == _refused.get():
            raise UnsentError(method)
        sent = self._sent(context, arguments)

        def arrive() -> None:
            leave(f"message {method}")
            self._deliver(sent, host, method)

        self._queue().append(arrive)

    def perform(self, host: str, method: str, **arguments: Any) -> None:
        """A message from the API or the conductor, and all that comes of it. Raises what
        one of them raised, once all of them have been delivered."""
        queue = self._queue()
        queue.append(lambda: self._deliver(arguments, host, method))
        _delivering.set(self)
        raised: BaseException | None = None
        with running_in(None):
            while queue:
                try:
                    queue.popleft()()
                except (Exception, ProcessEndedError) as error:
                    raised = raised or error
        if raised is not None:
            raise raised

    def later(self, function: Callable[[], object]) -> None:
        """Have something done once the running method has returned."""
        # In the same process, that is, under the locks of the same host.
        host, process = running_host.get(), running_process.get()

        def run() -> None:
            if process is None or not process.ended:
                self._world.on(host, function)

        self._queue().append(run)

    def _queue(self) -> deque[Callable[[], object]]:
        from harness.kernel import current

        task = -1 if current.execution is None else current.execution.current.index
        return self._casts.setdefault(task, deque())

    def _deliver(self, arguments: Mapping[str, Any], host: str, method: str) -> Any:
        def handle() -> Any:
            # Not before there is a process that does: its predecessor's manager is gone with it.
            function = getattr(self._world.hosts[host].manager, method)
            return function(self._world.context(), **_fitting(function, arguments))

        return self._world.on(host, handle)

    def _sent(self, context: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Copies, as they come out at the other end."""
        from nova.objects import base

        serializer = base.NovaObjectSerializer()
        there = self._world.context()
        return {
            name: serializer.deserialize_entity(there, serializer.serialize_entity(context, value))
            for name, value in arguments.items()
        }


def _fitting(function: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those arguments that the method of this release takes, under its names for them."""
    from nova import safe_utils

    known = inspect.signature(safe_utils.get_wrapped_function(function)).parameters
    named = {
        "instance_type" if name == "flavor" and "instance_type" in known else name: value
        for name, value in arguments.items()
    }
    return {name: value for name, value in named.items() if name in known}


def make_manager(world: World, host: str) -> Any:
    """The manager of a host, around the tracker that the host has now."""
    from nova import manager as base
    from nova.compute import manager

    made = manager.ComputeManager.__new__(manager.ComputeManager)
    # Its own constructor makes clients of other services and loads a hypervisor.
    base.Manager.__init__(made, host=host, service_name="compute")
    found = world.hosts[host]
    made.driver, made.rt, made.reportclient = found.driver, found.tracker, found.tracker.reportclient
    for name in _ABSENT:
        setattr(made, name, NOTHING)
    made.image_api = _Images()
    made.notifier = NOTHING
    made.compute_rpcapi = world.bus.rpcapi()
    made.instance_events = manager.InstanceEvents()
    made.virtapi = manager.ComputeVirtAPI(made)
    made.send_instance_updates = False
    # Up to 21: whether block devices are given to the hypervisor in the form of old.
    made.use_legacy_block_device_info = False
    # Up to 18 the tracker, and a client of the scheduler, go by other names.
    made._resource_tracker = found.tracker
    made.scheduler_client = getattr(found.tracker, "scheduler_client", NOTHING)
    made._build_semaphore = NOTHING
    # Up to 19: who keeps security groups.
    made.is_neutron_security_groups = True
    made._waiting_live_migrations = {}
    made._live_migration_executor = _Pool()
    # 33 and newer count what is under way.
    made._pending_dest_live_migrations, made._pending_dest_resizes = {}, {}
    return made
