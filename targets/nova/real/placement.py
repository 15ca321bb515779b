"""The real placement service behind the HTTP interface of Nova's real report client.

Stands where ``semafuzz.targets.nova.in_memory.placement.Placement`` stands. Requests go to the WSGI
application of openstack-placement in this process, at once; faults and scheduling
points are those of the one in memory.
"""

from __future__ import annotations

import json as _json
from typing import Any

from semafuzz.targets.nova.boundary.calls import PlacementBoundary, Response
from semafuzz.targets.nova.real.server_side import Elsewhere
from semafuzz.targets.nova.real.services import placement_service

_ALLOCATIONS = """
SELECT consumers.uuid AS consumer, consumers.generation AS generation, projects.external_id AS project,
       users.external_id AS user, resource_providers.uuid AS provider, resource_classes.name AS class,
       allocations.used AS used
FROM allocations
JOIN resource_providers ON resource_providers.id = allocations.resource_provider_id
JOIN resource_classes ON resource_classes.id = allocations.resource_class_id
JOIN consumers ON consumers.uuid = allocations.consumer_id
JOIN projects ON projects.id = consumers.project_id
JOIN users ON users.id = consumers.user_id
ORDER BY allocations.id
"""


class RealPlacement(PlacementBoundary):
    """Placement's answers from the service itself."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        super().__init__()
        self._elsewhere = elsewhere
        self._application, self._database = placement_service()
        self._database.clear()

    def snapshot(self) -> bytes:
        """Everything, to be given to :meth:`restore`."""
        return self._database.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Put everything back as it was."""
        self._database.restore(snapshot)
        self.answered.clear()

    def _answer(self, method: str, url: str, json: Any = None, microversion: str | None = None) -> Response:
        import webob

        # Nova's own user has both roles; only a service may reshape.
        headers = {"X-Auth-Token": "admin", "X-Roles": "admin,service", "Accept": "application/json"}
        if microversion:
            headers["OpenStack-API-Version"] = f"placement {microversion}"
        body: dict[str, Any] = {}
        if json is not None:
            body["body"] = _json.dumps(json).encode()
            headers["Content-Type"] = "application/json"
        with self._elsewhere.running():
            answer = webob.Request.blank(url, method=method, headers=headers, **body).get_response(self._application)
        return Response(answer.status_int, _json.loads(answer.body) if answer.body else None)

    def _change_elsewhere(self, provider: str) -> None:
        self._database.change(
            "UPDATE resource_providers SET generation = generation + 1 WHERE uuid = :uuid", uuid=provider
        )

    # ------------------------------------------------ looking at the state

    @property
    def allocations(self) -> dict[str, tuple[Any, ...]]:
        """By consumer: its generation, its amounts by provider, project and user."""
        found: dict[str, tuple[Any, ...]] = {}
        for row in self._database.rows(_ALLOCATIONS):
            made = found.setdefault(row.consumer, (row.generation, {}, row.project, row.user))
            made[1].setdefault(row.provider, {})[row[5]] = row.used
        return found

    @property
    def providers(self) -> dict[str, dict[str, Any]]:
        """By uuid: the inventories of each provider."""
        found = {}
        for (uuid,) in self._database.rows("SELECT uuid FROM resource_providers"):
            answer = self._answer("GET", f"/resource_providers/{uuid}/inventories").json() or {}
            found[uuid] = {"inventories": answer["inventories"]}
        return found

    def provider_uuids(self) -> set[str]:
        """Every provider that there is."""
        return {row.uuid for row in self._database.rows("SELECT uuid FROM resource_providers")}

    def nested_providers(self) -> dict[str, str]:
        """The names of those that belong to another one."""
        asked = "SELECT uuid, name FROM resource_providers WHERE parent_provider_id IS NOT NULL"
        return {row.uuid: row.name for row in self._database.rows(asked)}

    def traits_of(self, provider: str) -> set[str]:
        """The traits of a provider; none of one that is not there."""
        answer = self._answer("GET", f"/resource_providers/{provider}/traits", microversion="1.6").json() or {}
        return set(answer.get("traits", ()))

    def forget(self, consumer: str) -> None:
        """Another process removes the allocations of a consumer."""
        self._answer("DELETE", f"/allocations/{consumer}")
