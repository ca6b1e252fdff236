"""Timbre: one sound in the timbre of another."""
