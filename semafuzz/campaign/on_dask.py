"""Orders on a Dask cluster: the same work as on one machine, somewhere else.

An order goes out as the arguments of a command and comes back as what that wrote. It ends only by an answer: a worker
that dies, a connection or a scheduler that is lost, and one that comes back, leave it open, and it is begun again. A
worker with other code is refused by name. Whoever asked is watched: a search ends when its client is gone.

Dask itself ships functions between its machines by pickle: a cluster is to be trusted as
the machines that it is made of are. What comes back is data, and is read as such.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semafuzz.campaign import far_process
from semafuzz.campaign.far_process import Order, obey
from semafuzz.campaign.sent_code import archive, unpacking_plugin
from semafuzz.campaign.workers import TAIL, Exit
from semafuzz.harness.errors import UsageError
from semafuzz.harness.traces.codec import MAX_BYTES

if TYPE_CHECKING:
    from distributed import Client

ATTEMPTS = 3
"""At an order that came to no end: what comes again is no accident."""
LOOK = 0.2
"""Seconds between two looks at what has come back."""
ENDS = (0, 1, 4, 125)
"""Exit codes of a command that has come to its end; others say that it was ended."""
AGAIN = 1.0
"""Seconds before a cluster that was lost is looked for again."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where orders run: at the scheduler with this ``address``, or in ``jobs`` processes here where that is empty.
    ``wait``: seconds without a scheduler or a worker after which it is given up; ``until``: the end of all, on the
    clock of ``time.monotonic``; ``send_code``: the workers use the semafuzz that is here."""

    address: str = ""
    jobs: int = 1
    wait: float = 60.0
    until: float = float("inf")
    send_code: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came back of an order. ``files``: the traces that it wrote, by name; ``errors``: of attempts that came to no
    end; ``under_way``: what it did last, in words."""

    ended: Exit
    files: dict[str, bytes] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    under_way: str = ""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of it: ``done`` gets the name of each order as it comes back, in whatever order; ``look`` is called
    now and then with what each that runs has told last; ``say`` gets a line for a person."""

    done: Callable[[str, Delivery], None]
    look: Callable[[Mapping[str, str]], None] = lambda told: None
    say: Callable[[str], None] = lambda line: None


class _Lost(Exception):
    """The cluster cannot be reached, or has no worker."""


def run_on_dask(orders: Sequence[Order], cluster: Cluster, listener: Listener) -> dict[str, str]:
    """Have all done; the names of those that came to no answer, each with why. UsageError where there is no cluster at
    all."""
    dealer = _Dealer({one.name: one for one in orders}, cluster, listener)
    dealer.run()
    return dealer.unanswered


class _Dealer:
    """Deals orders out to a cluster until each has its answer."""

    def __init__(self, orders: dict[str, Order], cluster: Cluster, listener: Listener) -> None:
        self._left = orders
        self._cluster = cluster
        self._listener = listener
        self._errors: dict[str, list[str]] = {name: [] for name in orders}
        self._refused: dict[str, list[str]] = {}
        self._told: dict[str, str] = {}
        self._programs: dict[str, str] = {}
        self._well = time.monotonic()
        self._met = False
        self.unanswered: dict[str, str] = {}

    def run(self) -> None:
        """See :func:`run_on_dask`."""
        while self._left and not self._is_over():
            try:
                with connected(self._cluster) as client:
                    self._serve(client)
            except _Lost as lost:
                if not self._wait_for(str(lost)):
                    return

    def _wait_for(self, why: str) -> bool:
        """Whether it is worth trying again after the cluster was lost."""
        if not self._met and not self._cluster.address:
            raise UsageError(f"no cluster could be made here: {why}") from None
        if time.monotonic() - self._well > self._cluster.wait:
            if not self._met:
                raise UsageError(f"{why}; start one, or leave --dask out") from None
            self._give_up(why)
            return False
        time.sleep(AGAIN)
        return True

    def _give_up(self, why: str) -> None:
        for name in self._left:
            self.unanswered[name] = why
        self._left = {}

    def _is_over(self) -> bool:
        if time.monotonic() < self._cluster.until:
            return False
        self._give_up("the time for all was up")
        return True

    def _serve(self, client: Client) -> None:
        """Until all is done, or the cluster is lost."""
        self._await_workers(client)
        self._listener.say(
            f"{len(self._addresses(client))} workers, {len(self._left)} searches; {client.dashboard_link}"
        )
        if self._cluster.send_code:
            with _asking(client):
                client.register_plugin(unpacking_plugin(*archive()))
        topic = f"semafuzz-{os.urandom(4).hex()}"
        client.subscribe_topic(topic, self._hear)
        futures: dict[str, Any] = {}
        try:
            while self._left and not self._is_over():
                allowed = self._allowed(client)
                for name in [name for name in self._left if name not in futures and allowed != []]:
                    futures[name] = self._submit(client, self._left[name], topic, allowed)
                time.sleep(LOOK)
                for name in [name for name in futures if name in self._left and futures[name].done()]:
                    self._take(name, futures.pop(name))
                self._check(client)
                self._listener.look({name: text for name, text in self._told.items() if name in self._left})
        finally:
            # What is not wanted any more must not keep the cluster busy.
            with contextlib.suppress(Exception):
                client.cancel(list(futures.values()), force=True)

    def _await_workers(self, client: Client) -> None:
        left = min(self._cluster.wait - (time.monotonic() - self._well), self._cluster.until - time.monotonic())
        try:
            client.wait_for_workers(1, timeout=max(1.0, left))
        except Exception:
            self._well = min(self._well, time.monotonic() - self._cluster.wait - 1)
            raise _Lost(f"no worker joined {self._where()} within {self._cluster.wait:g} seconds") from None
        self._met = True
        self._well = time.monotonic()

    def _where(self) -> str:
        return f"the Dask scheduler at {self._cluster.address}" if self._cluster.address else "the cluster here"

    def _addresses(self, client: Client) -> list[str]:
        with _asking(client):
            return list(client.scheduler_info(n_workers=-1)["workers"])

    def _check(self, client: Client) -> None:
        """Raise where the cluster is lost, or has nobody left who may do anything."""
        if client.status != "running":
            raise _Lost(f"{self._where()} was lost")
        addresses = self._addresses(client)
        if any(address not in self._refused for address in addresses):
            self._well = time.monotonic()
            return
        if time.monotonic() - self._well > self._cluster.wait:
            if addresses:
                told = "; ".join(f"{address}: {', '.join(why)}" for address, why in sorted(self._refused.items()))
                self._give_up(f"every worker was refused ({told})")
                return
            raise _Lost(f"{self._where()} has no worker any more")

    def _allowed(self, client: Client) -> list[str] | None:
        """The workers that may do something; None for all."""
        if not self._refused:
            return None
        return [one for one in self._addresses(client) if one not in self._refused]

    def _submit(self, client: Client, order: Order, topic: str, allowed: list[str] | None) -> Any:
        code = archive()[0] if self._cluster.send_code else ""
        key = f"semafuzz-{order.name}-{os.urandom(4).hex()}"
        with _asking(client):
            return client.submit(obey, replace(order, code=code, topic=topic), pure=False, key=key, workers=allowed)

    def _hear(self, event: tuple[float, Any]) -> None:
        """What a search tells while it runs; called by Dask."""
        with contextlib.suppress(Exception):
            told = event[1]
            name = str(told["name"])
            if name in self._left:
                self._told[name], self._programs[name] = str(told["figures"])[:TAIL], str(told["under_way"])[:1000]

    def _take(self, name: str, future: Any) -> None:
        """An order has come back, in some way."""
        if future.status in ("cancelled", "lost"):
            return
        answer, trouble = read_answer(future)
        if answer is None:
            self._failed(
                name, Delivery(Exit(-signal.SIGKILL, False, "", trouble), under_way=self._programs.get(name, ""))
            )
        elif answer.refused:
            if answer.worker not in self._refused:
                self._refused[answer.worker] = answer.refused
                self._listener.say(f"worker {answer.worker} is refused: {'; '.join(answer.refused)}")
        elif answer.stopped:
            return
        elif answer.delivery.ended.hung or answer.delivery.ended.code not in ENDS:
            self._failed(name, answer.delivery)
        else:
            self._end(name, answer.delivery)

    def _failed(self, name: str, delivery: Delivery) -> None:
        """An attempt came to no end: another one, or that is told."""
        self._errors[name].append(delivery.ended.trouble())
        if len(self._errors[name]) >= ATTEMPTS:
            self._end(name, delivery)

    def _end(self, name: str, delivery: Delivery) -> None:
        del self._left[name]
        self._told.pop(name, None)
        self._listener.done(name, replace(delivery, errors=tuple(self._errors[name])))


@contextlib.contextmanager
def _asking(client: Client) -> Iterator[None]:
    """What goes wrong in the block has to do with the cluster, and with no disk here."""
    try:
        yield
    except Exception as error:
        raise _Lost(f"the Dask scheduler was lost ({type(error).__name__})") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker said. ``refused``: why it did nothing; ``stopped``: nobody waited for it."""

    worker: str
    refused: list[str]
    stopped: bool
    delivery: Delivery


def read_answer(future: Any) -> tuple[Answer | None, str]:
    """What is in a future that is done, or why there is nothing: data from elsewhere, with names that are names."""
    try:
        told = future.result()
        worker, refused = str(told["worker"])[:500], [str(why)[:500] for why in told["refused"]][:64]
        if refused:
            return Answer(worker, refused, False, Delivery(Exit(0, False, "", ""))), ""
        ended = Exit(int(told["code"]), bool(told["hung"]), str(told["output"]), str(told["said"]))
        files = {
            str(name): bytes(data)
            for name, data in told["files"].items()
            if Path(str(name)).name == name and len(data) <= MAX_BYTES
        }
        under_way = str(told["under_way"])[:1000]
        return Answer(worker, [], bool(told["stopped"]), Delivery(ended, files, under_way=under_way)), ""
    except Exception as error:
        # Whatever the cluster says went wrong, this attempt came to no end; the others go on.
        return None, f"{type(error).__name__}: {error}"[:TAIL]


@contextlib.contextmanager
def connected(cluster: Cluster) -> Iterator[Client]:
    """A client of the cluster. UsageError where Dask is not installed; _Lost where nothing answers."""
    try:
        import cloudpickle  # type: ignore[import-untyped]
        from distributed import Client, LocalCluster
    except ImportError:
        raise UsageError("--engine dask needs Dask; install semafuzz[dask]") from None
    # What is lost is told by us; Dask tells it with its own places.
    told_here = ("distributed", "tornado", "asyncio")
    # Dask gives some of its own loggers levels of their own, such as that of its client.
    below = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in told_here]
    for name in (*told_here, *below):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # A worker need not have this file, nor the same one.
    cloudpickle.register_pickle_by_value(far_process)
    with contextlib.ExitStack() as open_here:
        address: Any = cluster.address
        if not address:
            address = open_here.enter_context(
                LocalCluster(
                    n_workers=cluster.jobs, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=40
                )
            )
        try:
            client = open_here.enter_context(
                Client(address, timeout=max(1.0, min(20.0, cluster.wait)), set_as_default=False)
            )
        except (OSError, ValueError) as error:
            raise _Lost(f"no Dask scheduler answers at {cluster.address} ({error})") from None
        yield client
