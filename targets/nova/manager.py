"""What ``ComputeManager`` does around its calls of the tracker when they fail.

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

from targets.nova.world import HOST, World


class Compute:
    """The manager of one host, as far as the tracker's callers go."""

    def __init__(self, world: World, host: str = HOST) -> None:
        self.host = host
        self.tracker = world.hosts[host].tracker
        self.client = self.tracker.reportclient

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

    def delete_allocation(self, context: Any, uuid: str, *, force: bool, consumer_type: str = "instance") -> None:
        """``delete_allocation_for_instance``; before 24 there is no other way than by generation."""
        options = {"force": force, "consumer_type": consumer_type}
        known = inspect.signature(self.client.delete_allocation_for_instance).parameters
        given = {name: value for name, value in options.items() if name in known}
        self.client.delete_allocation_for_instance(context, uuid, **given)

    def revert_allocation(self, context: Any, instance: Any, migration: Any) -> None:
        """``_revert_allocation``: back from the migration to the instance. Where
        placement does not say what the migration holds, the manager logs it and goes on."""
        if self.client.get_allocations_for_consumer(context, migration.uuid):
            self.client.move_allocations(context, migration.uuid, instance.uuid)

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
        """``errors_out_migration``"""
        try:
            yield
        except Exception:
            migration.status = "error"
            try:
                migration.save()
            except Exception:  # the manager only logs it
                pass
            raise
