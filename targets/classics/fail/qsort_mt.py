"""The thread pool of SCTBench's `qsort_mt`: a worker's state says "work" before its job is there.

The state is set under the pool's lock and the job under the worker's, so a worker that comes in between starts without.
"""

import threading

IDLE = "idle"
WORK = "work"


class Worker:
    """What one thread of the pool is told to do."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.told = threading.Condition(self.lock)
        self.state = IDLE
        self.job: list[int] | None = None


class Pool:
    """The workers, and the lock under which an idle one is chosen."""

    def __init__(self, size: int) -> None:
        self.lock = threading.Lock()
        self.workers = [Worker() for _ in range(size)]

    def allocate(self) -> Worker:
        """Choose an idle worker and mark it as working."""
        with self.lock:
            worker = next(worker for worker in self.workers if worker.state == IDLE)
            worker.state = WORK
            return worker

    def submit(self, job: list[int]) -> None:
        """Hand a job to an idle worker."""
        worker = self.allocate()
        with worker.lock:
            worker.job = job
            worker.told.notify()


def serve(worker: Worker) -> None:
    """Wait for the one job and do it."""
    with worker.lock:
        while worker.state == IDLE:
            worker.told.wait()
        job = worker.job
        assert job is not None
        job.sort()


def run() -> None:
    """Sort two parts of a list in a pool of two threads."""
    pool = Pool(2)
    parts = [[2, 1], [4, 3]]
    threads = [threading.Thread(target=serve, args=(worker,)) for worker in pool.workers]
    for thread in threads:
        thread.start()
    for part in parts:
        pool.submit(part)
    for thread in threads:
        thread.join()
    assert parts == [[1, 2], [3, 4]]
