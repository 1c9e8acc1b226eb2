"""The command line ``dkd`` and its subcommands."""
