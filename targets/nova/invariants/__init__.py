"""What must hold of Nova's tracker, at quiescence and after faults."""
