"""What a picture of a finding is drawn from: its run, step by step, as plain data."""
