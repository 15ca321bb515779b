"""Configuration of a target, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semafuzz.harness.errors import UsageError
from semafuzz.harness.traces.schema import Value
from semafuzz.targets.model.protocol import OptionInfo


def check_configuration(options: Sequence[OptionInfo], configuration: Mapping[str, Value]) -> None:
    """Refuse options that the target does not have, and values that it does not
    know, for instance out of a trace."""
    known = {option.name: option for option in options}
    for name, value in configuration.items():
        option = known.get(name)
        if option is None:
            raise UsageError(f"the target has no option {name!r}; it has {', '.join(sorted(known)) or 'none'}")
        if not any(value == one and type(value) is type(one) for one in (*option.legal, *option.illegal)):
            raise UsageError(f"option {name} takes one of {(*option.legal, *option.illegal)}, not {value!r}")
