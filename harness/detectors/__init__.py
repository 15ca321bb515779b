"""Looking at finished runs: what went wrong, and where."""
