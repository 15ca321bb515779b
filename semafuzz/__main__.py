"""``python -m semafuzz``: the same as the console script ``semafuzz``."""

from semafuzz.cli import main

if __name__ == "__main__":
    main()
