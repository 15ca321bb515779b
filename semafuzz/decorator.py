"""``@interleave``: a test that runs under many schedules, with or without pytest.

Under pytest it is the marker of the plugin, which stores traces and knows fixtures. On a
method of ``unittest.TestCase``, or without pytest, the test explores itself: each execution
gets a test case of its own, from ``setUp`` to the last clean-up, and what is found a trace.
"""

from __future__ import annotations

import functools
import inspect
import sys
import unittest
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import current

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")
__unittest = True
"""unittest leaves the frames of such modules out of its tracebacks."""
MARK = "__semafuzz_interleave__"
"""The attribute of a decorated function; it holds the options."""
_OPTIONS = frozenset(
    {"scheduler", "schedules", "seconds", "seed", "model", "instrument", "keep_going", "cancellations", "patient"}
)
ASYNC = "__semafuzz_async__"
"""The attribute of a decorated method that gives what is to be awaited, once it runs under control."""
_NOT_OF_EXPLORE = frozenset({"instrument", "keep_going", "cancellations", "patient"})


@overload
def interleave(function: Callable[Parameters, Returned], /) -> Callable[Parameters, Returned]: ...


@overload
def interleave(**options: object) -> Callable[[Callable[Parameters, Returned]], Callable[Parameters, Returned]]: ...


def interleave(function: Callable[..., Any] | None = None, /, **options: object) -> Callable[..., Any]:
    """Run the decorated test under many schedules; it fails where one of them fails.

    ``options``: those of ``@pytest.mark.interleave``: ``scheduler``, ``schedules``,
    ``seconds``, ``seed``, ``model``, ``instrument`` (names of modules) and ``keep_going``; for
    async functions, which run under trio, ``cancellations`` and ``patient`` too. Without options
    it is a decorator by itself. Raises UsageError for other options.
    """
    unknown = sorted(options.keys() - _OPTIONS)
    if unknown:
        raise UsageError(f"interleave has no option {unknown[0]!r}; it has {', '.join(sorted(_OPTIONS))}")

    def decorate(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
        if inspect.iscoroutinefunction(function):
            return _decorate_async(function, options)

        @functools.wraps(function)
        def test(*arguments: Parameters.args, **named: Parameters.kwargs) -> Returned:
            __tracebackhide__ = True
            case = arguments[0] if arguments else None
            if current.execution is not None:
                return function(*arguments, **named)
            _refuse_choices(function, options)
            if isinstance(case, unittest.TestCase):
                # Here, since whoever uses the marker alone need not wait for what makes traces.
                from semafuzz.explored_case import explore_case

                own = sys.modules[function.__module__]
                explore_case(case, function, _modules(options, own), **_arguments(options))
            else:
                _explore(functools.partial(function, *arguments, **named), function, options)
            return None  # type: ignore[return-value]  # what a test returns is nobody's business

        vars(test)[MARK] = dict(options)
        pytest = sys.modules.get("pytest")
        if pytest is not None:
            return pytest.mark.interleave(**options)(test)  # type: ignore[no-any-return]
        return test

    return decorate if function is None else decorate(function)


def _decorate_async(function: Callable[Parameters, Any], options: Mapping[str, object]) -> Callable[Parameters, Any]:
    """pytest has the plugin run it; elsewhere it is a plain test that explores the async function."""
    pytest = sys.modules.get("pytest")
    if pytest is not None and not _is_method(function):
        return pytest.mark.interleave(**options)(function)  # type: ignore[no-any-return]

    @functools.wraps(function)
    def test(*arguments: Parameters.args, **named: Parameters.kwargs) -> object:
        __tracebackhide__ = True
        if current.execution is not None:
            return function(*arguments, **named)
        case = arguments[0] if arguments else None
        if isinstance(case, unittest.IsolatedAsyncioTestCase):
            raise UsageError(f"{function.__qualname__} runs on asyncio, which is not controlled; use unittest.TestCase")
        if isinstance(case, unittest.TestCase):
            from semafuzz.harness.runs.methods import one_async_case

            _explore(one_async_case(type(case), case._testMethodName, function), function, options)
        else:
            _explore(functools.partial(function, *arguments, **named), function, options)
        return None

    vars(test)[MARK] = dict(options)
    vars(test)[ASYNC] = True
    return pytest.mark.interleave(**options)(test) if pytest is not None else test


def _refuse_choices(function: Callable[..., object], options: Mapping[str, object]) -> None:
    if options.get("cancellations") or options.get("patient"):
        raise UsageError(f"cancellations and patient go with async tests; {function.__qualname__} is none")


def _is_method(function: Callable[..., object]) -> bool:
    """Whether it is defined in a class, which may be one of unittest's."""
    return "." in function.__qualname__.rpartition("<locals>.")[2]


def explores_itself(function: object) -> bool:
    """Whether a test that pytest collected is decorated: the plugin need not run it."""
    return hasattr(function, MARK)


def _explore(program: Callable[[], object], function: Callable[..., object], options: Mapping[str, object]) -> None:
    from semafuzz.harness.runs.program import FunctionProgram, Program
    from semafuzz.harness.search.exploration import explore

    module = sys.modules[function.__module__]
    modules = [module, *_modules(options, module)]
    subject: Program = FunctionProgram(program, function.__qualname__, modules)
    if inspect.iscoroutinefunction(function):
        from semafuzz.harness.trio_engine.choosing import TrioChoices
        from semafuzz.harness.trio_engine.program import TrioProgram

        subject = TrioProgram(program, function.__qualname__, modules)  # type: ignore[arg-type]
        TrioChoices.of(options).settle(subject, function.__qualname__)  # type: ignore[arg-type]
    found = explore(subject, **_arguments(options))
    if found.failures:
        first = found.failures[0]
        lines = [f"{first.kind} in schedule {first.schedule} of {function.__qualname__}: {first.message}"]
        raise AssertionError("\n".join([*lines, *(f"  at {place}" for place in first.places)]))
    found.assert_holds()


def _modules(options: Mapping[str, object], own: ModuleType) -> list[ModuleType]:
    import importlib

    names = options.get("instrument", ())
    listed: Sequence[str] = [names] if isinstance(names, str) else list(names)  # type: ignore[call-overload]
    return [module for name in listed if (module := importlib.import_module(name)) is not own]


def _arguments(options: Mapping[str, object]) -> dict[str, Any]:
    """The options as arguments of ``explore``, and of ``explore_case``."""
    given = {name: value for name, value in options.items() if name not in _NOT_OF_EXPLORE}
    return {**given, "stop_on_first": not options.get("keep_going", False)}
