"""Locks made when the module is imported."""

import threading

FIRST = threading.Lock()
SECOND = threading.Lock()
AGAIN = threading.RLock()
TURN = threading.Condition()
TOTAL = [0]


def run(*bodies) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def forwards() -> None:
    with FIRST, SECOND:
        TOTAL[0] += 1


def backwards() -> None:
    with SECOND, FIRST:
        TOTAL[0] += 1


def again() -> None:
    with AGAIN, AGAIN:
        TOTAL[0] += 1


def notify() -> None:
    with TURN:
        TOTAL[0] += 1
        TURN.notify_all()


def await_turn() -> None:
    with TURN:
        TURN.wait_for(lambda: TOTAL[0])


def broken() -> None:
    run(forwards, backwards)


def repaired() -> None:
    TOTAL[0] = 0
    run(forwards, forwards)
    assert TOTAL[0] == 2


def reentrant() -> None:
    TOTAL[0] = 0
    run(again, again)
    assert TOTAL[0] == 2


def condition() -> None:
    TOTAL[0] = 0
    run(await_turn, notify)
