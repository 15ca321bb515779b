"""Lock discipline: every write to guarded state happens under its lock."""
