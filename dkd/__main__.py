"""Run the command line as ``python -m dkd``."""

import sys

from dkd.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
