"""A target with options set is the same target otherwise."""

from __future__ import annotations

import pytest

from semafuzz.harness.errors import UsageError
from semafuzz.targets import find_target
from semafuzz.targets.model.configured_target import configure


def test_what_searches_use_besides_is_kept() -> None:
    nova = find_target("nova")
    bound = configure(nova, ["world=fast"])
    for name in ("operation_cost", "bundles"):
        assert getattr(bound, name) == getattr(nova, name)
    assert bound.changes_nothing_for_others("conductor Instance.save done")
    assert not bound.changes_nothing_for_others("conductor Instance.save")
    assert bound.may_write("conductor Instance.save")
    assert not bound.may_read("conductor Instance.save")


def test_a_target_without_them_has_none() -> None:
    bound = configure(find_target("reference"), ["defect=none"])
    assert bound.operation_cost == 0
    assert not bound.changes_nothing_for_others("database save")
    assert bound.may_write("database save")


def test_only_the_operations_that_were_chosen() -> None:
    reference = find_target("reference")
    names = [info.name for info in reference.operations()]
    bound = configure(reference, [], names[:2])
    assert [info.name for info in bound.operations()] == names[:2]
    assert [info.name for info in configure(reference, []).operations()] == names
    with pytest.raises(UsageError, match=f"no operation '{names[0][:-1]}'; did you mean {names[0]}"):
        configure(reference, [], [names[0][:-1]])
    with pytest.raises(UsageError, match="no operation 'xyz'; it has"):
        configure(reference, [], ["xyz"])
