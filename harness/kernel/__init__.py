"""One controlled run: tasks, doubles, time and randomness. Imports nothing above it."""
