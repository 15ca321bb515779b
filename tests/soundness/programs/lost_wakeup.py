"""A notification before anybody waits is lost; the waiter does not look first."""

import threading


class Gate:
    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.open = False

    def notify(self) -> None:
        with self.condition:
            self.open = True
            self.condition.notify()

    def wait_blindly(self) -> None:
        with self.condition:
            self.condition.wait()

    def wait(self) -> None:
        with self.condition:
            while not self.open:
                self.condition.wait()


def run(*bodies) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def broken() -> None:
    gate = Gate()
    run(gate.wait_blindly, gate.notify)


def repaired() -> None:
    gate = Gate()
    run(gate.wait, gate.notify)
