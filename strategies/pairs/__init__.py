"""Every two operations of a target beside each other, until all their schedules are covered."""
