"""What the drivers raise."""


class HostFailedError(RuntimeError):
    """A host did not do what it was asked for; the message holds what it printed."""
