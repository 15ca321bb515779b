"""Classes for the audit, each with what is true of its methods. What is written ``# true`` was decided by hand."""

HEAD = """
import contextlib, functools, heapq, threading
from functools import partial

LOCK = threading.Lock()


def locked(function):
    @functools.wraps(function)
    def inner(self, *args, **named):
        with self._lock:
            return function(self, *args, **named)
    return inner


def logged(function):
    @functools.wraps(function)
    def inner(self, *args, **named):
        return function(self, *args, **named)
    return inner


def fill(table, key):
    table[key] = 1


def look(table):
    return len(table)


class Part:
    def __init__(self):
        self.count = 0

    def bump(self):
        self.count += 1

    def peek(self):
        return self.count


class Base:
    def __init__(self):
        self._lock = threading.Lock()
        self.items = {}
        self.total = 0
        self.part = Part()

    def _add(self, key):
        self.items[key] = 1

    def base_put(self, key):
        with self._lock:
            self.items[key] = 1
"""

GUARDED, POSSIBLY, READS = "proven guarded", "possibly unguarded", "only reads"

CASES = {
    "plain with": ("def run(self):\n    with self._lock:\n        self.total += 1", GUARDED),
    "nothing": ("def run(self):\n    self.total += 1", POSSIBLY),
    "only a look": ("def run(self):\n    return self.total", READS),
    "after the with": ("def run(self):\n    with self._lock:\n        pass\n    self.total = 1", POSSIBLY),
    "alias of an item": ("def run(self):\n    found = self.items['a']\n    found.size = 1", POSSIBLY),
    "alias of an item, under the lock": (
        "def run(self):\n    with self._lock:\n        found = self.items['a']\n        found.size = 1",
        GUARDED,
    ),
    "alias that leaves the lock": (
        "def run(self):\n    with self._lock:\n        found = self.items['a']\n    found.size = 1",
        POSSIBLY,
    ),
    "alias of an attribute": ("def run(self):\n    items = self.items\n    items['a'] = 1", POSSIBLY),
    "a copy is not the state": ("def run(self):\n    items = dict(self.items)\n    items['a'] = 1", READS),
    "what a copy holds is": (
        "def run(self):\n    for one in list(self.items.values()):\n        one.size = 1",
        POSSIBLY,
    ),
    "a variable that is bound again": (
        "def run(self):\n    items = self.items\n    items = {}\n    items['a'] = 1",
        READS,
    ),
    "changing call": ("def run(self):\n    self.items.pop('a')", POSSIBLY),
    "looking call": ("def run(self):\n    return self.items.get('a')", READS),
    "function that is given the state": ("def run(self):\n    fill(self.items, 'a')", POSSIBLY),
    "function that is given the state, under the lock": (
        "def run(self):\n    with self._lock:\n        fill(self.items, 'a')",
        GUARDED,
    ),
    "function that looks": ("def run(self):\n    return look(self.items)", READS),
    "heap": ("def run(self):\n    heapq.heappush(self.items, 1)", POSSIBLY),
    "method of a part": ("def run(self):\n    self.part.bump()", POSSIBLY),
    "method of a part that looks": ("def run(self):\n    return self.part.peek()", READS),
    "helper that all call under the lock": (
        "def run(self):\n    with self._lock:\n        self._help()\ndef _help(self):\n    self.total = 1",
        GUARDED,
    ),
    "helper that one calls without": (
        "def run(self):\n    with self._lock:\n        self._help()\ndef other(self):\n    self._help()\n"
        "def _help(self):\n    self.total = 1",
        GUARDED,
    ),
    "who calls the helper without": (
        "def other(self):\n    with self._lock:\n        self._help()\ndef run(self):\n    self._help()\n"
        "def _help(self):\n    self.total = 1",
        POSSIBLY,
    ),
    "inherited helper": ("def run(self):\n    self._add('a')", POSSIBLY),
    "inherited helper under the lock": ("def run(self):\n    with self._lock:\n        self._add('a')", GUARDED),
    "super": ("def base_put(self, key):\n    super().base_put(key)\ndef run(self):\n    self.base_put(1)", GUARDED),
    "decorator": ("@locked\ndef run(self):\n    self.total = 1", GUARDED),
    "stacked decorators": ("@logged\n@locked\ndef run(self):\n    self.total = 1", GUARDED),
    "decorator without a lock": ("@logged\ndef run(self):\n    self.total = 1", POSSIBLY),
    "decorated generator": ("@locked\ndef run(self):\n    yield 1\n    self.total = 1", POSSIBLY),
    "generator with the lock inside": (
        "def run(self):\n    with self._lock:\n        yield 1\n        self.total = 1",
        GUARDED,
    ),
    "acquire and release": (
        "def run(self):\n    self._lock.acquire()\n    try:\n        self.total = 1\n    finally:\n"
        "        self._lock.release()",
        GUARDED,
    ),
    "early release": (
        "def run(self):\n    self._lock.acquire()\n    self._lock.release()\n    self.total = 1",
        POSSIBLY,
    ),
    "release on one way": (
        "def run(self, early):\n    self._lock.acquire()\n    if early:\n        self._lock.release()\n        return\n"
        "    self.total = 1\n    self._lock.release()",
        GUARDED,
    ),
    "change after the release of one way": (
        "def run(self, early):\n    self._lock.acquire()\n    if early:\n        self._lock.release()\n"
        "    self.total = 1",
        POSSIBLY,
    ),
    "conditional lock": (
        "def run(self, safe):\n    if safe:\n        self._lock.acquire()\n    self.total = 1\n    if safe:\n"
        "        self._lock.release()",
        POSSIBLY,
    ),
    "tried lock": (
        "def run(self):\n    if self._lock.acquire(blocking=False):\n        try:\n            self.total = 1\n"
        "        finally:\n            self._lock.release()",
        GUARDED,
    ),
    "tried lock, left where it fails": (
        "def run(self):\n    if not self._lock.acquire(timeout=1):\n        return\n    self.total = 1\n"
        "    self._lock.release()",
        GUARDED,
    ),
    "tried lock, not looked at": (
        "def run(self):\n    self._lock.acquire(timeout=1)\n    self.total = 1\n    self._lock.release()",
        POSSIBLY,
    ),
    "closure that is called": (
        "def run(self):\n    def inner():\n        self.total = 1\n    with self._lock:\n        inner()",
        GUARDED,
    ),
    "closure that is handed out": (
        "def run(self):\n    def inner():\n        self.total = 1\n    with self._lock:\n        register(inner)",
        READS,
    ),
    "thread target": (
        "def start(self):\n    with self._lock:\n        threading.Thread(target=self._run).start()\n"
        "def run(self):\n    self._run()\ndef _run(self):\n    self.total = 1",
        POSSIBLY,
    ),
    "method that a key function is": (
        "def run(self):\n    with self._lock:\n        return sorted([1], key=self._rank)\n"
        "def _rank(self, one):\n    self.total += 1\n    return one",
        GUARDED,
    ),
    "property": (
        "@property\ndef size(self):\n    self.total += 1\n    return 1\ndef run(self):\n    return self.size",
        POSSIBLY,
    ),
    "property setter": (
        "@property\ndef size(self):\n    return 1\n@size.setter\ndef size(self, value):\n"
        "    with self._lock:\n        self.total = value\ndef run(self):\n    self.size = 2",
        GUARDED,
    ),
    "context manager of the class": (
        "@contextlib.contextmanager\ndef _held(self):\n    with self._lock:\n        yield\n"
        "def run(self):\n    with self._held():\n        self.total = 1",
        GUARDED,
    ),
    "context manager without the lock": (
        "@contextlib.contextmanager\ndef _held(self):\n    yield\n"
        "def run(self):\n    with self._held():\n        self.total = 1",
        POSSIBLY,
    ),
    "the object as a context manager": (
        "def __enter__(self):\n    self._lock.acquire()\n    return self\ndef __exit__(self, *rest):\n"
        "    self._lock.release()\ndef run(self):\n    with self:\n        self.total = 1",
        GUARDED,
    ),
    "exit stack": (
        "def run(self):\n    with contextlib.ExitStack() as stack:\n        stack.enter_context(self._lock)\n"
        "        self.total = 1",
        GUARDED,
    ),
    "lock in a variable": ("def run(self):\n    lock = self._lock\n    with lock:\n        self.total = 1", GUARDED),
    "another lock": ("def run(self):\n    with LOCK:\n        self.total = 1", POSSIBLY),
    "condition over the lock": (
        "def __init__(self):\n    super().__init__()\n    self._changed = threading.Condition(self._lock)\n"
        "def run(self):\n    with self._changed:\n        self.total = 1",
        GUARDED,
    ),
    "exception before the change": (
        "def run(self):\n    try:\n        with self._lock:\n            check()\n    except ValueError:\n"
        "        self.total = 1",
        POSSIBLY,
    ),
    "loop": (
        "def run(self):\n    while True:\n        with self._lock:\n            if not self.items:\n"
        "                break\n"
        "            self.items.popitem()",
        GUARDED,
    ),
    "loop that lets go": (
        "def run(self):\n    self._lock.acquire()\n    for one in range(2):\n        self.total = one\n"
        "        self._lock.release()",
        POSSIBLY,
    ),
    "walrus": ("def run(self):\n    if (found := self.items.get('a')) is not None:\n        found.size = 1", POSSIBLY),
    "setattr": ("def run(self):\n    setattr(self, 'total', 1)", POSSIBLY),
    "delete": ("def run(self):\n    del self.items['a']", POSSIBLY),
    "unpacking": ("def run(self):\n    self.total, other = 1, 2", POSSIBLY),
    "its dictionary": ("def run(self):\n    self.__dict__['total'] = 1", POSSIBLY),
    "only constructed": (
        "def __init__(self):\n    super().__init__()\n    self._fill()\ndef _fill(self):\n    self.total = 1\n"
        "def run(self):\n    return self.total",
        READS,
    ),
    "static method": ("@staticmethod\ndef run(items):\n    items['a'] = 1", READS),
    "a parameter is not the state": ("def run(self, other):\n    other['a'] = 1", READS),
    "comprehension over the state": ("def run(self):\n    return [one.size for one in self.items.values()]", READS),
    "unknown method of an item": ("def run(self):\n    self.items['a'].save()", POSSIBLY),
    "partial of a method": (
        "def start(self):\n    return partial(self._later, 1)\ndef run(self):\n    with self._lock:\n"
        "        self._later(1)\ndef _later(self, one):\n    self.total = one",
        GUARDED,
    ),
    "match": (
        "def run(self):\n    match self.items:\n        case {'a': found}:\n            found.size = 1",
        POSSIBLY,
    ),
    "nested with": (
        "def run(self):\n    with self._lock:\n        with LOCK:\n            pass\n        self.total = 1",
        GUARDED,
    ),
    "two in one with": ("def run(self):\n    with LOCK, self._lock:\n        self.total = 1", GUARDED),
    "what it returns is an alias": (
        "def _find(self):\n    return self.items['a']\ndef run(self):\n    found = self._find()\n    found.size = 1",
        POSSIBLY,
    ),
}
"""Name, source of a class that derives from ``Base``, and the verdict on its method ``run``."""
