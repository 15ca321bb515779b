"""``python -m semafuzz`` and the console script.

Imports next to nothing before the process has the right hash seed: it is started anew for
that, and would import everything twice.
"""

from __future__ import annotations

import sys

from semafuzz.self_command import fix_hash_seed


def main() -> None:
    """The console script."""
    fix_hash_seed()
    from semafuzz.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
