"""Seven everyday defects, as people write them."""

import threading
import time


def run(*functions):
    threads = [threading.Thread(target=one, name=one.__name__) for one in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lost_update():
    class Account:
        balance = 0

        def deposit(self):
            seen = self.balance
            self.balance = seen + 10

    account = Account()

    def first():
        account.deposit()

    def second():
        account.deposit()

    run(first, second)
    assert account.balance == 20


def check_then_act():
    stock = {"apple": 1}

    def first():
        if stock["apple"] > 0:
            stock["apple"] -= 1

    def second():
        if stock["apple"] > 0:
            stock["apple"] -= 1

    run(first, second)
    assert stock["apple"] == 0


def deadlock():
    left, right = threading.Lock(), threading.Lock()

    def first():
        with left, right:
            pass

    def second():
        with right, left:
            pass

    run(first, second)


def lost_wakeup():
    condition = threading.Condition()

    def waits():
        with condition:
            condition.wait()

    def notifies():
        with condition:
            condition.notify()

    run(waits, notifies)


def lazy_initialisation():
    class Registry:
        made = None

        def get(self):
            if self.made is None:
                self.made = object()
            return self.made

    registry, found = Registry(), []

    def first():
        found.append(registry.get())

    def second():
        found.append(registry.get())

    run(first, second)
    assert found[0] is found[1]


def changing_dict():
    sessions = {"a": 1, "b": 2}

    def lists():
        for _name in sessions:
            time.sleep(0)

    def adds():
        sessions["c"] = 3

    run(lists, adds)


def time_out():
    ready = threading.Event()
    answers = []

    def waits():
        answers.append(ready.wait(30))

    def answers_late():
        time.sleep(60)
        ready.set()

    run(waits, answers_late)
    assert answers == [True]
