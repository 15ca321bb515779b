"""How results are shown: on the terminal and as files. Reads what the harness made, and never runs a target."""
