"""Signature and identity: what makes two failures the same finding.

The kind, the type of exception, the code places and the operations; never the
text of a message, which holds values. Places count by module, function and
expression, not by line, so that a finding keeps its name when code above it moves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from semafuzz.harness.kernel.outcome import Failure
from semafuzz.harness.kernel.sites import SITES


def site_identity(number: int) -> str:
    """The place as it counts for identity."""
    site = SITES[number]
    return f"{site.module}|{site.function}|{site.text}"


def functions_of(identities: Iterable[str]) -> frozenset[str]:
    """The functions of those that are places, as :func:`site_identity` gives them."""
    parts = (one.split("|", 2) for one in identities)
    return frozenset(one[1] for one in parts if len(one) == 3)


def failure_identity(failure: Failure) -> tuple[str, ...]:
    """What a failing run shows by itself: equal for runs of one failure."""
    return (failure.kind, failure.error_type, *sorted({site_identity(number) for number in failure.sites}))


def signature(failure: Failure, pair: Iterable[int] = (), operations: Sequence[str] = ()) -> str:
    """Twelve hexadecimal digits that name the finding."""
    parts = [*failure_identity(failure), *sorted({site_identity(number) for number in pair}), *sorted(operations)]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:12]
