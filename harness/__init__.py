"""The engine: controlled runs, instrumentation, schedulers, detectors, traces, shrinking, search."""
