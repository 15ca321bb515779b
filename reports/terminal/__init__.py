"""Results, progress and tables in a terminal."""
