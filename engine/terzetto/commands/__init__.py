"""The engine's own subcommands. Nothing heavy is imported at the top of these modules."""
