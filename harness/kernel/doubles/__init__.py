"""Doubles of the standard primitives, at the lowest level that covers the rest.

``Condition``, ``Semaphore``, ``Event``, ``Barrier``, ``Timer``, ``queue.Queue``,
``concurrent.futures`` and the libraries above them run unmodified on top.
"""
