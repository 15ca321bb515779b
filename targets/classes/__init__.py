"""Targets that nobody wrote: any class, its public methods as operations, judged by its own serial behaviour."""
