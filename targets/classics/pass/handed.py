"""An object that is never in two hands: main makes it, a thread changes it, main reads it after the join: 1 trace."""

import threading


class Parcel:
    """What is handed over."""

    def __init__(self) -> None:
        self.stamps = 0


def stamp(parcels: list[Parcel]) -> None:
    """Stamp what lies on the list, three times."""
    parcel = parcels[0]
    for _ in range(3):
        parcel.stamps += 1


def run() -> None:
    """Hand a parcel to a thread and take it back."""
    parcel = Parcel()
    parcel.stamps += 1
    parcels = [parcel]
    thread = threading.Thread(target=stamp, args=(parcels,))
    thread.start()
    thread.join()
    assert parcel.stamps == 4
