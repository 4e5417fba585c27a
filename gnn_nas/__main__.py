"""``python -m gnn_nas``: the command ``gnn-nas``."""

import sys

from gnn_nas.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
