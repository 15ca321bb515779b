"""``if key not in d: d[key] = ...``: check and act are two steps."""

import threading


def once(guard) -> None:
    made: list[int] = []
    cache: dict[str, int] = {}

    def get() -> None:
        with guard:
            if "k" not in cache:
                made.append(1)
                cache["k"] = len(made)

    threads = [threading.Thread(target=get) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


class Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *details) -> None:
        return None


def broken() -> None:
    once(Nothing())


def repaired() -> None:
    once(threading.Lock())
