"""The subcommands that this package adds to ``terzetto``."""
