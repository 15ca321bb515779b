"""The shape of SCTBench's `pbzip2-0.9.4` corrected: main drops the queue's mutex after it has joined all threads."""

import threading

BLOCKS = 2


class Pipeline:
    """The blocks to compress with their mutex, and the compressed ones with their condition."""

    def __init__(self) -> None:
        self.mutex: threading.Lock | None = threading.Lock()
        self.blocks = list(range(BLOCKS))
        self.compressed = threading.Condition(threading.Lock())
        self.finished = 0


def consume(pipeline: Pipeline) -> None:
    """Compress blocks until there are none."""
    while True:
        mutex = pipeline.mutex
        assert mutex is not None
        with mutex:
            if not pipeline.blocks:
                return
            pipeline.blocks.pop()
        with pipeline.compressed:
            pipeline.finished += 1
            pipeline.compressed.notify()


def write(pipeline: Pipeline) -> None:
    """Wait until all blocks are compressed."""
    with pipeline.compressed:
        while pipeline.finished < BLOCKS:
            pipeline.compressed.wait()


def run() -> None:
    """Compress with two consumers and clean up when everybody is done."""
    pipeline = Pipeline()
    threads = [threading.Thread(target=consume, args=(pipeline,)) for _ in range(2)]
    threads.append(threading.Thread(target=write, args=(pipeline,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipeline.mutex = None
