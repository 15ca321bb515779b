"""Placement, in memory, behind the HTTP interface of Nova's real report client.

Generations behave as in the real service: a write of inventories or of changed
traits raises the provider's, an allocation raises that of every provider it
names, removing one raises none. Answers are built anew for each request.
Compared with openstack-placement 16.0.0 over all requests that the operations
make. An unknown request raises NotImplementedError.
"""

from __future__ import annotations

from typing import Any

from semafuzz.targets.nova.boundary.calls import Body, PlacementBoundary, Response, conflict, noun_of, parts_of, refusal

Snapshot = tuple[dict[str, Body], dict[str, tuple[Any, ...]]]
_INVENTORY = {"reserved": 0, "min_unit": 1, "max_unit": 2147483647, "step_size": 1, "allocation_ratio": 1.0}


def _completed(inventories: Body) -> Body:
    """Inventories with what a request may leave out."""
    return {name: {**_INVENTORY, **value} for name, value in inventories.items()}


class Placement(PlacementBoundary):
    """Placement's answers out of dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.providers: dict[str, Body] = {}
        self.allocations: dict[str, tuple[Any, ...]] = {}

    def snapshot(self) -> Snapshot:
        """Everything, to be given to :meth:`restore`."""
        return {key: dict(value) for key, value in self.providers.items()}, dict(self.allocations)

    def restore(self, snapshot: Snapshot) -> None:
        """Put everything back as it was."""
        self.providers = {key: dict(value) for key, value in snapshot[0].items()}
        self.allocations = dict(snapshot[1])
        self.answered.clear()

    def _answer(self, method: str, url: str, json: Any = None, microversion: str | None = None) -> Response:
        path, _, query = url.partition("?")
        parts = parts_of(url)
        handler = getattr(self, f"{method}_{noun_of(parts)}", None)
        if handler is None:
            raise NotImplementedError(f"the in-memory placement has no {method} {path}")
        if parts[0] == "resource_providers" and len(parts) > 1 and parts[1] not in self.providers:
            return refusal(404, "placement.undefined_code", "no such provider")
        version = tuple(int(part) for part in (microversion or "1.0").split("."))
        answer = handler(parts, query, json, version)
        assert isinstance(answer, Response)
        return answer

    def _change_elsewhere(self, provider: str) -> None:
        if provider in self.providers:
            self.providers[provider]["generation"] += 1

    def forget(self, consumer: str) -> None:
        """Another process removes the allocations of a consumer."""
        self.allocations.pop(consumer, None)

    def provider_uuids(self) -> set[str]:
        """Every provider that there is."""
        return set(self.providers)

    def nested_providers(self) -> dict[str, str]:
        """The names of those that belong to another one."""
        return {uuid: provider["name"] for uuid, provider in self.providers.items() if provider["parent"]}

    def traits_of(self, provider: str) -> set[str]:
        """The traits of a provider; none of one that is not there."""
        return set(self.providers[provider]["traits"]) if provider in self.providers else set()

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
            # Up to 18 Nova knows by the text whether it is the name.
            same = any(one["name"] == json["name"] for one in self.providers.values())
            what = f"name: {json['name']}" if same else f"uuid: {uuid}"
            return refusal(409, "placement.duplicate_name", f"Conflicting resource provider {what} already exists.")
        parent = json.get("parent_provider_uuid")
        root = self.providers[parent]["root"] if parent else uuid
        self.providers[uuid] = {
            "name": json["name"], "parent": parent, "root": root, "generation": 0,
            "inventories": {}, "traits": (), "aggregates": (),
        }  # fmt: skip
        return Response(200, self._view(uuid)) if version >= (1, 20) else Response(201)

    def GET_resource_providers_id(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """One provider."""
        return Response(200, self._view(parts[1]))

    def DELETE_resource_providers_id(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Delete a provider without allocations."""
        if any(parts[1] in allocation[1] for allocation in self.allocations.values()):
            return refusal(409, "placement.resource_provider.inuse")
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
            return conflict("resource provider")
        if self._in_use(parts[1]) - set(json["inventories"]):
            return refusal(409, "placement.inventory.inuse")
        refused = self._refuse_inventories(parts[1], json["inventories"], version)
        if refused is not None:
            return refused
        provider["inventories"] = _completed(json["inventories"])
        provider["generation"] += 1
        return self.GET_resource_providers_id_inventories(parts, query, json, version)

    def _in_use(self, provider: str) -> set[str]:
        return {name for one in self.allocations.values() for name in one[1].get(provider, ())}

    def _refuse_inventories(self, provider: str, inventories: Body, version: Any) -> Response | None:
        for name, full in _completed(inventories).items():
            capacity = int((full["total"] - full["reserved"]) * full["allocation_ratio"])
            if capacity < 0 or (capacity == 0 and version < (1, 26)):
                text = f"Invalid inventory for '{name}' on resource provider '{provider}'."
                return refusal(400, "placement.undefined_code", f"{text} The reserved value is greater than total.")
        return None

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
            return conflict("resource provider")
        traits = tuple(sorted(json["traits"]))
        if traits != provider["traits"]:
            provider["traits"] = traits
            provider["generation"] += 1
        return self.GET_resource_providers_id_traits(parts, query, json, version)

    def GET_resource_providers_id_aggregates(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """The aggregates of a provider."""
        provider = self.providers[parts[1]]
        body: Body = {"aggregates": list(provider["aggregates"])}
        if version >= (1, 19):
            body["resource_provider_generation"] = provider["generation"]
        return Response(200, body)

    def PUT_resource_providers_id_aggregates(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Replace them; up to 1.18 whatever the generation, which then stays."""
        provider = self.providers[parts[1]]
        aggregates = json
        if version >= (1, 19):
            if json["resource_provider_generation"] != provider["generation"]:
                return conflict("resource provider")
            provider["generation"] += 1
            aggregates = json["aggregates"]
        provider["aggregates"] = tuple(sorted(aggregates))
        return self.GET_resource_providers_id_aggregates(parts, query, json, version)

    def GET_resource_providers_id_allocations(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """The allocations against a provider."""
        found: Body = {}
        for consumer, (generation, amounts, *_) in self.allocations.items():
            if parts[1] in amounts:
                found[consumer] = {"resources": dict(amounts[parts[1]])}
                if version >= (1, 28):
                    found[consumer]["consumer_generation"] = generation
        generation = self.providers[parts[1]]["generation"]
        return Response(200, {"allocations": found, "resource_provider_generation": generation})

    def GET_traits(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Every trait that is asked for exists."""
        return Response(200, {"traits": sorted(query.partition("=")[2].replace("in:", "").split(","))})

    def PUT_resource_classes_id(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Every resource class that is asked for exists."""
        return Response(204)

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
        body: Body = {"allocations": allocations}
        if version >= (1, 12):
            body |= {"project_id": project, "user_id": user}
        if version >= (1, 28):
            body["consumer_generation"] = generation
        if version >= (1, 38):
            body["consumer_type"] = "INSTANCE"
        return Response(200, body)

    def _set(self, consumer: str, json: Body, version: Any) -> Response:
        old = self.allocations.get(consumer)
        if version >= (1, 28) and json["consumer_generation"] != (old[0] if old else None):
            return conflict("consumer")
        if version >= (1, 12):
            new = {uuid: dict(value["resources"]) for uuid, value in json["allocations"].items()}
        else:
            new = {one["resource_provider"]["uuid"]: dict(one["resources"]) for one in json["allocations"]}
        if not set(new) <= set(self.providers):
            return refusal(400, "placement.undefined_code", "Allocation for resource provider that does not exist.")
        if not all(self._fits(consumer, uuid, amounts) for uuid, amounts in new.items()):
            return refusal(409, "placement.undefined_code", "capacity")
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
            inventory = self.providers[uuid]["inventories"].get(name)
            if inventory is None:
                return False
            used = sum(
                other[1].get(uuid, {}).get(name, 0) for key, other in self.allocations.items() if key != consumer
            )
            if used + amount > (inventory["total"] - inventory["reserved"]) * inventory["allocation_ratio"]:
                return False
        return True

    def PUT_allocations_id(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Set the allocations of one consumer."""
        return self._set(parts[1], json, version)

    def POST_allocations(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Set those of several, all or none."""
        before = self.snapshot()
        for consumer, value in json.items():
            answer = self._set(consumer, value, version)
            if not answer:
                self.providers, self.allocations = before
                return answer
        return Response(204)

    def POST_reshaper(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Inventories and allocations at once: first every inventory that was there or is to be, then the allocations,
        then the inventories as they are to be."""
        before = self.snapshot()
        answer = self._reshape(json["inventories"], json["allocations"], version)
        if not answer:
            self.providers, self.allocations = before
        return answer

    def _reshape(self, inventories: Body, allocations: Body, version: Any) -> Response:
        for uuid, given in inventories.items():
            if uuid not in self.providers:
                return refusal(400, "placement.resource_provider.not_found")
            provider = self.providers[uuid]
            if given["resource_provider_generation"] != provider["generation"]:
                return conflict("resource provider")
            refused = self._refuse_inventories(uuid, given["inventories"], version)
            if refused is not None:
                return refused
        wanted = {uuid: _completed(given["inventories"]) for uuid, given in inventories.items()}
        for uuid, found in wanted.items():
            if found:
                self.providers[uuid]["inventories"] = {**self.providers[uuid]["inventories"], **found}
                self.providers[uuid]["generation"] += 1
        # One list of all: a provider's generation is raised once, whatever the number of consumers.
        raised = {uuid: one["generation"] for uuid, one in self.providers.items()}
        named: set[str] = set()
        for consumer, value in allocations.items():
            answer = self._set(consumer, value, version)
            if not answer:
                return answer
            named.update(value["allocations"])
        for uuid, generation in raised.items():
            self.providers[uuid]["generation"] = generation + (uuid in named)
        for uuid, found in wanted.items():
            if self._in_use(uuid) - set(found):
                return refusal(409, "placement.inventory.inuse")
            self.providers[uuid]["inventories"] = found
            self.providers[uuid]["generation"] += 1
        return Response(204)

    def DELETE_allocations_id(self, parts: Any, query: str, json: Any, version: Any) -> Response:
        """Remove those of one consumer."""
        found = self.allocations.pop(parts[1], None)
        return Response(204) if found is not None else refusal(404, "placement.undefined_code")
