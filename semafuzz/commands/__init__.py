"""The commands, a module or folder each; imported when they are called."""
