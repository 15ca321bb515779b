"""Results for people and for other tools, on the terminal and as files. Never runs a target."""
