"""Drum sounds: one-shots to learn from, the models that sort and make them, and who judges them."""
