"""What to try: Hypothesis strategies for programs, schedules and faults."""
