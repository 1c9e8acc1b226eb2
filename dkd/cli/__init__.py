"""The dkd command and its subcommands."""
