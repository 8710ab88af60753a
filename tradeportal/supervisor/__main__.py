"""Entry of `python -m tradeportal.supervisor`, which `./portal` runs inside the environment."""

import sys

from tradeportal.supervisor.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
