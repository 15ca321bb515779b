"""What a terminal shows: results, progress and tables."""
