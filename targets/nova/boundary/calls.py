"""Boundary calls of a nova-compute, in either world: to the conductor and to placement.

Each call is an I/O point before and after; faults happen at it. What answers is for the
worlds to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from semafuzz.harness.kernel import current
from semafuzz.targets.nova.boundary.faults import (
    DONE,
    ELSEWHERE,
    AnswerError,
    FlavorsGoneError,
    RowGoneError,
    StaleReadError,
)
from semafuzz.targets.nova.boundary.primitives import Row
from semafuzz.targets.nova.boundary.process import acting_task, die_if_killed

Body = dict[str, Any]


_elsewhere: ContextVar[bool] = ContextVar("elsewhere", default=False)


@contextmanager
def done_elsewhere() -> Iterator[None]:
    """What the block asks of conductor and placement is asked by the API, the conductor or
    the scheduler: it happens at once, and no fault of ours meets it. That it happens is an I/O point all the same:
    else schedules between which it makes the difference would be taken for equivalent."""
    execution = current.execution
    if execution is not None and not _elsewhere.get():
        execution.io(ELSEWHERE)
    token = _elsewhere.set(True)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def leave(call: str) -> None:
    """The request or its answer is on the wire: others may run."""
    execution = current.execution
    if execution is not None and not _elsewhere.get():
        die_if_killed()
        execution.io(call)
        die_if_killed()


class ConductorBoundary:
    """The indirection API of Nova's objects (``NovaObject.indirection_api``)."""

    tables: Any
    """Every row by table and key, also deleted ones, in the form in which objects travel."""

    def __init__(self) -> None:
        self.on_deleted: Callable[[str], object] = lambda uuid: None
        """Called with the uuid of what another process has deleted: a consumer of placement."""
        self.left_in_placement: set[object] = set()
        """Whose allocations the API leaves where it has deleted an instance under way: of its migrations, and of the
        instance, where a revert moves them to it."""

    def object_class_action_versions(
        self, context: Any, objname: str, objmethod: str, object_versions: Any, args: Any, kwargs: Any
    ) -> Any:
        """A class method, for instance a query."""
        call = f"conductor {objname}.{objmethod}"
        perform = partial(self._perform_on_class, context, objname, objmethod, object_versions, args, kwargs)
        try:
            leave(call)
        except RowGoneError:
            # 17 and older name the argument.
            self.delete_elsewhere(objname, uuid=str(args[0] if args else kwargs["uuid"]))
        except FlavorsGoneError:
            self._forget_flavors()
        except StaleReadError:
            if kwargs.get("use_slave"):
                perform = partial(self._as_at_start, perform)
        answer = perform()
        leave(f"{call}{DONE}")
        return self._received(context, answer)

    def object_action(self, context: Any, objinst: Any, objmethod: str, args: Any, kwargs: Any) -> Any:
        """A method of an object, for instance ``save``: ``(updates, result)``."""
        name = objinst.obj_name()
        call = f"conductor {name}.{objmethod}"
        try:
            leave(call)
        except RowGoneError:
            # In 16 a migration has no uuid.
            self.delete_elsewhere("Instance", objinst.instance_uuid if name == "Migration" else objinst.uuid)
        answer = self._perform_on_object(context, objinst, objmethod, args, kwargs)
        leave(f"{call}{DONE}")
        updates, result = self._received(context, answer)
        return updates, result

    def object_backport_versions(self, context: Any, objinst: Any, object_versions: Any) -> Any:
        """Never needed: both sides are one release."""
        raise NotImplementedError("both sides have the same versions")

    def rows(self, table: str) -> list[Row]:
        """The rows of a table that are not deleted."""
        return [row for row in self.tables[table].values() if not row["deleted"]]

    def delete_elsewhere(self, name: str, uuid: str) -> None:
        """Another process deletes an instance (or that of a migration): the API does so
        itself where it believes the host to be down. It deletes the allocation of the instance, and has a resize that
        waits confirmed with what its migration holds; what a move under way or a revert holds is left."""
        if name == "Migration":
            uuid = next(row["instance_uuid"] for row in self.tables["migration"].values() if row["uuid"] == uuid)
        row = self.tables["instance"].get(uuid)
        if row is not None and not row["deleted"]:
            moves = [one for one in self.rows("migration") if one["instance_uuid"] == uuid]
            waits = row["vm_state"] == "resized"
            ended = [one for one in moves if waits and one["status"] in ("finished", "confirming")]
            left = [one for one in moves if one not in ended]
            self.left_in_placement |= {consumer for one in left for consumer in (uuid, one.get("uuid"))}
            self._delete(uuid)
            for consumer in filter(None, (uuid, *(one.get("uuid") for one in ended))):
                self.on_deleted(consumer)

    def _perform_on_class(
        self, context: Any, objname: str, objmethod: str, object_versions: Any, args: Any, kwargs: Any
    ) -> Any:
        """The answer, as it travels."""
        raise NotImplementedError

    def _perform_on_object(self, context: Any, objinst: Any, objmethod: str, args: Any, kwargs: Any) -> Any:
        """The answer, as it travels."""
        raise NotImplementedError

    def _received(self, context: Any, answer: Any) -> Any:
        """An answer as the compute host reads it."""
        raise NotImplementedError

    def _forget_flavors(self) -> None:
        """Drop the flavors that the rows of instances keep of a resize, where it has waited since before the program
        began. Those of another were written by the request itself: there they stay."""
        raise NotImplementedError

    def _resized_since_the_start(self) -> set[str]:
        """The uuids of instances whose resize waited for its end when the program began, and does so now: nobody has
        asked to confirm or to revert it, who would have read its flavors."""

        def waiting() -> set[str]:
            ended = {row["instance_uuid"] for row in self.rows("migration") if row["status"] != "finished"}
            rows = [row for row in self.rows("instance") if row["vm_state"] == "resized" and row["task_state"] is None]
            return {row["uuid"] for row in rows} - ended

        before: set[str] = self._as_at_start(waiting)
        return before & waiting()

    def _as_at_start(self, perform: Callable[[], Any]) -> Any:
        """The answer of a query to the rows that there were when the program began."""
        raise NotImplementedError

    def _delete(self, uuid: str) -> None:
        """Delete the row of an instance and what goes with it."""
        raise NotImplementedError


class Response:
    """What the report client needs of a response."""

    __slots__ = ("_body", "headers", "status_code")

    def __init__(self, status: int, body: Body | None = None) -> None:
        self.status_code = status
        self._body = body
        self.headers: dict[str, str] = {}

    def json(self) -> Body | None:
        """The body."""
        return self._body

    @property
    def text(self) -> str:
        """The body as text, for log messages."""
        return repr(self._body)

    def __bool__(self) -> bool:
        return self.status_code < 400


def refusal(status: int, code: str, detail: str = "") -> Response:
    """An answer that says what is wrong."""
    return Response(status, {"errors": [{"status": status, "code": code, "detail": detail}]})


def conflict(of: str) -> Response:
    """409: the generation of a ``resource provider`` or a ``consumer`` has moved on. Up to 17
    Nova knows it by its text."""
    text = f"{of} generation conflict: Another thread concurrently updated the data. Please retry your update"
    return refusal(409, "placement.concurrent_update", text)


def parts_of(url: str) -> list[str]:
    """``["resource_providers", UUID, "inventories"]``"""
    return url.partition("?")[0].strip("/").split("/")


def noun_of(parts: list[str]) -> str:
    """``resource_providers_id_inventories``"""
    return parts[0] + ("_id" if len(parts) > 1 else "") + (f"_{parts[2]}" if len(parts) > 2 else "")


def concerns_provider(fault: AnswerError, call: str) -> bool:
    """Whether a fault says that another process has changed the provider of the call,
    rather than the consumer: then it has."""
    return fault.status == 409 and "resource_providers_id_" in call


def failure(fault: AnswerError, call: str) -> Response:
    """The answer that a fault asks for."""
    if fault.status != 409:
        return refusal(fault.status, "placement.undefined_code", "The server has either erred")
    return conflict("resource provider" if concerns_provider(fault, call) else "consumer")


class PlacementBoundary:
    """The report client's adapter, with ``get``, ``put``, ``post`` and ``delete``."""

    def __init__(self) -> None:
        self.additional_headers: dict[str, str] = {}
        self.answered: dict[int, Exception] = {}
        """The last fault that a request of an operation met, by the number of its task."""

    def get(self, url: str, **options: Any) -> Response:
        """A GET request."""
        return self.request("GET", url, **options)

    def put(self, url: str, **options: Any) -> Response:
        """A PUT request."""
        return self.request("PUT", url, **options)

    def post(self, url: str, **options: Any) -> Response:
        """A POST request."""
        return self.request("POST", url, **options)

    def delete(self, url: str, **options: Any) -> Response:
        """A DELETE request."""
        return self.request("DELETE", url, **options)

    def request(
        self, method: str, url: str, json: Any = None, microversion: str | None = None, **options: Any
    ) -> Response:
        """Answer one request; a scheduling point before and after."""
        parts = parts_of(url)
        call = f"placement {method} {noun_of(parts)}"
        # 16 names the version in a header itself.
        said = (options.get("headers") or {}).get("OpenStack-API-Version")
        microversion = microversion or (said and said.partition(" ")[2])
        try:
            leave(call)
        except Exception as fault:
            self._blame(fault)
            if not isinstance(fault, AnswerError):
                # The client may take it for "there is none", and fail with what it then does.
                raise
            if concerns_provider(fault, call):
                self._change_elsewhere(parts[1])
            answer = failure(fault, call)
        else:
            answer = self._answer(method, url, json, microversion)
        try:
            leave(f"{call}{DONE}")
        except Exception as fault:
            # A lost answer, too, may be taken for "there is none".
            self._blame(fault)
            raise
        return answer

    def _blame(self, fault: Exception) -> None:
        """Remember what the task that asks was answered with, which may explain what it does next."""
        execution = current.execution
        if execution is not None:
            self.answered[acting_task(execution.current.index)] = fault

    def _answer(self, method: str, url: str, json: Any = None, microversion: str | None = None) -> Response:
        """The answer to a request that arrives."""
        raise NotImplementedError

    def _change_elsewhere(self, provider: str) -> None:
        """Another process changes a provider: its generation moves on."""
        raise NotImplementedError
