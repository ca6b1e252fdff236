"""Measures, one module per task, each in mir_eval's shape: ``validate``, the functions, ``evaluate``."""
