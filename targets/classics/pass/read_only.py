"""Main writes before it starts two readers, so no two accesses can change places: 1 trace."""

import threading


class Settings:
    """What is written once."""

    def __init__(self) -> None:
        self.limit = 0


def read(settings: Settings) -> None:
    """Read three times what is there from the start."""
    for _ in range(3):
        assert settings.limit == 7


def run() -> None:
    """Write, then read from two threads."""
    settings = Settings()
    settings.limit = 7
    threads = [threading.Thread(target=read, args=(settings,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
