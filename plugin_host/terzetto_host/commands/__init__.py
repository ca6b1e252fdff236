"""The host's subcommands of ``terzetto``. Nothing heavy is imported at the top of these modules."""
