"""What is known of functions and modules that are not looked into: which look, which change, which touch nothing."""

from __future__ import annotations

import operator
import types
from typing import Final

METHODS_IN_C: Final = (types.BuiltinMethodType, types.MethodWrapperType)
UNBOUND: Final = (types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType)
GETTERS: Final = (operator.itemgetter, operator.attrgetter, operator.methodcaller)
CHANGING: Final = frozenset(
    "setitem delitem iadd iconcat imul ior iand isub ixor setattr shuffle "  # noqa: SIM905
    "heappush heappop heapify heapreplace heappushpop insort insort_left insort_right next anext".split()
)
"""Names of functions in C that change their first argument."""
CHANGE_NOTHING: Final = frozenset({
    "copy", "json", "pprint", "reprlib", "dataclasses", "inspect", "pickle", "_pickle", "marshal", "struct",
    "_struct", "statistics", "math", "_operator", "operator", "textwrap", "string", "ast", "hashlib",
    "_hashlib", "zlib", "binascii", "base64", "collections", "itertools", "_json", "numbers", "re", "functools",
    "_functools", "unittest", "pytest", "_pytest", "logging", "warnings", "_warnings", "traceback",
})  # fmt: skip
"""Modules whose functions look at what they are given, ``CHANGING`` ones excepted."""
CHANGING_ALL_THE_SAME: Final = frozenset({"pack_into", "dump", "load", "reduce", "pprint", "pp", "update_wrapper"})
"""Functions of those modules that change something."""
PROCESS_STATE: Final = frozenset({
    "catch_warnings", "simplefilter", "filterwarnings", "resetwarnings", "redirect_stdout", "redirect_stderr", "chdir",
    "getrecursionlimit", "setlocale", "getlocale", "setswitchinterval", "getswitchinterval", "umask",
    "stack_size", "set_threshold", "signal", "getsignal",
})  # fmt: skip
"""Functions and classes that look at or change a state that the whole process has."""
TOUCH_NOTHING: Final = frozenset({
    "threading", "_thread", "queue", "_queue", "concurrent", "contextlib", "contextvars", "_contextvars",
    "time", "sys", "gc", "signal", "_signal", "atexit", "abc", "_abc", "enum", "greenlet", "asyncio", "_asyncio",
    "trio", "hypothesis", "faulthandler", "builtins.type", "coverage", "random", "_random", "typing", "types",
})  # fmt: skip
PURE_IN_C: Final = frozenset({
    "_heapq", "_bisect", "builtins", "_collections", "cmath", "_string", "_statistics", "_ast", "array", "_weakref",
    "unicodedata", "_sre", "_uuid", "_datetime", "_decimal", "_stat", "_locale", "zoneinfo", "_zoneinfo", "_lzma",
    "_bz2", "_crypt", "_csv.reader", "_elementtree", "_pyexpat", "pyexpat", "_random", "_struct", "_abc", "atexit",
})  # fmt: skip
"""Modules in C whose functions keep nothing in the module."""
MAKERS: Final = frozenset({"reader", "writer", "parse", "fromstring"})
"""Functions of other modules in C that make an object and keep nothing."""
STATE_OF_MODULES: Final = frozenset({
    "disable", "enable", "freeze", "unfreeze", "set_threshold", "set_debug", "setitimer", "alarm", "siginterrupt",
    "set_wakeup_fd", "pthread_sigmask",
})  # fmt: skip
"""Functions of ``gc`` and ``signal`` that change a state of the process."""
LOOK: Final = frozenset({
    "get", "keys", "values", "items", "copy", "count", "index", "getvalue", "tell", "getbuffer", "tobytes",
    "tolist", "hex", "decode", "__len__", "__getitem__", "__contains__", "__iter__", "__repr__", "__str__",
    "__eq__", "__hash__", "__getattribute__", "__format__", "__reduce_ex__", "__reduce__", "__dir__",
    "__sizeof__", "__ne__", "__lt__", "buffer_info", "fileno", "isatty", "most_common", "elements", "__copy__",
    "__deepcopy__", "__getstate__", "name", "join", "format", "encode", "startswith", "replace", "split",
    "strip", "cache_info",
})  # fmt: skip
"""Methods that change nothing."""
LOOKING_BUILTINS: Final = frozenset({
    "print", "hash", "format", "ascii", "repr", "sorted", "sum", "min", "max", "any", "all", "abs", "round", "divmod",
    "pow", "bin", "oct", "hex", "chr", "ord", "dir", "len", "iter", "compile",
})  # fmt: skip
BUILTINS_THAT_TOUCH_NOTHING: Final = frozenset({
    "isinstance", "issubclass", "callable", "id", "globals", "locals", "vars", "getattr", "setattr", "delattr",
    "hasattr", "__import__", "__build_class__", "breakpoint", "input", "eval", "exec",
})  # fmt: skip
DESCRIPTORS: Final = frozenset({"__get__", "__set__", "__delete__"})
REAL_CLOCK: Final = frozenset({"now", "utcnow", "today"})
OUTSIDE_FUNCTIONS: Final = frozenset({
    "posix", "os", "io", "_io", "socket", "_socket", "sqlite3", "_sqlite3", "select", "fcntl", "mmap", "shutil",
    "tempfile", "glob", "genericpath", "posixpath", "pathlib", "subprocess", "dbm", "shelve",
})  # fmt: skip
OUTSIDE_ONLY_SOMETIMES: Final = frozenset({
    "getpid", "getppid", "fspath", "fsencode", "fsdecode", "urandom", "cpu_count", "strerror",
    "get_terminal_size", "abspath", "join", "split", "splitext", "basename", "dirname", "normpath", "isabs", "normcase",
    "splitdrive", "commonprefix", "commonpath", "StringIO", "BytesIO", "_exit", "abort", "kill", "getuid",
    "getgid", "times", "sched_yield", "relpath", "expandvars",
})  # fmt: skip
"""Functions of those modules that reach nothing outside."""
