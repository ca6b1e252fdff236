"""The judge of instruments: it hears which instrument a note is, and learned from other sounds than the models."""
