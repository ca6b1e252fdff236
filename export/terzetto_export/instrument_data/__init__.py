"""Recordings of instruments: single notes and phrases, from the data sets and from a user's own files."""
