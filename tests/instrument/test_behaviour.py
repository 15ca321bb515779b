# ruff: noqa: E501 (a table of programs)
"""Rewritten code does what the original does, and is heard doing it."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from semafuzz.harness.instrument.apply import install_hooks, rewrite_source
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.execution import Execution
from semafuzz.harness.kernel.install.control import installed
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.schedulers.random_walk import RandomWalk

PRELUDE = """
import collections, functools, itertools
LOG = []
def log(value):
    LOG.append(value)
    return value
class Box:
    def __init__(self, **values):
        self.__dict__.update(values)
class Odd(dict):
    def __getitem__(self, key):
        return ("odd", dict.get(self, key))
    def __contains__(self, key):
        return True
class Slow:
    def __init__(self): self._v = 1
    @property
    def v(self): return self._v
    @v.setter
    def v(self, value): self._v = value
    @v.deleter
    def v(self): self._v = None
class Falsy:
    def __bool__(self): return False
class Indexed:
    def __getitem__(self, key): return key
    def __setitem__(self, key, value): LOG.append(("set", key, value))
    def __delitem__(self, key): LOG.append(("del", key))
class Counting:
    def __init__(self): self.n = 0
    def __iadd__(self, other): self.n += other; return self
"""

SNIPPETS: dict[str, str] = {
    "attribute": "b = Box(a=1); b.a = b.a + 1; return b.a",
    "attribute missing": "b = Box()\ntry:\n    b.a\nexcept AttributeError as e:\n    return str(e), e.name, e.obj is b",
    "attribute aug": "b = Box(a=1); b.a += 2; b.a *= 5; b.a -= 1; b.a //= 2; b.a **= 2; b.a %= 7; b.a <<= 2; b.a |= 1; b.a ^= 3; b.a &= 6; b.a >>= 1; b.a /= 2; return b.a",
    "aug order": "b = Box(a=1); l = [b]\nlog('x')\nl[log(0)].a += log(5)\nreturn l[0].a, LOG",
    "aug item": "d = {'k': [1]}; d['k'] += [2]; d[log('k')] += (3,); return d, LOG",
    "aug slice": "l = [1, 2, 3]; l[1:] += [4]; l[:1] *= 2; return l",
    "aug user iadd": "b = Box(c=Counting()); c = b.c; b.c += 3; return b.c is c, c.n",
    "aug tuple raises after effect": "t = ([1],)\ntry:\n    t[0] += [2]\nexcept TypeError:\n    return t",
    "aug global": "global G\nG = 1\nG += 1\nreturn G",
    "aug nonlocal": "n = 0\ndef f():\n    nonlocal n\n    n += 1\n    return n\nf(); f()\nreturn n",
    "del attr": "b = Box(a=1); del b.a; return vars(b), hasattr(b, 'a')",
    "del item": "d = {1: 2, 3: 4}; del d[1]; l = [1, 2, 3, 4]; del l[0], l[-1], l[0:1]; return d, l",
    "del name": "x = 1\ndel x\ntry:\n    x\nexcept UnboundLocalError as e:\n    return type(e).__name__",
    "del closure": "x = 1\ndef f(): return x\ndel x\ntry:\n    f()\nexcept NameError as e:\n    return type(e).__name__",
    "del nested target": "b = Box(a=1, c=2); d = {1: 1}; del (b.a, d[1]), [b.c]; return vars(b), d",
    "slice": "l = list(range(10)); l[1:3] = [0]; return l[::2], l[-3:], l[:2], l[1:8:3], l[:]",
    "slice tuple": "return Indexed()[1:2, ::3, ...], Indexed()[1:2], Indexed()[1,], Indexed()[()], Indexed()[*[1, 2]]",
    "slice shadow": "slice = 5\nreturn [1, 2, 3][0:2], slice",
    "set order": "i = Indexed(); i[log(1)] = log(2); return LOG",
    "chain assign": "a = b = c = Box(v=1); x = b.w = {}\nreturn a is b is c, b.w is x",
    "chain targets order": "d = Indexed(); d[log('a')] = d[log('b')] = log('v'); return LOG",
    "unpack": "b = Box(); d = {}; l = [0, 0]; b.x, (d['k'], *l[1:]), y = 1, (2, 3, 4), 5; return vars(b), d, l, y",
    "unpack swap": "b = Box(x=1, y=2); b.x, b.y = b.y, b.x; l = [1, 2]; l[0], l[1] = l[1], l[0]; return b.x, b.y, l",
    "unpack dependent": "l = [0, 0, 0]; i = 0; i, l[i] = 2, 7; return i, l",
    "unpack error": "b = Box()\ntry:\n    b.x, b.y = 1, 2, 3\nexcept ValueError as e:\n    return str(e), vars(b)",
    "unpack iterates list": "l = [1, 2, 3]; a, *b = l; [c, d, e] = l; return a, b, c, d, e",
    "for targets": "b = Box(); d = {}\nfor b.x in range(3): pass\nfor d['k'], b.y in [(1, 2), (3, 4)]: pass\nelse: d['e'] = 1\nreturn vars(b), d",
    "for else break": "for i in [1, 2, 3]:\n    if i == 2: break\nelse:\n    return 'else'\nreturn i",
    "for mutated": "l = [1, 2, 3]; out = []\nfor x in l:\n    out.append(x)\n    if x == 1: l.append(9)\nreturn out",
    "for dict changed": "d = {1: 1}\ntry:\n    for k in d: d[2] = 2\nexcept RuntimeError as e:\n    return str(e)",
    "for reversed enumerate zip": "l = [3, 1, 2]; return list(reversed(l)), list(enumerate(l)), list(zip(l, l)), sorted(l), sum(l), min(l), max(l), any(l), all(l), list(map(str, l)), list(filter(None, l))",
    "sorted key": "l = ['b', 'A']; return sorted(l, key=str.lower), max(l, key=len), max(l, default=3), sum(l, start='') if 0 else 0",
    "len bool": "l = []; d = {1: 1}; return len(l), bool(l), bool(d), not l, not d, (l or d), (d and l), 1 if l else 2",
    "in": "return 1 in [1], 1 not in [1], 'k' in {'k': 1}, 'a' in 'abc', 3 in range(4), 5 in Odd(), 1 in {1: 2}.keys(), 2 in {1: 2}.values(), (1, 2) in {1: 2}.items(), 1 in {1}",
    "chained comparison": "return log(1) < log(2) < log(3), log(5) < log(4) < log(9), 1 in [1] in [[1]], 1 < 2 in [2], LOG",
    "compare once": "return 1 in log([1]) == [1], LOG",
    "walrus": "if (n := len([1, 2])) > 1:\n    pass\nl = [y for x in [1, 2] if (y := x * 2)]\nreturn n, l, y",
    "walrus closure": "def f(): return z\nif (z := 4): pass\nz = z + 1\nreturn f()",
    "comprehensions": "l = [1, 2, 3]; return [x for x in l if x], {x for x in l}, {x: y for x in l for y in l}, list(x for x in l), [[x for x in l] for _ in l]",
    "comprehension closure": "fs = [lambda: i for i in [1, 2]]; return [f() for f in fs]",
    "comprehension targets": "b = Box(); r = [0 for b.x in [1, 2]]; return vars(b)",
    "generator": "def g():\n    got = yield 1\n    log(got)\n    try:\n        yield 2\n    finally:\n        log('closed')\nx = g(); a = next(x); c = x.send('s'); x.close(); return a, c, LOG",
    "generator in list lazily": "l = [1]\ng = (x for x in l)\nl.append(2)\nreturn list(g)",
    "yield from": "def g():\n    r = yield from [1, 2]\n    return 7\ndef h():\n    v = yield from g()\n    yield v\nreturn list(h())",
    "async": "class A:\n    def __await__(self):\n        yield 1\n        return 5\nasync def f():\n    b = Box(v=await A())\n    b.v += await A()\n    return b.v\nc = f()\ntry:\n    while True: c.send(None)\nexcept StopIteration as e:\n    return e.value",
    "async for with": "class M:\n    async def __aenter__(self): return 3\n    async def __aexit__(self, *a): log('out')\nclass I:\n    def __init__(self): self.n = 0\n    def __aiter__(self): return self\n    async def __anext__(self):\n        self.n += 1\n        if self.n > 2: raise StopAsyncIteration\n        return self.n\nasync def f():\n    b = Box(); out = []\n    async with M() as b.m:\n        async for b.i in I(): out.append(b.i)\n        out2 = [x async for x in I()]\n    return b.m, b.i, out, out2\nc = f()\ntry:\n    c.send(None)\nexcept StopIteration as e:\n    return e.value, LOG",
    "with": "class M:\n    def __enter__(self): return 4\n    def __exit__(self, *a): log(a[0]); return True\nb = Box(); d = {}\nwith M() as b.x, M() as (d['k'] if 0 else d)['k']:\n    raise ValueError\nreturn vars(b), d, LOG",
    "with second sees first": "class M:\n    def __init__(self, v): self.v = v\n    def __enter__(self): return self.v\n    def __exit__(self, *a): return None\nb = Box()\nwith M(1) as b.x, M(b.x) as b.y: pass\nreturn vars(b)",
    "with target error": "class M:\n    def __enter__(self): return 4\n    def __exit__(self, *a): log(a[0]); return True\nclass R:\n    __slots__ = ()\nwith M() as R().x: pass\nreturn LOG",
    "property": "s = Slow(); s.v = 2; s.v += 1; r = s.v; del s.v; return r, s.v",
    "slots": "class S:\n    __slots__ = ('a', '__weakref__')\ns = S(); s.a = 1; s.a += 1; return s.a",
    "descriptor": "class D:\n    def __get__(self, o, t): return ('got', o is None)\n    def __set__(self, o, v): log(v)\nclass C: d = D()\nc = C(); c.d = 3; return c.d, C.d, LOG",
    "getattr": "b = Box(a=1); return getattr(b, 'a'), getattr(b, 'z', 5), hasattr(b, 'z'), setattr(b, 'q', 2), b.q, delattr(b, 'q'), vars(b), getattr(b, 'z', None)",
    "getattr keyword": "return sorted(vars(Box(a=1)).items()), Box(a=1).__dict__",
    "__getattr__": "class C:\n    def __getattr__(self, n): return n\n    def __setattr__(self, n, v): log((n, v))\nc = C(); c.x = 1; c.x += 'y'; return c.q, LOG",
    "vars no args": "x = 1\nreturn sorted(vars()), sorted(locals())",
    "__dict__ write": "b = Box(); b.__dict__['a'] = 1; vars(b)['c'] = 2; b.__dict__.update(d=3); return b.a, b.c, b.d, Box.__dict__['__init__'].__name__",
    "mangling": "class P:\n    __c = 5\n    def __init__(self): self.__x = 1; self.__x += 1\n    def get(self): return self.__x, self.__c, sorted(vars(self))\n    def rm(self): del self.__x; return hasattr(self, '_P__x')\n    class __Q:\n        pass\n    def q(self): return self.__Q.__name__\np = P(); return p.get(), p.rm(), p.q()",
    "mangling nested": "class _P:\n    def f(self):\n        class __R:\n            def g(s): s.__y = 1; return sorted(vars(s))\n        return __R().g()\nreturn _P().f()",
    "mangled names": "class P:\n    def f(self):\n        __n = 1\n        def g():\n            nonlocal __n\n            __n += 1\n            return __n\n        return g()\nreturn P().f()",
    "mangled global": "class P:\n    def f(self):\n        global __gg\n        __gg = 1\n        __gg += 1\n        return __gg\nreturn P().f(), globals()['_P__gg']",
    "super": "class A:\n    def f(self): return 'A'\n    x = 1\nclass B(A):\n    def f(self): return super().f() + 'B', super().x, __class__.__name__\n    def g(self): return super(B, self).f()\nreturn B().f(), B().g()",
    "super init": "class A:\n    def __init__(self, v): self.v = v\nclass B(A):\n    def __init__(self):\n        super().__init__(3)\n        self.v += 1\nreturn B().v",
    "class body": "y = 1\nclass C:\n    a = 1\n    b = a + y\n    c = [a for _ in range(2)] if 0 else []\n    d = {}\n    d['k'] = 1\n    def f(self): return self.a\n    a += 1\nreturn C.a, C.b, C.d, C().f()",
    "class body closure": "y = 1\ndef bump():\n    nonlocal y\n    y += 1\nbump()\nclass C:\n    z = y\nclass D:\n    try:\n        z = y\n    except NameError:\n        z = 'global'\n    y = 5\nreturn C.z, D.z, D.y, y",
    "class name in closure rebound": "x = 1\nclass C:\n    x = 2\n    def f(self): return x\nx = 3\nreturn C().f()",
    "lambda": "l = []\nf = lambda x, *a, k=1, **q: (l.append(x), a, k, q)[1:]\nreturn f(1, 2, k=3, z=4), l",
    "closures": "def make():\n    n = 0\n    def inc(by=1):\n        nonlocal n\n        n += by\n        return n\n    def get(): return n\n    return inc, get\ni, g = make(); i(); i(5)\nreturn g()",
    "closure loop": "out = []\nfor i in range(3):\n    def f(): return i\n    out.append(f)\nreturn [f() for f in out]",
    "closure before assignment": "def f(): return v\ntry:\n    f()\nexcept NameError as e:\n    r = type(e).__name__, str(e)\nv = 1\nv = 2\nreturn r, f()",
    "closure parameter rebound": "def outer(p):\n    def f(): return p\n    p = p + 1\n    p += 1\n    return f()\nreturn outer(1)",
    "closure except": "def f(): return e\ntry:\n    raise ValueError(1)\nexcept ValueError as e:\n    r = str(f())\ntry:\n    f()\nexcept NameError:\n    return r",
    "closure with import": "def f(): return m.sqrt(4)\nimport math as m\nm = m\nreturn f()",
    "closure for target": "def f(): return k\nt = 0\nfor k in [1, 2]:\n    t += f()\nreturn t",
    "closure falsy": "z = 0\ndef f():\n    nonlocal z\n    z = z or None\n    return z\nreturn f(), z",
    "global rebinding": "global H\nH = []\ndef f():\n    global H\n    H = H + [1]\nf(); f()\nreturn H",
    "global delete": "global I\nI = 1\ndel I\ntry:\n    I\nexcept NameError as e:\n    return str(e)",
    "annotated": "x: int = 1\nb = Box(); b.y: int = 2\nd = {}; d['a']: str = 'q'\nz: int\nreturn x, b.y, d",
    "containers": "l = [3, 1]; l.append(2); l.sort(); l.insert(0, 9); l.extend([4]); l.remove(4); p = l.pop(); l.reverse(); d = dict(a=1); d.setdefault('b', 2); d.update(c=3); d.pop('a'); s = {1}; s.add(2); s.discard(1); q = collections.deque([1]); q.appendleft(0); o = collections.OrderedDict(a=1); o.move_to_end('a'); dd = collections.defaultdict(list); dd['x'].append(1); return l, p, d, s, q, o, dd, l.count(9), l.index(9), list(d.items()), d.get('z', 7), l.copy(), bytearray(b'ab').find(b'b')",
    "method reference kept": "l = []; a = l.append; a(1); return l, a.__self__ is l, a.__name__",
    "method attributes": "l = [1]; return l.append.__name__, callable(l.append), [].sort.__doc__ is not None",
    "dict views": "d = {'a': 1}; k = d.keys(); d['b'] = 2; return list(k), k & {'a'}, len(k), 'b' in k, list(reversed(d)), sorted(d.values())",
    "dict subclass": "o = Odd(a=1); return o['a'], 'zz' in o, o.get('a'), len(o)",
    "missing": "class M(dict):\n    def __missing__(self, k): return k * 2\nreturn M()['a'], collections.Counter('aab')['z']",
    "user container": "class L(list):\n    def __len__(self): return 42\n    def append(self, v): list.append(self, v * 2)\nl = L(); l.append(1); return len(l), list(l), bool(L())",
    "falsy object": "f = Falsy(); return (f or 1), (not f), (1 if f else 2), f is (f and 3)",
    "bool returns operand": "l = []; return (l or 'x'), ([1] and l) is l, (0 or l) is l",
    "while": "n = 0\nl = [1, 2]\nwhile l:\n    n += l.pop()\nelse:\n    n += 10\nreturn n",
    "while continue": "n = 0\nwhile True:\n    n += 1\n    if n < 3: continue\n    break\nelse:\n    n = -1\nreturn n",
    "try finally": "b = Box(n=0)\ndef f():\n    try:\n        b.n += 1\n        return b.n\n    finally:\n        b.n += 10\nreturn f(), b.n",
    "except star": "b = Box(n=0)\ntry:\n    raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\nexcept* ValueError as e:\n    b.n += len(e.exceptions)\nexcept* TypeError:\n    b.n += 10\nreturn b.n",
    "match": "b = Box(x=1, y=[1, 2]); d = {'k': 1}\nmatch b.y:\n    case [a, *r] if b.x: out = (a, r)\nmatch d:\n    case {'k': v, **rest}: out2 = v, rest\nmatch b:\n    case Box(x=q): out3 = q\nreturn out, out2, out3",
    "fstring": "b = Box(a=3, l=[1]); w = 6; return f'{b.a:>{w}} {b.l[0]!r} {b.a=} {len(b.l)}'",
    "star args": "b = Box(a=[1, 2], k={'z': 1})\ndef f(*a, **k): return a, k\nreturn f(*b.a, *[3], **b.k), [*b.a, 4], {**b.k, 'y': 2}, (*b.a,)",
    "decorators": "b = Box(w=functools.wraps)\n@functools.lru_cache(None)\ndef f(x): return x + 1\nreturn f(1), f.cache_info().misses, f.__name__, f.__qualname__",
    "defaults": "l = [1]\ndef f(a=l, *, b=len(l)): return a, b\nl.append(2)\nreturn f()",
    "docstrings": "def f():\n    'doc'\n    x = 1\n    def g(): return x\n    x = 2\n    return g()\nclass C:\n    'cdoc'\nreturn f.__doc__, C.__doc__, f()",
    "assert": "b = Box(a=0)\ntry:\n    assert b.a, f'msg {b.a}'\nexcept AssertionError as e:\n    return str(e)",
    "raise from": "b = Box(e=ValueError('x'))\ntry:\n    raise KeyError('k') from b.e\nexcept KeyError as e:\n    return repr(e.__cause__)",
    "shadowed builtins": "def len(x): return 'mine'\nreturn len([1]), (lambda sorted: sorted([1]))(str)",
    "getattr shadowed": "getattr = lambda *a: 'mine'\nreturn getattr(1, 'real')",
    "reversed lists len hint": "import operator\nl = [1, 2, 3]\nreturn operator.length_hint(iter(l)), list(iter(l)), next(iter(l))",
    "iter type": "l = [1]; i = iter(l); n = next(i); return n, next(i, 'end')",
    "iter sentinel": "l = [1, 2, 0, 3]; return list(iter(lambda: l.pop(0), 0))",
    "map several": "l = [1, 2]; return list(map(lambda a, b: a + b, l, l)), list(zip(l, [3, 4], strict=True))",
    "str of list": "l = [1]; return str(l), repr(l), str(b'x', 'ascii'), bytes([1]), set(l), frozenset(l), tuple(l), dict([(1, 2)]), bool()",
    "type annotations": "from typing import Optional\ndef f(x: 'Box', y: list[int] = []) -> Optional[int]: return None\nreturn sorted(f.__annotations__)",
    "class keyword": "class M(type):\n    def __new__(m, n, b, d, **k): c = type.__new__(m, n, b, d); c.k = k; return c\nclass C(metaclass=M, a=1): pass\nreturn C.k",
    "class getattr": "class E: v = [1]\nE.v.append(2); E.v += [3]; E.w = 1; return E.v, E.w",
    "module attribute": "import math; return math.pi > 3, math.floor(1.5), collections.OrderedDict.__name__",
    "enum": "import enum\nclass C(enum.Enum):\n    A = 1\n    B = 2\nreturn C.A.value, C['B'], C(1).name, list(C), len(C), C.A in C",
    "dataclass": "import dataclasses\n@dataclasses.dataclass\nclass D:\n    a: int\n    b: list = dataclasses.field(default_factory=list)\nd = D(1); d.b.append(2); d.a += 1\nreturn d, dataclasses.asdict(d), d == D(2, [2])",
    "namedtuple": "P = collections.namedtuple('P', 'x y'); p = P(1, 2); return p.x, p[1], p._replace(x=5), p",
    "recursion": "def f(n): return 1 if n < 2 else n * f(n - 1)\nreturn f(10)",
    "numbers": "return (5).real, 1.5.is_integer(), 'a'.upper(), b'x'.hex(), (1).__class__.__name__",
    "exception in hook keeps order": "try:\n    log(1) + undefined_name + log(2)\nexcept NameError:\n    return LOG",
    "delete slice step": "l = list(range(6)); del l[::2]; return l",
    "nested function shared by comprehension": "t = 0\ndef add(x):\n    nonlocal t\n    t += x\n    return t\nr = [add(x) for x in [1, 2, 3]]\nreturn r, t",
    "eval and exec": "x = [1]; return eval('x + [2]', {}, {'x': x})",
    "locals in closure": "n = 1\ndef f():\n    nonlocal n\n    n = 2\nf()\nreturn sorted(k for k in locals() if not k.startswith('__sf'))",
    "dir": "b = Box(a=1); return [n for n in dir(b) if not n.startswith('_')]",
}  # fmt: skip


def compiled(body: str, *, rewritten: bool) -> dict[str, Any]:
    lines = "\n".join("    " + line for line in body.split("\n"))
    source = f"{PRELUDE}\ndef snippet():\n{lines}\n"
    namespace = vars(types.ModuleType("snippet_module"))
    sys.modules["snippet_module"] = types.ModuleType("snippet_module")
    code = rewrite_source(source, "<snippet>", "snippet_module") if rewritten else compile(source, "<snippet>", "exec")
    if rewritten:
        install_hooks(namespace)
    exec(code, namespace)
    return namespace


@pytest.fixture(autouse=True)
def _no_module_left() -> Iterator[None]:
    yield
    sys.modules.pop("snippet_module", None)


def run_controlled(function: Any) -> Outcome:
    with installed(stall=0):
        execution = Execution(RandomWalk(0), bytearray(b"\1") * (len(SITES) + 8192))
        execution.add_task(function, "one")
        return execution.run()


@pytest.mark.parametrize("name", SNIPPETS)
@pytest.mark.parametrize("controlled", [False, True], ids=["outside", "controlled"])
def test_same_result_as_the_original(name: str, controlled: bool) -> None:
    expected = repr(compiled(SNIPPETS[name], rewritten=False)["snippet"]())
    function = compiled(SNIPPETS[name], rewritten=True)["snippet"]
    assert isinstance(function, types.FunctionType)
    if not controlled:
        assert repr(function()) == expected
        return
    outcome = run_controlled(function)
    assert [failure.detail for failure in outcome.failures] == []
    assert repr(outcome.tasks[0].result) == expected


EVENTS: dict[str, tuple[str, list[str]]] = {
    "attribute": ("b = Box(a=1); LOG = 0; x = b.a; b.a = 2; del b.a", ["read a", "write a", "write a"]),
    "augmented attribute": ("b = Box(a=1); b.a += 1", ["read a", "write a"]),
    "item": ("d = {'k': 1}; x = d['k']; d['k'] = 2; del d['k']", ["read-item k", "write-item k", "write-item k", "write-all"]),
    "new key": ("d = {}; d['k'] = 2", ["write-item k", "write-all"]),
    "augmented item": ("d = {'k': 1}; d['k'] += 1", ["read-item k", "write-item k"]),
    "in": ("d = {'k': 1}; 'k' in d; 'k' not in d", ["read-item k", "read-item k"]),
    "in list": ("l = [1]; 1 in l", ["read-all"]),
    "len": ("l = [1]; len(l)", ["read-all"]),
    "truth": ("l = [1]\nif l: pass", ["read-all"]),
    "iteration": ("l = [1]\nfor x in l: pass", ["read-all", "read-all"]),
    "comprehension": ("l = [1]; [x for x in l]", ["read-all", "read-all"]),
    "methods": ("l = []; l.append(1); l.copy(); d = {'a': 1}; d.get('a'); d.keys(); d.update(b=1)", ["write-all", "read-all", "read-item a", "read-all", "write-all"]),
    "set": ("s = set(); s.add(1); 1 in s", ["write-item 1", "write-all", "read-item 1"]),
    "getattr": ("b = Box(a=1); getattr(b, 'a'); setattr(b, 'a', 2); hasattr(b, 'a'); delattr(b, 'a')", ["read a", "write a", "read a", "write a"]),
    "vars": ("b = Box(a=1); vars(b)['a']; b.__dict__['a'] = 2; del vars(b)['a']", ["read a", "write a", "write a"]),
    "vars loop": ("b = Box(a=1)\nfor k in vars(b): pass", ["read-all", "read-all"]),
    "closure": ("n = 0\ndef f():\n    nonlocal n\n    n += 1\nf()", ["write n", "read n", "write n"]),
    "global": ("global G\nG = 1\nG += 1", ["write G", "read G", "write G"]),
    "unpacking": ("b = Box(); b.x, b.y = 1, 2", ["write x", "write y"]),
    "for target": ("b = Box()\nfor b.x in (1, 2): pass", ["write x", "write x"]),
    "with target": ("import contextlib\nb = Box()\nwith contextlib.nullcontext(1) as b.x: pass", ["write x"]),
    "property": ("s = Slow(); s.v; s.v = 2", ["write _v", "read _v", "write _v"]),
    "mangled": ("class P:\n    def __init__(self): self.__x = 1\n    def f(self): return self.__x\nP().f()", ["write _P__x", "read _P__x"]),
    "slice": ("l = [1, 2]; l[0:1]; l[0:1] = [3]", ["read-all", "write-all"]),
    "list delete": ("l = [1, 2]; del l[0]", ["write-item 0", "write-all"]),
    "list index": ("l = [1, 2]; l[-1]; l[1]", ["read-item 1", "read-item 1"]),
    "method kept": ("l = []; a = l.append; a(1)", ["write-all"]),
    "chained in": ("d = {1: 1}; x = 0 < 1 in d", ["read-all"]),
    "super method": ("class B:\n    def __init__(self, a): self.a = a\nclass A(B):\n    def __init__(self): super().__init__(1)\n    def f(self): return super().__getattribute__('a') and self.a\nA().f()", ["write a", "read a"]),
    "async for target": ("class I:\n    def __aiter__(self): return self\n    async def __anext__(self): raise StopAsyncIteration\nasync def f(b):\n    b.q = 1\n    async for b.x in I(): pass\nc = f(Box())\ntry: c.send(None)\nexcept StopIteration: pass", ["write q"]),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_accesses_are_heard(name: str) -> None:
    body, expected = EVENTS[name]
    namespace = compiled(body, rewritten=True)
    namespace["Box"] = types.SimpleNamespace  # whose own accesses are not heard
    outcome = run_controlled(namespace["snippet"])
    assert [failure.detail for failure in outcome.failures] == []
    heard = [
        f"{op.KIND_NAMES[kind]} {'' if item is None else item}".strip()
        for kind, _, _, item, _ in outcome.events
        if kind in op.MEMORY
    ]
    assert [word for word in heard if word not in ("read-all LOG",)] == expected
