"""SCTBench's `bluetooth_driver`, known from KISS (Qadeer and Wu, PLDI 2004): a driver is used after it was stopped.

The worker tests the stopping flag and only then counts itself in, so the stopper may finish between the two.
"""

import threading


class Driver:
    """A device driver that stops when the last pending request is gone; it counts as one request itself."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pending_io = 1
        self.stopping_flag = False
        self.stopping_event = threading.Event()
        self.stopped = False

    def enter(self) -> bool:
        """Count one request in, unless the driver is stopping."""
        if self.stopping_flag:
            return False
        with self.lock:
            self.pending_io += 1
        return True

    def leave(self) -> None:
        """Count one request out, and tell the stopper if it was the last."""
        with self.lock:
            self.pending_io -= 1
            is_last = self.pending_io == 0
        if is_last:
            self.stopping_event.set()


def work(driver: Driver) -> None:
    """Use the driver for one request."""
    if driver.enter():
        assert not driver.stopped
        driver.leave()


def stop(driver: Driver) -> None:
    """Stop the driver once no request is pending."""
    driver.stopping_flag = True
    driver.leave()
    driver.stopping_event.wait()
    driver.stopped = True


def run() -> None:
    """Stop the driver while a request comes in."""
    driver = Driver()
    threads = [threading.Thread(target=step, args=(driver,)) for step in (stop, work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
