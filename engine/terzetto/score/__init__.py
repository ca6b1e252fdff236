"""Scores: notes with their hands, read from MIDI and CSV."""
