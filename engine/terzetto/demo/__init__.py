"""The demo: the shipped excerpt, separated, measured and shown on a page."""
