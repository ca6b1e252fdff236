"""The errors a user may meet. Each message is one line: what was given, what is valid, what to do next."""

from __future__ import annotations


class TerzettoError(Exception):
    """Something went wrong that the user can understand and act on. The command line prints it and exits 2."""


class InputError(TerzettoError, ValueError):
    """What was given (a file, an array, an option) cannot be used."""


class OutputError(TerzettoError, OSError):
    """A result could not be written. Nothing half-written is left behind."""


class DiskFullError(OutputError):
    """There is no room left. What comes after would meet the same, so a batch stops here."""


class ModelError(TerzettoError):
    """A model is missing, damaged, or made for another task or version."""


class ControlError(TerzettoError, ValueError):
    """A control message cannot be used: malformed, of the wrong type, or for a time that is not now."""


class TerzettoWarning(UserWarning):
    """Something the user should know although the work goes on."""
