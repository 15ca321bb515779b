"""Which methods of a class change its state, and under which lock they can be entered: from the source alone."""
