"""One run of a program: programs, sessions under control, replay runs, where programs come from."""
