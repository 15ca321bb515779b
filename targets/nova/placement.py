"""Placement, in memory, behind the HTTP interface of Nova's real report client.

Generations behave as in the real service: a write of inventories or of changed
traits raises the provider's, an allocation raises that of every provider it
names, removing one raises none. Answers are built anew for each request.
Compared with openstack-placement 16.0.0 over all requests that the operations
make. An unknown request raises NotImplementedError.
"""

from __future__ import annotations

from typing import Any

from harness.kernel import current
from targets.nova.faults import DONE, AnswerError

Body = dict[str, Any]
Snapshot = tuple[dict[str, Body], dict[str, tuple[Any, ...]]]
_INVENTORY = {"reserved": 0, "min_unit": 1, "max_unit": 2147483647, "step_size": 1, "allocation_ratio": 1.0}


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


def _error(status: int, code: str, detail: str = "") -> Response:
    return Response(status, {"errors": [{"status": status, "code": code, "detail": detail}]})


def _conflict() -> Response:
    return _error(409, "placement.concurrent_update", "resource provider generation conflict")


def call_of(method: str, url: str) -> tuple[str, list[str]]:
    """``(what the I/O point of a request is called, the parts of its path)``"""
    parts = url.partition("?")[0].strip("/").split("/")
    noun = parts[0] + ("_id" if len(parts) > 1 else "") + (f"_{parts[2]}" if len(parts) > 2 else "")
    return f"placement {method} {noun}", parts


def concerns_provider(fault: AnswerError, call: str) -> bool:
    """Whether a fault says that another process has changed the provider of the call,
    rather than the consumer: then it has."""
    return fault.status == 409 and "resource_providers_id_" in call


def failure(fault: AnswerError, call: str) -> Response:
    """The answer that a fault asks for."""
    if fault.status != 409:
        return _error(fault.status, "placement.undefined_code", "The server has either erred")
    if concerns_provider(fault, call):
        return _conflict()
    return _error(409, "placement.concurrent_update", "consumer generation conflict")


class Placement:
    """An adapter with ``get``, ``put``, ``post`` and ``delete``."""

    def __init__(self) -> None:
        self.providers: dict[str, Body] = {}
        self.allocations: dict[str, tuple[Any, ...]] = {}
        self.additional_headers: dict[str, str] = {}
        self.answered: dict[int, AnswerError] = {}
        """The last fault that a task's request was answered with, by the task's number."""

    def snapshot(self) -> Snapshot:
        """Everything, to be given to :meth:`restore`."""
        return {key: dict(value) for key, value in self.providers.items()}, dict(self.allocations)

    def restore(self, snapshot: Snapshot) -> None:
        """Put everything back as it was."""
        self.providers = {key: dict(value) for key, value in snapshot[0].items()}
        self.allocations = dict(snapshot[1])
        self.answered.clear()

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
        path, _, query = url.partition("?")
        call, parts = call_of(method, url)
        handler = getattr(self, call.removeprefix("placement ").replace(" ", "_"), None)
        if handler is None:
            raise NotImplementedError(f"the in-memory placement has no {method} {path}")
        try:
            self._leave(call)
        except AnswerError as fault:
            execution = current.execution
            if execution is not None:
                self.answered[execution.current.index] = fault
            if concerns_provider(fault, call) and parts[1] in self.providers:
                self.providers[parts[1]]["generation"] += 1
            answer = failure(fault, call)
            self._leave(f"{call}{DONE}")
            return answer
        if parts[0] == "resource_providers" and len(parts) > 1 and parts[1] not in self.providers:
            answer = _error(404, "placement.undefined_code", "no such provider")
        else:
            version = tuple(int(part) for part in (microversion or "1.0").split("."))
            answer = handler(parts, query, json, version)
        self._leave(f"{call}{DONE}")
        assert isinstance(answer, Response)
        return answer

    def _leave(self, call: str) -> None:
        execution = current.execution
        if execution is not None:
            execution.io(call)

    def forget(self, consumer: str) -> None:
        """Another process removes the allocations of a consumer."""
        self.allocations.pop(consumer, None)

    # -------------------------------------------------------- providers

    def _view(self, uuid: str) -> Body:
        provider = self.providers[uuid]
        return {
            "uuid": uuid,
            "name": provider["name"],
            "generation": provider["generation"],
            "parent_provider_uuid": provider["parent"],
            "root_provider_uuid": provider["root"],
            "links": [],
        }

    def GET_resource_providers(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """``?in_tree=UUID``; there are no sharing providers (``?member_of``)."""
        key, _, value = query.partition("=")
        if key == "in_tree":
            root = self.providers[value]["root"] if value in self.providers else None
            found = [uuid for uuid, provider in self.providers.items() if provider["root"] == root]
        elif key == "member_of":
            found = []
        else:
            raise NotImplementedError(query)
        return Response(200, {"resource_providers": [self._view(uuid) for uuid in found]})

    def POST_resource_providers(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Create a provider."""
        uuid = json["uuid"]
        if uuid in self.providers or any(one["name"] == json["name"] for one in self.providers.values()):
            return _error(409, "placement.duplicate_name")
        parent = json.get("parent_provider_uuid")
        root = self.providers[parent]["root"] if parent else uuid
        self.providers[uuid] = {
            "name": json["name"], "parent": parent, "root": root, "generation": 0,
            "inventories": {}, "traits": (), "aggregates": (),
        }  # fmt: skip
        return Response(200, self._view(uuid))

    def DELETE_resource_providers_id(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Delete a provider without allocations."""
        if any(parts[1] in allocation[1] for allocation in self.allocations.values()):
            return _error(409, "placement.resource_provider.inuse")
        del self.providers[parts[1]]
        return Response(204)

    def GET_resource_providers_id_inventories(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """The inventories of a provider."""
        provider = self.providers[parts[1]]
        inventories = {name: dict(value) for name, value in provider["inventories"].items()}
        return Response(200, {"inventories": inventories, "resource_provider_generation": provider["generation"]})

    def PUT_resource_providers_id_inventories(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Replace them."""
        provider = self.providers[parts[1]]
        if json["resource_provider_generation"] != provider["generation"]:
            return _conflict()
        used = {name for one in self.allocations.values() for name in one[1].get(parts[1], ())}
        if used - set(json["inventories"]):
            return _error(409, "placement.inventory.inuse")
        for name, value in json["inventories"].items():
            full = {**_INVENTORY, **value}
            capacity = int((full["total"] - full["reserved"]) * full["allocation_ratio"])
            if capacity < 0 or (capacity == 0 and version < (1, 26)):
                text = f"Invalid inventory for '{name}' on resource provider '{parts[1]}'."
                return _error(400, "placement.undefined_code", f"{text} The reserved value is greater than total.")
        provider["inventories"] = {name: {**_INVENTORY, **value} for name, value in json["inventories"].items()}
        provider["generation"] += 1
        return self.GET_resource_providers_id_inventories(parts, query, json, version)

    def GET_resource_providers_id_traits(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """The traits of a provider."""
        provider = self.providers[parts[1]]
        return Response(
            200, {"traits": list(provider["traits"]), "resource_provider_generation": provider["generation"]}
        )

    def PUT_resource_providers_id_traits(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Replace them."""
        provider = self.providers[parts[1]]
        if json["resource_provider_generation"] != provider["generation"]:
            return _conflict()
        traits = tuple(sorted(json["traits"]))
        if traits != provider["traits"]:
            provider["traits"] = traits
            provider["generation"] += 1
        return self.GET_resource_providers_id_traits(parts, query, json, version)

    def GET_resource_providers_id_aggregates(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """The aggregates of a provider."""
        provider = self.providers[parts[1]]
        return Response(
            200, {"aggregates": list(provider["aggregates"]), "resource_provider_generation": provider["generation"]}
        )

    def GET_resource_providers_id_allocations(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """The allocations against a provider."""
        found: Body = {}
        # No order is promised; this one is that of the service's index on SQLite.
        ranked = sorted(self.allocations.items(), key=lambda item: item[1][1].get(parts[1], {}).get("VCPU", 0))
        for consumer, (generation, amounts, *_) in ranked:
            if parts[1] in amounts:
                found[consumer] = {"resources": dict(amounts[parts[1]])}
                if version >= (1, 28):
                    found[consumer]["consumer_generation"] = generation
        generation = self.providers[parts[1]]["generation"]
        return Response(200, {"allocations": found, "resource_provider_generation": generation})

    def GET_traits(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Every trait that is asked for exists."""
        return Response(200, {"traits": sorted(query.partition("=")[2].replace("in:", "").split(","))})

    # ------------------------------------------------------ allocations

    def GET_allocations_id(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """The allocations of a consumer."""
        found = self.allocations.get(parts[1])
        if found is None:
            return Response(200, {"allocations": {}})
        generation, amounts, project, user = found
        allocations = {
            uuid: {"resources": dict(one), "generation": self.providers[uuid]["generation"]}
            for uuid, one in amounts.items()
        }
        body: Body = {"allocations": allocations, "project_id": project, "user_id": user}
        if version >= (1, 28):
            body["consumer_generation"] = generation
        if version >= (1, 38):
            body["consumer_type"] = "INSTANCE"
        return Response(200, body)

    def _set(self, consumer: str, json: Body) -> Response:
        old = self.allocations.get(consumer)
        if json["consumer_generation"] != (old[0] if old else None):
            return _error(409, "placement.concurrent_update", "consumer generation conflict")
        new = {uuid: dict(value["resources"]) for uuid, value in json["allocations"].items()}
        if not all(self._fits(consumer, uuid, amounts) for uuid, amounts in new.items()):
            return _error(409, "placement.undefined_code", "capacity")
        for uuid in new:
            self.providers[uuid]["generation"] += 1
        # What is set anew comes last when a provider's allocations are asked for.
        self.allocations.pop(consumer, None)
        if new:
            generation = old[0] + 1 if old else 1
            self.allocations[consumer] = (generation, new, json.get("project_id"), json.get("user_id"))
        return Response(204)

    def _fits(self, consumer: str, uuid: str, amounts: Body) -> bool:
        for name, amount in amounts.items():
            inventory = self.providers[uuid]["inventories"][name]
            used = sum(
                other[1].get(uuid, {}).get(name, 0) for key, other in self.allocations.items() if key != consumer
            )
            if used + amount > (inventory["total"] - inventory["reserved"]) * inventory["allocation_ratio"]:
                return False
        return True

    def PUT_allocations_id(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Set the allocations of one consumer."""
        return self._set(parts[1], json)

    def POST_allocations(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Set those of several, all or none."""
        before = self.snapshot()
        for consumer, value in json.items():
            answer = self._set(consumer, value)
            if not answer:
                self.providers, self.allocations = before
                return answer
        return Response(204)

    def DELETE_allocations_id(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Remove those of one consumer."""
        found = self.allocations.pop(parts[1], None)
        return Response(204) if found is not None else _error(404, "placement.undefined_code")
