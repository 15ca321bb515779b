"""Faults around the tracker, as a real nova-compute sees them.

A conductor that fails answers with an exception over RPC: one of Nova's own keeps its
class, any other arrives as ``RemoteError``. A time-out says nothing about what was done:
it happens both before the call was performed and after. Placement's failures are answers
with a status, or no answer. A record that is gone was deleted by another process (the API
deletes by itself where it believes the host to be down), with its migrations and
its own allocation. A fault leaves every record as a real failure would, so that what the
operation does next is a legal history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from traceback import walk_tb

from semafuzz.targets.model.protocol import FaultInfo

DONE = " done"
"""How the name of an I/O point ends at which the call has been performed."""
_INSTANCE_CALLS = ("save", "get_by_uuid", "destroy", "drop_migration_context")
_MIGRATION_CALLS = ("save", "get_by_uuid")
_WRITES = tuple(
    f"conductor {kind}.{method}"
    for kind in ("Instance", "Migration", "ComputeNode", "PciDevice")
    for method in ("save", "create", "destroy", "drop_migration_context")
)
ELSEWHERE = "request to another service"
"""The I/O point at which API, conductor or scheduler do something; no fault fits it."""
_CONFLICTS = ("placement PUT resource_providers", "placement PUT allocations", "placement POST")
"""What placement answers with 409 where another was first: a class or a trait that is there already is none."""


class RowGoneError(Exception):
    """Raised at a call to the conductor: the record that it is about is deleted first."""


class FlavorsGoneError(Exception):
    """Raised at a call to the conductor: the flavors that rows keep of resizes are gone before it is performed."""


class StaleReadError(Exception):
    """Raised at a query that may be answered by a replica: it is, from what there was when the program began."""


class AnswerError(Exception):
    """Raised at a call to placement, which then answers with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(f"placement answers {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class RequestFault(FaultInfo):
    """A fault that prevents the call: it fits a request, not its answer."""

    def fits(self, call: str) -> bool:
        """Whether the fault can happen at this I/O point."""
        return call.startswith(self.calls) and not call.endswith(DONE)


def _deadlock(call: str) -> BaseException:
    from oslo_messaging.rpc.client import RemoteError

    text = "(pymysql.err.OperationalError) (1213, 'Deadlock found when trying to get lock; try restarting transaction')"
    error: BaseException = RemoteError("DBDeadlock", text, [])
    return error


def _timeout(call: str) -> BaseException:
    from oslo_messaging.exceptions import MessagingTimeout

    error: BaseException = MessagingTimeout(f"Timed out waiting for a reply ({call})")
    return error


def _unreachable(call: str) -> BaseException:
    from keystoneauth1.exceptions import ConnectFailure

    return ConnectFailure(f"Unable to establish connection ({call})")


def _no_hypervisor(call: str) -> BaseException:
    from nova import exception

    return exception.HypervisorUnavailable(host="host1")  # type: ignore[no-any-return]


FAULTS: Sequence[FaultInfo] = (
    RequestFault("db_deadlock", "the database rolls a write back: DBDeadlock over RPC", _WRITES, _deadlock),
    FaultInfo("conductor_timeout", "no answer; performed or not", ("conductor ",), _timeout),
    RequestFault(
        "instance_gone",
        "the instance was deleted by the API",
        tuple(f"conductor Instance.{method}" for method in _INSTANCE_CALLS),
        lambda call: RowGoneError(call),
    ),
    RequestFault(
        "migration_gone",
        "the migration was deleted with its instance",
        tuple(f"conductor Migration.{method}" for method in _MIGRATION_CALLS),
        lambda call: RowGoneError(call),
    ),
    RequestFault(
        "flavors_gone",
        "the flavors that rows keep of resizes that wait are gone: written before an upgrade, or put right by hand",
        ("conductor InstanceList.get_by_host_and_node", "conductor Instance.get_by_uuid"),
        lambda call: FlavorsGoneError(call),
    ),
    RequestFault(
        "replica_lags",
        "a replica of the database answers, which has not seen yet what the program did",
        ("conductor ComputeNodeList.get_all_by_host",),
        lambda call: StaleReadError(call),
    ),
    RequestFault(
        "placement_conflict",
        "409: another process changed the provider or the consumer",
        _CONFLICTS,
        lambda call: AnswerError(409),
    ),
    RequestFault("placement_error", "500 from placement", ("placement ",), lambda call: AnswerError(500)),
    FaultInfo("placement_unreachable", "no answer from placement; performed or not", ("placement ",), _unreachable),
    RequestFault("hypervisor_error", "the hypervisor is not available", ("hypervisor ",), _no_hypervisor),
)


def name_cause(error: BaseException, answered: BaseException | None) -> None:
    """Say that ``error`` comes from a fault: the report client raises exceptions of its
    own for a bad answer, and for what it makes of one that never came. In some functions it has None there and
    takes it apart, which raises an exception, too; "Good.", says a comment in one of them.

    ``answered``: the fault that a request of this operation to placement met.
    Only exceptions that the client raises for that purpose are explained in this
    way; another one stays a failure.
    """
    if error.__cause__ is not None:
        return
    if type(error).__name__ in _TRANSLATIONS:
        error.__cause__ = answered or error.__context__
    elif answered is not None and _takes_none_apart(error):
        error.__cause__ = answered


def _takes_none_apart(error: BaseException) -> bool:
    """Whether it was raised by the report client for an answer that is None, since none came."""
    if not isinstance(error, (AttributeError, TypeError)) or "NoneType" not in str(error):
        return False
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    code = frames[-1].f_code if frames else None
    return (
        code is not None
        and code.co_filename.endswith("nova/scheduler/client/report.py")
        and code.co_name in ("_refresh_associations", "_ensure_resource_provider")
    )


_TRANSLATIONS = frozenset(
    {
        "AllocationDeleteFailed",
        "AllocationMoveFailed",
        "AllocationUpdateFailed",
        "ConsumerAllocationRetrievalFailed",
        "PlacementAPIConnectFailure",
        "ResourceProviderAggregateRetrievalFailed",
        "ResourceProviderAllocationRetrievalFailed",
        "ResourceProviderCreationFailed",
        "ResourceProviderRetrievalFailed",
        "ResourceProviderSyncFailed",
        "ResourceProviderTraitRetrievalFailed",
        "ResourceProviderUpdateConflict",
        "ResourceProviderUpdateFailed",
        "TraitRetrievalFailed",
    }
)
"""Exceptions of ``nova.exception`` that the report client documents for failures of placement."""
