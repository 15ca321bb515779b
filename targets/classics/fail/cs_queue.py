"""SCTBench's `queue`: sender and receiver number their messages by loop rounds, idle rounds included.

All accesses are under one lock, but a round in which one side finds nothing to do moves its number ahead.
"""

import threading

ROUNDS = 20


class Mailbox:
    """A first-in first-out queue, a copy of what was put in, and whose turn it is."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.messages: list[int] = []
        self.stored = [0] * ROUNDS
        self.last = 0
        self.may_send = True
        self.may_receive = False


def send(mailbox: Mailbox) -> None:
    """Put a first message in, then one more in each round that allows it."""
    with mailbox.lock:
        mailbox.messages.append(0)
        mailbox.stored[0] = 0
    for number in range(1, ROUNDS):
        with mailbox.lock:
            if mailbox.may_send:
                mailbox.last += 1
                mailbox.messages.append(mailbox.last)
                mailbox.stored[number] = mailbox.last
                mailbox.may_send = False
                mailbox.may_receive = True


def receive(mailbox: Mailbox) -> None:
    """Take a message out in each round that allows it, and compare it with the copy of that round."""
    for number in range(ROUNDS):
        with mailbox.lock:
            if mailbox.may_receive:
                assert mailbox.messages.pop(0) == mailbox.stored[number]
                mailbox.may_receive = False
                mailbox.may_send = True


def run() -> None:
    """Send and receive at the same time."""
    mailbox = Mailbox()
    threads = [threading.Thread(target=step, args=(mailbox,)) for step in (send, receive)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
