"""State machines of Hypothesis whose rules step tasks."""
