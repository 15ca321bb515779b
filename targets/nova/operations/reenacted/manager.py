"""The re-enacted manager: what ``ComputeManager`` does around calls of the tracker that fail.

Re-enacted from 34.0.0, since a manager needs a dozen services: its context managers
and decorators, in its order and with its own exceptions swallowed or not. What this
leaves out: faults and notifications of instances, networks, volumes, and the counts of
builds (operations of their own here).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from semafuzz.targets.nova.world.names import HOST
from semafuzz.targets.nova.world.tracker_factory import called
from semafuzz.targets.nova.world.world import World


class ReenactedManager:
    """The manager of one host, as far as the tracker's callers go."""

    def __init__(self, world: World, host: str = HOST) -> None:
        self.host = host
        self.tracker = world.hosts[host].tracker
        self.client = self.tracker.reportclient
        self.uncounted = False
        """Whether the last claim of this manager counted nothing."""

    def set_error(self, instance: Any, clean_task_state: bool = False) -> None:
        """``_set_instance_obj_error_state``"""
        from nova import exception

        try:
            instance.vm_state = "error"
            if clean_task_state:
                instance.task_state = None
            instance.save()
        except exception.InstanceNotFound:
            pass

    def update(self, context: Any, instance: Any, **values: Any) -> None:
        """``_instance_update``"""
        for name, value in values.items():
            setattr(instance, name, value)
        instance.save()
        self.update_tracker(context, instance)

    def update_tracker(self, context: Any, instance: Any) -> None:
        """``_update_resource_tracker``"""
        if instance.host == self.host:
            self.tracker.update_usage(context, instance, instance.node)

    def forget_host(self, instance: Any) -> None:
        """``_nil_out_instance_obj_host_and_node``"""
        instance.host = instance.node = None
        if "compute_id" in instance.fields:
            instance.compute_id = None
        instance.launched_on = instance.availability_zone = None

    def drop_allocation(self, context: Any, uuid: str) -> None:
        """What ends a build or an instance: its allocations go, whatever their generation."""
        self.delete_allocation(context, uuid, force=True)

    def delete_allocation(self, context: Any, uuid: str, *, force: bool, consumer_type: str = "instance") -> Any:
        """``delete_allocation_for_instance``; before 24 there is no other way than by generation."""
        function = self.client.delete_allocation_for_instance
        return called(function, context=context, uuid=uuid, force=force, consumer_type=consumer_type)

    @property
    def migrations_hold(self) -> bool:
        """Whether a migration holds the allocation of the source. In 16 the instance holds both."""
        return hasattr(self.client, "get_allocations_for_consumer")

    @property
    def destroys_first(self) -> bool:
        """Whether a deleted instance's row goes before its usage: 18 and older."""
        return not hasattr(self.client, "move_allocations")

    def allocations(self, context: Any, uuid: str, function: Any) -> Any:
        """What placement says of a consumer, where ``function`` of the tracker wants it: 20 and newer."""
        if "allocations" not in inspect.signature(function).parameters:
            return None
        return self.client.get_allocations_for_consumer(context, uuid)

    def revert_allocation(self, context: Any, instance: Any, migration: Any) -> bool:
        """``_revert_allocation``: back from the migration to the instance. Where
        placement does not say what the migration holds, the manager logs it and goes on."""
        if not self.migrations_hold:
            return False
        held = self.client.get_allocations_for_consumer(context, migration.uuid)
        if not held:
            return False
        if hasattr(self.client, "move_allocations"):
            self.client.move_allocations(context, migration.uuid, instance.uuid)
            return True
        # 17 and 18.
        provider = next(iter(held))
        self.client.set_and_clear_allocations(
            context, provider, instance.uuid, held[provider].get("resources", {}), instance.project_id,
            instance.user_id, consumer_to_clear=migration.uuid,
        )  # fmt: skip
        return True

    def end_failed_resize(self, context: Any, instance: Any, migration: Any, node: str) -> None:
        """What ``prep_resize`` does about allocations when it fails. Up to 18 it asks the
        tracker, which does not take its lock for that; from 17 on only for a migration that
        holds nothing."""
        if self.revert_allocation(context, instance, migration):
            return
        function = getattr(self.tracker, "delete_allocation_for_failed_resize", None)
        if function is not None and not hasattr(self.client, "move_allocations"):
            called(function, context=context, instance=instance, node=node, flavor=instance.new_flavor)

    def end_confirmed(self, context: Any, instance: Any, migration: Any, flavor: Any) -> None:
        """What ``confirm_resize`` does about allocations at its end. In 16 the tracker has done
        it; 17 and 18 fall back on that way where the migration's cannot be deleted."""
        if not self.migrations_hold:
            return
        deleted = self.delete_allocation(context, migration.uuid, force=False, consumer_type="migration")
        if not deleted and not hasattr(self.client, "move_allocations"):
            self._subtract_allocation(context, instance, migration.source_node, flavor)

    def end_reverted(self, context: Any, instance: Any, migration: Any) -> None:
        """What ``revert_resize`` does about allocations on the destination: nothing, but in 17
        and 18, where it looks at the wrong provider and so always falls back."""
        if self.migrations_hold and not hasattr(self.client, "move_allocations"):
            provider = self.tracker.get_node_uuid(instance.node)
            if not self.client.get_allocations_for_consumer_by_provider(context, provider, migration.uuid):
                self._subtract_allocation(context, instance, instance.node, instance.flavor)

    def _subtract_allocation(self, context: Any, instance: Any, node: str, flavor: Any) -> None:
        """``remove_allocation_from_compute``: for an instance that holds both ends of a move."""
        from nova.scheduler import utils

        provider = self.tracker.get_node_uuid(node)
        utils.remove_allocation_from_compute(context, instance, provider, self.client, flavor)

    @contextmanager
    def reverting_task_state(self, context: Any, instance: Any) -> Iterator[None]:
        """``reverts_task_state``"""
        from nova import exception

        try:
            yield
        except exception.UnexpectedTaskStateError:
            raise
        except Exception:
            try:
                self.update(context, instance, task_state=None)
            except Exception:  # the manager only logs it
                pass
            raise

    @contextmanager
    def erroring_out(self, instance: Any) -> Iterator[None]:
        """``_error_out_instance_on_exception``"""
        try:
            yield
        except Exception:
            self.set_error(instance)
            raise

    @contextmanager
    def erroring_out_migration(self, migration: Any) -> Iterator[None]:
        """``errors_out_migration``. In 16 ``prep_resize`` has none (and no migration), and
        elsewhere it errors out only what moves just then, or whose instance is gone."""
        from nova import exception

        try:
            yield
        except Exception as error:
            gone = isinstance(error, exception.InstanceNotFound)
            if not self.migrations_hold and (
                migration is None or not (gone or migration.status in ("migrating", "post-migrating"))
            ):
                raise
            migration.status = "error"
            try:
                migration.save()
            except Exception:  # the manager only logs it
                pass
            raise
