"""The shape of SCTBench's `aget-bug2`: what an interrupted download saves does not agree with itself.

The handler copies each thread's offset and then the total without the lock, while the threads still move both.
"""

import threading

WORKERS = 2
CHUNKS = 2


class Download:
    """How far each thread has come, and how much there is in all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.offsets = [0] * WORKERS
        self.total = 0


def fetch(download: Download, number: int) -> None:
    """Fetch the chunks of one part."""
    for _ in range(CHUNKS):
        with download.lock:
            download.offsets[number] += 1
            download.total += 1


def save(download: Download) -> None:
    """Copy the progress, as the handler of an interrupt does."""
    saved = 0
    for number in range(WORKERS):
        saved += download.offsets[number]
    assert saved == download.total


def run() -> None:
    """Save the progress while two threads fetch."""
    download = Download()
    threads = [threading.Thread(target=fetch, args=(download, number)) for number in range(WORKERS)]
    threads.append(threading.Thread(target=save, args=(download,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
