"""The compute managers of both hosts: Nova's own ``ComputeManager``, and the messages
between them.

The manager's methods run as released; what stands around it is in ``surroundings``.
Messages between managers go through Nova's own ``ComputeAPI``, so that Nova decides which
host gets which arguments: what arrives are copies. A call is answered at once; a cast is
delivered when the method that sent it has returned, as part of the same operation.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Protocol

from semafuzz.targets.nova.boundary.calls import leave
from semafuzz.targets.nova.boundary.faults import DONE
from semafuzz.targets.nova.boundary.process import ProcessEndedError, die_if_killed, running_in, running_process
from semafuzz.targets.nova.world.named_locks import running_host
from semafuzz.targets.nova.world.pools import delivering, ending_with_their_work


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


_refused: ContextVar[str] = ContextVar("refused", default="")


@lru_cache(maxsize=1)
def lost_answer_error() -> type[Exception]:
    """What a caller gets whose callee was killed: a MessagingTimeout as any other."""
    from oslo_messaging.exceptions import MessagingTimeout

    return type("LostAnswerError", (MessagingTimeout,), {})


class UnsentError(Exception):
    """The queue of messages took no message."""


class Delivering(Protocol):
    """What messages ask of the world that they travel in."""

    @property
    def hosts(self) -> Mapping[str, Any]:
        """All hosts, by name."""

    def context(self) -> Any:
        """A request context."""

    def on(self, host: str, function: Callable[[], Any]) -> Any:
        """Do something under the locks of a host, once its service is up."""

    def on_host(self, host: str, function: Callable[[], Any]) -> Any:
        """Do something under the locks of a host."""


class Bus:
    """Carries messages between the managers of a world."""

    def __init__(self, world: Delivering) -> None:
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
        leave(f"message {method}")
        try:
            answer = self._deliver(self._sent(context, arguments), host, method)
        except ProcessEndedError:
            # Whoever waits for the answer is told that none came.
            die_if_killed()
            raise lost_answer_error()(f"Timed out waiting for a reply ({method})") from None
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
        self._queue().append(lambda: self._deliver(arguments, host, method))
        delivering.set(self)
        with ending_with_their_work() as given:
            raised = self._drained()
            for work in given:
                try:
                    work.end()
                except (Exception, ProcessEndedError) as error:
                    raised = _worse(raised, error)
        if raised is not None:
            raise raised

    def drain(self) -> None:
        """Deliver what the running task has sent. Raises as :meth:`perform` does."""
        raised = self._drained()
        if raised is not None:
            raise raised

    def _drained(self) -> BaseException | None:
        queue = self._queue()
        raised: BaseException | None = None
        with running_in(None):
            while queue:
                try:
                    queue.popleft()()
                except (Exception, ProcessEndedError) as error:
                    raised = _worse(raised, error)
        return raised

    def later(self, function: Callable[[], object]) -> None:
        """Have something done once the running method has returned."""
        # In the same process, that is, under the locks of the same host; one that is told to end does it still.
        host, process = running_host.get(), running_process.get()

        def run() -> None:
            if process is None or not process.ended:
                with running_in(process):
                    self._world.on_host(host, function)

        self._queue().append(run)

    def _queue(self) -> deque[Callable[[], object]]:
        from semafuzz.harness.kernel import current

        task = -1 if current.execution is None else current.execution.current.index
        return self._casts.setdefault(task, deque())

    def _deliver(self, arguments: Mapping[str, Any], host: str, method: str) -> Any:
        from oslo_messaging.rpc.dispatcher import ExpectedException

        def handle() -> Any:
            # Not before there is a process that does: its predecessor's manager is gone with it.
            manager = self._world.hosts[host].manager
            fitting = _fitting(getattr(manager, method), arguments)
            try:
                return getattr(_endpoint(manager), method)(self._world.context(), **fitting)
            except ExpectedException as error:
                # How a server marks what is no error of its own; the caller gets what it was.
                raise error.exc_info[1] from None

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


def _endpoint(manager: Any) -> Any:
    """What a message is handed to: the service of newer releases counts what is under way, by its manager, so that one
    that is told to end can wait for it."""
    from nova import service

    wrapper = getattr(service, "_TrackingEndpointWrapper", None)
    return manager if wrapper is None else wrapper(manager)


def _worse(raised: BaseException | None, error: BaseException) -> BaseException:
    """What is told of two that came one after the other: the first, unless it is only that a process was killed."""
    return error if raised is None or isinstance(raised, ProcessEndedError) else raised


def _fitting(function: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those arguments that the method of this release takes, under its names for them."""
    from nova import safe_utils

    known = inspect.signature(safe_utils.get_wrapped_function(function)).parameters
    named = {
        "instance_type" if name == "flavor" and "instance_type" in known else name: value
        for name, value in arguments.items()
    }
    return {name: value for name, value in named.items() if name in known}
